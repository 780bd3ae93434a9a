"""What callers were told about uploads and their files, and what must hold since."""

import json
from collections import defaultdict

from files_api.service.blob_keys import FileBlob, part_keys, part_prefix
from files_api.service.ids import creation_time
from files_api.service.model import ASSEMBLY_SECONDS, File, Upload
from files_api.service.ports import PageRequest
from tests.fakes.world import World


class Claims:
    """What callers were told, to be compared with a world.

    Attributes:
        uploads: all of them, in order; the name of an upload's file is its number here.
        possible: the contents that an upload's file may have.
        doubtful: uploads whose file may get the status `error`.
        cancelled: uploads that a caller knows to be cancelled.
        ended: uploads that leave nothing but a file once all events are delivered.
        interrupted: uploads with a call that crashed or failed.
        checked: keys of parts that were checked after their upload was closed.
        file_ids: of uploads that have, or had, a file.
        seen: files that were seen processed, with their bytes.
        awaited: files that a caller was told to wait for.
        deleted: files that a caller knows to be deleted.
        doomed: files that some call has tried to delete.
        failed: files that a caller knows to have the status `error`.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.uploads: list[Upload] = []
        self.possible: dict[str, list[bytes]] = defaultdict(list)
        self.doubtful: set[str] = set()
        self.cancelled: set[str] = set()
        self.ended: set[str] = set()
        self.interrupted: set[str] = set()
        self.checked: set[str] = set()
        self.file_ids: dict[str, str] = {}
        self.seen: dict[str, tuple[File, bytes]] = {}
        self.awaited: set[str] = set()
        self.deleted: set[str] = set()
        self.doomed: set[str] = set()
        self.failed: set[str] = set()

    def is_open(self, upload: Upload) -> bool:
        """Whether the upload accepts parts."""
        known = self._world.upload_records.get("acme", upload.id)
        return known is not None and known.status_at(self._world.clock.now) == "pending"

    def file_id(self, upload: Upload) -> str | None:
        """The one file of an upload, even after its record has gone."""
        known = self._world.upload_records.get("acme", upload.id)
        if known and known.file_id:
            assert self.file_ids.setdefault(upload.id, known.file_id) == known.file_id
        return self.file_ids.get(upload.id)

    def has_record(self, upload: Upload) -> bool:
        """Whether there is a record of the upload's file, not expired."""
        file = self._world.records.get("acme", self.file_ids[upload.id])
        return file is not None and not file.expired(self._world.clock.now)

    def exists(self, upload: Upload) -> bool:
        """Whether the upload's file was seen, and has been neither deleted nor expired since."""
        return self.file_id(upload) in self.seen and not self._has_expired(upload)

    def hear(self, upload: Upload, file: File | None, *, calm: bool) -> None:
        """Notes what a caller is told about an upload's file.

        Args:
            upload: which.
            file: as it was returned; None if it was not found.
            calm: whether nothing else happened during the call, so that it must be up to date.
        """
        file_id = self.file_id(upload)
        assert file_id is not None
        if file is None:
            assert file_id in self.doomed or self._has_expired(upload)
            return
        assert file.id == file_id
        assert file.status != "error" or upload.id in self.doubtful
        if calm:
            assert file_id not in self.deleted
            assert not self._has_expired(upload)
            assert file.status == "processed" or file_id not in self.seen
        if file.status == "error":
            self.failed.add(file_id)
        if file.status == "processed" and file_id not in self.doomed:
            self._see(upload, file)

    def check(self) -> None:
        """What always holds."""
        for text in self._world.listing.page("acme", PageRequest(10_000)).files:
            shown = json.loads(text)
            upload = self.uploads[int(shown["filename"].removesuffix(".txt"))]
            file = self._world.records.get("acme", shown["id"])
            assert file is not None
            assert (file.id, file.status) == (self.file_id(upload), "processed")
            assert file.public_json() == text
            self._see(upload, file)
        for upload in self.uploads:
            if self.exists(upload):
                file, content = self.seen[self.file_ids[upload.id]]
                assert self._world.records.get("acme", file.id) == file
                assert self._world.blobs.get(file.blob_key("acme")) == content
        assert self.cancelled.isdisjoint(self.file_ids)
        items = {sort_key.split("#")[-1] for _, sort_key in self._world.records.items()}
        assert items.isdisjoint(self.deleted)
        for upload_id, file_id in self.file_ids.items():
            if file_id in self.deleted and upload_id not in self.interrupted:
                key = FileBlob("acme", file_id, direct=False).key
                assert self._world.blobs.get(key) is None

    def check_done(self) -> None:
        """What holds once all events are delivered."""
        for upload in self.uploads:
            if upload.id in self.ended:
                assert self._world.blobs.sizes(part_prefix("acme", upload.id)) == {}
            known = self._world.upload_records.get("acme", upload.id)
            file_id = self.file_id(upload)
            if not known or not file_id or file_id in self.doomed or self._has_expired(upload):
                continue
            keys = set(part_keys("acme", upload.id, known.part_ids))
            if file_id in self.awaited or keys <= self.checked:
                pending = self._world.records.get_pending("acme", file_id)
                failed = pending is not None and pending.file.status == "error"
                assert file_id in self.seen or (failed and upload.id in self.doubtful)

    def check_left(self) -> None:
        """What holds when, moreover, TTL has deleted all that ever expires."""
        left = [file for file, _ in self.seen.values() if file.expires_at is None]
        assert self._world.blobs.keys() == {file.blob_key("acme") for file in left}
        assert self._world.upload_records.items() == []
        assert set(self._world.records.items()) == {
            ("acme", sort_key)
            for file in left
            for sort_key in (f"FILE#{file.id}", f"PURPOSE#{file.purpose}#{file.id}")
        }

    def _has_expired(self, upload: Upload) -> bool:
        """Whether the upload's file has expired, or was pending for too long."""
        file_id = self.file_ids[upload.id]
        ends = [upload.lifetime, None if file_id in self.seen else ASSEMBLY_SECONDS]
        return any(end and creation_time(file_id) + end <= self._world.clock.now for end in ends)

    def _see(self, upload: Upload, file: File) -> None:
        """The file is processed: it has one of its possible contents, for good."""
        assert file.id not in self.failed
        content = self._world.blobs.get(file.blob_key("acme"))
        assert content in self.possible[upload.id]
        assert self.seen.setdefault(file.id, (file, content)) == (file, content)
