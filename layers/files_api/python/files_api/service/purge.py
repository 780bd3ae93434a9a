"""The purge: deletes what a deleted or expired record has left behind.

Every step may run twice, late and in any order: it deletes only bytes that nothing owns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from files_api.service.blob_keys import FileBlob, PartBlob, part_prefix
from files_api.service.model import File
from files_api.service.ports import Blobs, FileRecords, UploadRecords


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
    """

    project: str
    file: File

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


type Removed = RemovedFile | RemovedPendingFile | RemovedUpload | RemovedPart


class Purge:
    """Deletes what has lost its owner.

    Args:
        files: metadata of files.
        uploads: metadata of uploads and parts.
        blobs: bytes of files and parts.
    """

    def __init__(self, files: FileRecords, uploads: UploadRecords, blobs: Blobs) -> None:
        self._files = files
        self._uploads = uploads
        self._blobs = blobs

    def removed(self, records: Sequence[Removed]) -> set[Removed]:
        """Deletes what removed records have left behind; returns those to be tried again.

        If it raises, all of them are. A large batch takes few requests.
        """
        files, unowned = set[tuple[str, File]](), set[FileBlob]()
        keys = set[str]()
        for record in records:
            match record:
                case RemovedPendingFile(project, file):  # if finalized, the file owns the bytes
                    unowned.add(FileBlob(project, file.id, file.direct))
                case RemovedFile(project, file):
                    files.add((project, file))
                    keys.add(record.key)
                case RemovedUpload(project, upload_id):
                    self._uploads.delete_parts(project, upload_id)
                case RemovedPart():
                    keys.add(record.key)
        self._files.delete_leftovers(files)
        failed = self._blobs.delete_all(keys | self._unowned(unowned))
        return {record for record in records if record.key in failed}

    def delete_unowned(self, blob: FileBlob) -> None:
        """Deletes the bytes of a file if neither a file nor a pending file owns them."""
        for key in self._unowned({blob}):
            self._blobs.delete(key)

    def _unowned(self, blobs: set[FileBlob]) -> set[str]:
        return {blob.key for blob in blobs - self._files.owned(blobs)}
