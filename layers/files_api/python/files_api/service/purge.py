"""The purge: deletes what a deleted or expired record has left behind.

Every step may run twice, late and in any order: it deletes only bytes that nothing owns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from files_api.service.blob_keys import FileBlob, PartBlob, part_prefix
from files_api.service.model import File
from files_api.service.ports import Blobs, DirectParts, FileRecords, UploadRecords


@dataclass(frozen=True, slots=True)
class RemovedFile:
    """One of the two items of a file is gone.

    Attributes:
        project: owner of the file.
        file: the file.
    """

    project: str
    file: File

    @property
    def key(self) -> str:
        """Where its bytes are, or were."""
        return self.file.blob_key(self.project)


@dataclass(frozen=True, slots=True)
class RemovedPendingFile:
    """A pending file is gone: finalized, deleted or expired.

    Attributes:
        project: owner of the file.
        file: the file.
        multipart_id: the store's id of its direct upload, if that was in parts.
    """

    project: str
    file: File
    multipart_id: str | None = None

    @property
    def key(self) -> str:
        """Where its bytes are, or were."""
        return self.file.blob_key(self.project)


@dataclass(frozen=True, slots=True)
class RemovedUpload:
    """An upload is gone, long after its end."""

    project: str
    upload_id: str

    @property
    def key(self) -> str:
        """Where the bytes of its parts are, or were."""
        return part_prefix(self.project, self.upload_id)


@dataclass(frozen=True, slots=True)
class RemovedPart:
    """A part is gone: assembled, cancelled or expired."""

    project: str
    upload_id: str
    part_id: str

    @property
    def key(self) -> str:
        """Where its bytes are, or were."""
        return PartBlob(self.project, self.upload_id, self.part_id).key


@dataclass(frozen=True, slots=True)
class RemovedNote:
    """What was made by an idempotency key is noted no longer, which leaves nothing behind."""

    project: str
    hash: str

    @property
    def key(self) -> str:
        """There are no bytes."""
        return ""


type Removed = RemovedFile | RemovedNote | RemovedPendingFile | RemovedUpload | RemovedPart


class Purge:
    """Deletes what has lost its owner.

    Args:
        files: metadata of files.
        uploads: metadata of uploads and parts.
        blobs: bytes of files and parts.
        parts: parts of direct uploads.
    """

    def __init__(
        self, files: FileRecords, uploads: UploadRecords, blobs: Blobs, parts: DirectParts
    ) -> None:
        self._files = files
        self._uploads = uploads
        self._blobs = blobs
        self._parts = parts

    def removed(self, records: Sequence[Removed]) -> set[Removed]:
        """Deletes what removed records have left behind; returns those to be tried again.

        If it raises, all of them are. A large batch takes few requests.
        """
        files, pending = set[tuple[str, File]](), dict[FileBlob, str | None]()
        keys = set[str]()
        for record in records:
            match record:
                case RemovedPendingFile(project, file, multipart_id):
                    pending[FileBlob(project, file.id, file.direct)] = multipart_id
                case RemovedFile(project, file):
                    files.add((project, file))
                    keys.add(record.key)
                case RemovedUpload(project, upload_id):
                    self._uploads.delete_parts(project, upload_id)
                case RemovedPart():
                    keys.add(record.key)
                case RemovedNote():
                    pass
        self._files.delete_leftovers(files)
        # Of those that were finalized, a file owns the bytes now.
        for blob in pending.keys() - self._files.owned(pending):
            if multipart_id := pending[blob]:
                self._parts.abort(blob.key, multipart_id)
            keys.add(blob.key)
        failed = self._blobs.delete_all(keys)
        return {record for record in records if record.key in failed}

    def delete_unowned(self, blob: FileBlob) -> None:
        """Deletes the bytes of a file if neither a file nor a pending file owns them."""
        if not self._files.owned({blob}):
            self._blobs.delete(blob.key)
