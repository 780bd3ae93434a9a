"""The ports of the Uploads API in memory: what the AWS adapters promise, in as few lines."""

from collections.abc import Callable
from dataclasses import replace

from files_api.assembly import Assembly
from files_api.completion import Completion
from files_api.model import TRANSFER_SECONDS, File, Link, Part, Pending, Upload
from files_api.ports import Query
from files_api.purge import Purge
from files_api.sweep import Sweep
from files_api.triggers import RemovedUpload
from files_api.uploads import Parts, Uploads
from tests.unit.memory import MemoryBlobs, MemoryRecords
from tests.unit.samples import PURPOSES, Clock


class MemoryUploadRecords:
    """`ports.UploadRecords` in dicts, beside records that take the promises.

    Args:
        records: where a closed upload's promise goes.

    Attributes:
        stream: what has been removed, as the table's stream would tell it.
    """

    def __init__(self, records: MemoryRecords) -> None:
        self._records = records
        self._uploads: dict[tuple[str, str], Upload] = {}
        self._removable_at: dict[tuple[str, str], int] = {}
        self._parts: dict[tuple[str, str], dict[str, Part]] = {}
        self.stream: list[RemovedUpload] = []

    def open(self, project: str, upload: Upload) -> None:
        self._write(project, upload, upload.expires_at + TRANSFER_SECONDS)

    def get(self, project: str, upload_id: str) -> Upload | None:
        return self._uploads.get((project, upload_id))

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        upload = self.get(project, upload_id)
        if upload is None or upload.status != "pending":
            return False
        self.open(project, replace(upload, expires_at=expires_at))
        return True

    def add_part(self, project: str, part: Part) -> None:
        self._parts.setdefault((project, part.upload_id), {})[part.id] = part

    def parts(self, project: str, upload_id: str) -> list[Part]:
        parts = self._parts.get((project, upload_id), {})
        return [parts[part_id] for part_id in sorted(parts)]

    def close(self, project: str, upload: Upload, promise: Pending | None = None) -> bool:
        known = self.get(project, upload.id)
        if known is None or known.status != "pending":
            return False
        if promise:
            self._records.promise(project, promise)
        removable_at = promise.expires_at if promise else upload.expires_at + TRANSFER_SECONDS
        self._write(project, upload, removable_at)
        return True

    def remove_parts(self, project: str, upload_id: str) -> None:
        for part in self.parts(project, upload_id):
            self.remove_part(project, part)

    def remove_part(self, project: str, part: Part) -> None:
        """Removes one part; any number of them are not removed at one stroke."""
        if self._parts[project, part.upload_id].pop(part.id, None):
            self.stream.append(RemovedUpload(project, part.upload_id, part.id))

    def has_part(self, project: str, upload_id: str, part_id: str) -> bool:
        return part_id in self._parts.get((project, upload_id), {})

    def items(self) -> list[tuple[str, str]]:
        """The project and the sort key of each item."""
        uploads = [(project, f"M#{upload_id}") for project, upload_id in self._uploads]
        parts = [
            (project, f"M#{upload_id}#{part_id}")
            for (project, upload_id), parts in self._parts.items()
            for part_id in parts
        ]
        return uploads + parts

    def sweep(self, item: tuple[str, str], now: float) -> None:
        """Removes an item if it is expired, as the table's TTL does some time, or other."""
        project, upload_id = item[0], item[1].removeprefix("M#")
        if self._removable_at.get((project, upload_id), now + 1) <= now:
            self.forget(project, upload_id)

    def forget(self, project: str, upload_id: str) -> None:
        """Removes an upload's own item, as the table's TTL does."""
        del self._uploads[project, upload_id], self._removable_at[project, upload_id]
        self.stream.append(RemovedUpload(project, upload_id))

    def _write(self, project: str, upload: Upload, removable_at: int) -> None:
        self._uploads[project, upload.id] = upload
        self._removable_at[project, upload.id] = removable_at


class MemoryLater:
    """`ports.Later` as a list.

    Attributes:
        asked: project and upload of each assembly that is to come.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def assemble(self, project: str, upload_id: str) -> None:
        self.asked.append((project, upload_id))


class UploadWorld:
    """The Uploads API on ports in memory.

    Attributes:
        clock: what time it is for all of it.
        max_file_bytes: the stack's largest file.
    """

    def __init__(self, blobs: Callable[[Clock], MemoryBlobs] = MemoryBlobs) -> None:
        self.clock = Clock()
        self.records = MemoryRecords()
        self.upload_records = MemoryUploadRecords(self.records)
        self.blobs = blobs(self.clock)
        self.later = MemoryLater()
        self.max_file_bytes = 2 * 1024**3

    @property
    def uploads(self) -> Uploads:
        return Uploads(
            self.upload_records,
            purposes=PURPOSES,
            max_file_bytes=self.max_file_bytes,
            clock=self.clock,
        )

    @property
    def parts(self) -> Parts:
        return Parts(self.upload_records, self.blobs, self.clock)

    @property
    def completion(self) -> Completion:
        return Completion(
            self.upload_records,
            self.records,
            self.blobs,
            assembly=self.assembly,
            later=self.later,
            clock=self.clock,
        )

    @property
    def assembly(self) -> Assembly:
        return Assembly(self.upload_records, self.records, self.blobs, self.later, self.clock)

    @property
    def purge(self) -> Purge:
        return Purge(self.records, self.upload_records, self.blobs)

    @property
    def sweep(self) -> Sweep:
        return Sweep(self.records, self.upload_records, self.blobs, self.later, self.clock)

    def create(
        self,
        size: int = 6,
        *,
        filename: str = "notes.txt",
        purpose: str = "assistants",
        mime_type: str = "text/plain",
        lifetime: int | None = None,
    ) -> Upload:
        return self.uploads.create(
            "acme",
            filename=filename,
            purpose=purpose,
            size=size,
            mime_type=mime_type,
            lifetime=lifetime,
        )

    def filled(self, *contents: bytes, lifetime: int | None = None) -> tuple[Upload, list[str]]:
        """An upload with a part of each of the contents, and the parts' ids."""
        upload = self.create(sum(map(len, contents)), lifetime=lifetime)
        return upload, [self.add(upload, content).id for content in contents]

    def add(self, upload: Upload, content: bytes) -> Part:
        return self.parts.add("acme", upload.id, content)

    def promise(self, upload: Upload, size: int, sha256: str | None = None) -> tuple[Part, Link]:
        return self.parts.promise("acme", upload.id, size, sha256)

    def upload(self, *contents: bytes) -> tuple[Upload, list[str]]:
        """An upload with a part of each of the contents, by links, and the parts' ids."""
        upload = self.create(sum(map(len, contents)))
        ids = []
        for content in contents:
            part, link = self.promise(upload, len(content))
            assert self.blobs.upload(link, content)
            ids.append(part.id)
        return upload, ids

    def complete(
        self, upload: Upload, part_ids: list[str], md5: str | None = None
    ) -> tuple[Upload, File | None]:
        return self.completion.complete("acme", upload.id, tuple(part_ids), md5)

    def listed(self) -> list[str]:
        """The files of a list of all, as the texts that it is made of."""
        return self.records.docs(Query("acme", None, 100, True, None, int(self.clock())))

    def is_clean(self, upload: Upload) -> bool:
        """Whether nothing is left of an upload's parts once the purge has seen them go."""
        return self.upload_records.parts("acme", upload.id) == []

    def content(self, file: File | None) -> bytes | None:
        """The bytes of a file that is there."""
        assert file is not None
        assert self.records.get("acme", file.id) == file
        return self.blobs.get(file.key("acme"))
