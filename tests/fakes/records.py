"""Records in memory, and the assembly queue: what the AWS adapters promise, in few lines."""

from collections.abc import Callable, Collection
from dataclasses import replace

from files_api.aws.table import Kind, parse_sort_key, sort_key, sort_prefix
from files_api.service.blob_keys import FileBlob
from files_api.service.errors import IdempotencyKeyReused
from files_api.service.model import (
    MAX_ADDED_PARTS,
    PART_LIFETIME_SECONDS,
    TRANSFER_SECONDS,
    File,
    Part,
    PendingFile,
    Upload,
    Usage,
)
from files_api.service.ports import MANY_EXPIRED, PageRequest
from files_api.service.purge import (
    Removed,
    RemovedFile,
    RemovedPart,
    RemovedPendingFile,
    RemovedUpload,
)
from files_api.service.terms import REPEATABLE_SECONDS, IdempotencyKey

type ItemKey = tuple[str, str]


class Notes:
    """What was made by idempotency keys."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], tuple[str, File | Upload]] = {}

    def note(self, project: str, by: IdempotencyKey | None, made: File | Upload) -> bool:
        """Whether the key is free, and noted now; True without a key."""
        if by is None:
            return True
        _, before = self._made.get((project, by.hash), ("", None))
        if before and before.created_at + REPEATABLE_SECONDS > made.created_at:
            return False
        self._made[project, by.hash] = by.request, made
        return True

    def find(self, project: str, by: IdempotencyKey, now: int) -> File | Upload | None:
        request, made = self._made.get((project, by.hash), ("", None))
        if made is None or made.created_at + REPEATABLE_SECONDS <= now:
            return None
        if request != by.request:
            raise IdempotencyKeyReused
        return made


class MemoryFileRecords:
    """`ports.FileRecords` in a dict: two items for a file, one for a pending file.

    Attributes:
        stream: what has been removed, as the table's stream would report it.
        notes: what was made by idempotency keys.
    """

    def __init__(self) -> None:
        self._items: dict[ItemKey, File | PendingFile] = {}
        self._busy_until: dict[str, int] = {}
        self._usage: dict[str, Usage] = {}
        self.notes = Notes()
        self.stream: list[Removed] = []

    def usage(self, project: str) -> Usage:
        return self._usage.get(project, Usage())

    def _count(self, project: str, files: int, size: int) -> None:
        before = self.usage(project)
        self._usage[project] = Usage(before.files + files, before.bytes + size)

    def add(self, project: str, file: File, by: IdempotencyKey | None = None) -> bool:
        if self.get(project, file.id) or not self.notes.note(project, by, file):
            return False
        for key in _sort_keys(file):
            self._items[project, key] = file
        self._count(project, 1, file.bytes)
        return True

    def made(self, project: str, by: IdempotencyKey, now: int) -> File | None:
        made = self.notes.find(project, by, now)
        assert made is None or isinstance(made, File)
        return made

    def get(self, project: str, file_id: str) -> File | None:
        item = self._items.get((project, sort_key(Kind.FILE, file_id)))
        assert not isinstance(item, PendingFile)
        return item

    def page(
        self,
        project: str,
        request: PageRequest,
        now: int,
        many_expired: Callable[[], object] = lambda: None,
    ) -> list[str]:
        prefix = sort_prefix(Kind.FILE)
        if request.purpose is not None:
            prefix = sort_prefix(Kind.PURPOSE, request.purpose)
        read = [
            item
            for (owner, key), item in self._items.items()
            if owner == project and key.startswith(prefix) and isinstance(item, File)
        ]
        found = [item for item in read if not item.expired(now)]
        if len(read) - len(found) >= MANY_EXPIRED:
            many_expired()
        found.sort(key=lambda file: file.id, reverse=request.newest_first)
        if request.after is not None:
            after = request.after
            found = [f for f in found if (f.id < after if request.newest_first else f.id > after)]
        return [file.public_json() for file in found[: request.limit]]

    def delete_expired(self, project: str, now: int, until: int) -> None:
        if self._busy_until.get(project, 0) > now:
            return
        self._busy_until[project] = until
        for (owner, key), item in [*self._items.items()]:
            if owner != project or parse_sort_key(key)[0] != Kind.FILE:
                continue
            if isinstance(item, File) and item.expired(now):
                self.delete(project, item)
        self._busy_until[project] = now

    def delete(self, project: str, file: File) -> bool:
        main, twin = _sort_keys(file)
        if not self._pop(project, main):
            return False
        self._pop(project, twin)
        self._count(project, -1, -file.bytes)
        return True

    def delete_leftovers(self, files: Collection[tuple[str, File]]) -> None:
        for project, file in files:
            if not self.delete(project, file):
                self._pop(project, _sort_keys(file)[1])

    def owned(self, blobs: Collection[FileBlob]) -> set[FileBlob]:
        def owner(blob: FileBlob) -> File | None:
            pending = self.get_pending(blob.project, blob.file_id)
            return pending.file if pending else self.get(blob.project, blob.file_id)

        found = {blob: owner(blob) for blob in blobs}
        return {blob for blob, file in found.items() if file and file.direct == blob.direct}

    def add_pending(
        self, project: str, pending: PendingFile, by: IdempotencyKey | None = None
    ) -> bool:
        if not self.notes.note(project, by, pending.file):
            return False
        self._items[project, sort_key(Kind.PENDING, pending.file.id)] = pending
        return True

    def get_pending(self, project: str, file_id: str) -> PendingFile | None:
        item = self._items.get((project, sort_key(Kind.PENDING, file_id)))
        assert not isinstance(item, File)
        return item

    def update_pending(self, project: str, pending: PendingFile) -> bool:
        if not self._can_finalize(project, pending.file.id):
            return False
        self.add_pending(project, pending)
        return True

    def delete_pending(self, project: str, file_id: str) -> bool:
        return self._pop(project, sort_key(Kind.PENDING, file_id))

    def finalize(self, project: str, file: File) -> bool:
        if not self._can_finalize(project, file.id):
            return False
        self._pop(project, sort_key(Kind.PENDING, file.id))
        self.add(project, file)
        return True

    def _can_finalize(self, project: str, file_id: str) -> bool:
        item = self._items.get((project, sort_key(Kind.PENDING, file_id)))
        return isinstance(item, PendingFile) and item.file.status != "error"

    def counted(self, project: str) -> Usage:
        """What is there of the project, whatever the counters say."""
        kinds = {key: parse_sort_key(key)[0] for owner, key in self._items if owner == project}
        files = [self._items[project, key] for key, kind in kinds.items() if kind == Kind.FILE]
        return Usage(len(files), sum(each.bytes for each in files if isinstance(each, File)))

    def items(self) -> list[ItemKey]:
        """The project and the sort key of each item."""
        return list(self._items)

    def expire(self, item: ItemKey, now: float) -> None:
        """Deletes an item that has expired, as the table's TTL does at some time."""
        found = self._items.get(item)
        if parse_sort_key(item[1])[0] == Kind.FILE:
            return  # it has no TTL
        if found and found.expires_at is not None and found.expires_at <= now:
            self._pop(*item)

    def _pop(self, project: str, key: str) -> bool:
        item = self._items.pop((project, key), None)
        if isinstance(item, PendingFile):
            self.stream.append(RemovedPendingFile(project, item.file, item.multipart_id))
        elif item is not None:
            self.stream.append(RemovedFile(project, item))
        return item is not None


def _sort_keys(file: File) -> tuple[str, str]:
    return sort_key(Kind.FILE, file.id), sort_key(Kind.PURPOSE, file.purpose, file.id)


class MemoryUploadRecords:
    """`ports.UploadRecords` in dicts.

    Args:
        files: where `close` writes the pending file.

    Attributes:
        stream: what has been removed, as the table's stream would report it.
    """

    def __init__(self, files: MemoryFileRecords) -> None:
        self._files = files
        self._uploads: dict[ItemKey, Upload] = {}
        self._removable_at: dict[ItemKey, int] = {}
        self._parts: dict[ItemKey, dict[str, Part]] = {}
        self._room: dict[ItemKey, tuple[int, int]] = {}
        self._last_reserved: dict[ItemKey, str] = {}
        self.stream: list[Removed] = []

    def open(self, project: str, upload: Upload, by: IdempotencyKey | None = None) -> bool:
        if not self._files.notes.note(project, by, upload):
            return False
        self._write(project, upload, upload.expires_at + TRANSFER_SECONDS)
        self._room[project, upload.id] = (MAX_ADDED_PARTS, upload.max_part_bytes)
        return True

    def made(self, project: str, by: IdempotencyKey, now: int) -> Upload | None:
        made = self._files.notes.find(project, by, now)
        assert made is None or isinstance(made, Upload)
        return made

    def get(self, project: str, upload_id: str) -> Upload | None:
        return self._uploads.get((project, upload_id))

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        upload = self.get(project, upload_id)
        if upload is None or upload.status != "pending" or upload.expires_at > expires_at:
            return False
        upload = replace(upload, expires_at=expires_at)
        self._write(project, upload, upload.expires_at + TRANSFER_SECONDS)
        return True

    def reserve_part(self, project: str, part: Part, now: int) -> Upload | None:
        upload = self.get(project, part.upload_id)
        if upload is None or upload.status_at(now) != "pending":
            return None
        if self._last_reserved.get((project, part.upload_id)) == part.id:
            return upload
        parts, size_left = self._room[project, part.upload_id]
        if parts < 1 or size_left < part.bytes:
            return None
        self._room[project, part.upload_id] = (parts - 1, size_left - part.bytes)
        self._last_reserved[project, part.upload_id] = part.id
        return upload

    def close(self, project: str, upload: Upload, pending: PendingFile | None = None) -> bool:
        known = self.get(project, upload.id)
        if known is None or known.status != "pending":
            return False
        if pending:
            self._files.add_pending(project, pending)
        removable_at = pending.expires_at if pending else upload.expires_at + TRANSFER_SECONDS
        self._write(project, upload, removable_at)
        return True

    def release_part(self, project: str, part: Part) -> None:
        parts, size_left = self._room[project, part.upload_id]
        self._room[project, part.upload_id] = (parts + 1, size_left + part.bytes)

    def add_part(self, project: str, part: Part) -> None:
        self._parts.setdefault((project, part.upload_id), {})[part.id] = part

    def has_part(self, project: str, upload_id: str, part_id: str) -> bool:
        return part_id in self._parts.get((project, upload_id), {})

    def parts(self, project: str, upload_id: str) -> list[Part]:
        parts = self._parts.get((project, upload_id), {})
        return [parts[part_id] for part_id in sorted(parts)]

    def delete_parts(self, project: str, upload_id: str) -> None:
        for part in self.parts(project, upload_id):
            self.delete_part(project, part)

    def delete_part(self, project: str, part: Part) -> None:
        """Deletes one part; `delete_parts` can be interrupted between two of them."""
        if self._parts[project, part.upload_id].pop(part.id, None):
            self.stream.append(RemovedPart(project, part.upload_id, part.id))

    def items(self) -> list[ItemKey]:
        """The project and the sort key of each item."""
        uploads = [(project, sort_key(Kind.UPLOAD, id)) for project, id in self._uploads]
        parts = [
            (project, sort_key(Kind.PART, upload_id, part_id))
            for (project, upload_id), parts in self._parts.items()
            for part_id in parts
        ]
        return uploads + parts

    def expire(self, item: ItemKey, now: float) -> None:
        """Deletes an upload or a part that has expired, as the table's TTL does at some time."""
        project, (kind, ids) = item[0], parse_sort_key(item[1])
        if kind is Kind.PART:
            for part in self.parts(project, ids[0]):
                if part.id == ids[1] and part.created_at + PART_LIFETIME_SECONDS <= now:
                    self.delete_part(project, part)
        elif self._removable_at.get((project, ids[0]), now + 1) <= now and kind is Kind.UPLOAD:
            self.forget(project, ids[0])

    def forget(self, project: str, upload_id: str) -> None:
        """Deletes an upload's own item, as the table's TTL does."""
        del self._uploads[project, upload_id], self._removable_at[project, upload_id]
        self.stream.append(RemovedUpload(project, upload_id))

    def _write(self, project: str, upload: Upload, removable_at: int) -> None:
        self._uploads[project, upload.id] = upload
        self._removable_at[project, upload.id] = removable_at


class MemoryExpiryQueue:
    """`ports.ExpiryQueue` as a list.

    Attributes:
        sent: the projects whose expired files are to be deleted.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, project: str) -> None:
        self.sent.append(project)


class MemoryAssemblyQueue:
    """`ports.AssemblyQueue` as a list.

    Attributes:
        sent: project and upload of each assembly that has been requested.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, project: str, upload_id: str) -> None:
        self.sent.append((project, upload_id))
