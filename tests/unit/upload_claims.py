"""What callers were told of uploads and their files, and what must hold since."""

import json
from collections import defaultdict

from files_api.assembly import ASSEMBLY_SECONDS
from files_api.ids import creation_time
from files_api.model import File, Upload, blob_key, part_key
from tests.unit.memory_uploads import UploadWorld


class Claims:
    """What was told, and is compared with a world.

    Attributes:
        uploads: all of them, in order; the name of each one's file says which it is.
        possible: what an upload's file may hold.
        doubtful: uploads whose file may be an error.
        cancelled: uploads of which a caller knows that.
        ended: uploads of which nothing but a file is left as soon as all events are told.
        broken_off: uploads with a call that died.
        looked_at: keys of parts that were looked at after their upload was closed.
        file_ids: of uploads that have, or had, a file.
        there: files that were seen, with their bytes.
        awaited: files that a caller was told to wait for.
        deleted: files of which a caller knows that.
        doomed: files that somebody tried to delete.
        failed: files that a caller was told are an error.
    """

    def __init__(self, world: UploadWorld) -> None:
        self._world = world
        self.uploads: list[Upload] = []
        self.possible: dict[str, list[bytes]] = defaultdict(list)
        self.doubtful: set[str] = set()
        self.cancelled: set[str] = set()
        self.ended: set[str] = set()
        self.broken_off: set[str] = set()
        self.looked_at: set[str] = set()
        self.file_ids: dict[str, str] = {}
        self.there: dict[str, tuple[File, bytes]] = {}
        self.awaited: set[str] = set()
        self.deleted: set[str] = set()
        self.doomed: set[str] = set()
        self.failed: set[str] = set()

    def is_open(self, upload: Upload) -> bool:
        """Whether the upload takes parts."""
        known = self._world.upload_records.get("acme", upload.id)
        return known is not None and known.status_at(self._world.clock.now) == "pending"

    def file_id(self, upload: Upload) -> str | None:
        """The one file of an upload, also when nothing tells of it any more."""
        known = self._world.upload_records.get("acme", upload.id)
        if known and known.file_id:
            assert self.file_ids.setdefault(upload.id, known.file_id) == known.file_id
        return self.file_ids.get(upload.id)

    def is_kept(self, upload: Upload) -> bool:
        """Whether there is a record of the upload's file, not expired."""
        file = self._world.records.get("acme", self.file_ids[upload.id])
        return file is not None and not file.expired(self._world.clock.now)

    def is_there(self, upload: Upload) -> bool:
        """Whether the upload's file was seen, and neither deleted nor expired since."""
        return self.file_id(upload) in self.there and not self._is_over(upload)

    def hear(self, upload: Upload, file: File | None, *, calm: bool) -> None:
        """A caller is told of an upload's file: None for that it is gone.

        Args:
            upload: which.
            file: what is told.
            calm: whether nothing came between, so that it must be the state of things.
        """
        file_id = self.file_id(upload)
        assert file_id is not None
        if file is None:
            assert file_id in self.doomed or self._is_over(upload)
            return
        assert file.id == file_id
        assert file.status != "error" or upload.id in self.doubtful
        if calm:
            assert file_id not in self.deleted
            assert not self._is_over(upload)
            assert file.status == "processed" or file_id not in self.there
        if file.status == "error":
            self.failed.add(file_id)
        if file.status == "processed" and file_id not in self.doomed:
            self._see(upload, file)

    def check(self) -> None:
        """What always holds."""
        for doc in self._world.listed():
            upload = self.uploads[int(json.loads(doc)["filename"].removesuffix(".txt"))]
            file = File.from_doc(doc)
            assert (file.id, file.status) == (self.file_id(upload), "processed")
            self._see(upload, file)
        for upload in self.uploads:
            if self.is_there(upload):
                file, content = self.there[self.file_ids[upload.id]]
                assert self._world.records.get("acme", file.id) == file
                assert self._world.blobs.get(file.key("acme")) == content
        assert self.cancelled.isdisjoint(self.file_ids)
        items = {sort_key.split("#")[-1] for _, sort_key in self._world.records.items()}
        assert items.isdisjoint(self.deleted)
        for upload_id, file_id in self.file_ids.items():
            if file_id in self.deleted and upload_id not in self.broken_off:
                assert self._world.blobs.get(blob_key("acme", file_id, direct=False)) is None

    def check_done(self) -> None:
        """What holds as soon as all events are told."""
        for upload in self.uploads:
            if upload.id in self.ended:
                assert self._world.blobs.sizes(part_key("acme", upload.id, "")) == {}
            known = self._world.upload_records.get("acme", upload.id)
            file_id = self.file_id(upload)
            if not known or not file_id or file_id in self.doomed or self._is_over(upload):
                continue
            keys = {part_key("acme", upload.id, part_id) for part_id in known.part_ids}
            if file_id in self.awaited or keys <= self.looked_at:
                pending = self._world.records.pending("acme", file_id)
                failed = pending is not None and pending.file.status == "error"
                assert file_id in self.there or (failed and upload.id in self.doubtful)

    def check_left(self) -> None:
        """What holds when, moreover, TTL has removed all that ever expires."""
        left = [file for file, _ in self.there.values() if file.expires_at is None]
        assert self._world.blobs.keys() == {file.key("acme") for file in left}
        assert self._world.upload_records.items() == []
        assert set(self._world.records.items()) == {
            ("acme", sort_key)
            for file in left
            for sort_key in (f"F#{file.id}", f"P#{file.purpose}#{file.id}")
        }

    def _is_over(self, upload: Upload) -> bool:
        """Whether time has ended the upload's file, or the promise of it."""
        file_id = self.file_ids[upload.id]
        ends = [upload.lifetime, None if file_id in self.there else ASSEMBLY_SECONDS]
        return any(end and creation_time(file_id) + end <= self._world.clock.now for end in ends)

    def _see(self, upload: Upload, file: File) -> None:
        """The file is there: with one of the contents that it may have, and for good."""
        assert file.id not in self.failed
        content = self._world.blobs.get(file.key("acme"))
        assert content in self.possible[upload.id]
        assert self.there.setdefault(file.id, (file, content)) == (file, content)
