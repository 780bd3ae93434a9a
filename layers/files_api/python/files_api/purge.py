"""What a deletion, an expiry or a crash leaves behind, and its removal. Knows no AWS.

Everything here may be done twice, late and in any order: it removes only what nothing owns.
"""

from files_api.model import File, blob_key, part_key
from files_api.ports import Blobs, Records, UploadRecords


class Purge:
    """Removes what has lost its owner.

    Args:
        records: where files are known.
        uploads: where uploads and parts are.
        blobs: where the bytes are.
    """

    def __init__(self, records: Records, uploads: UploadRecords, blobs: Blobs) -> None:
        self._records = records
        self._uploads = uploads
        self._blobs = blobs

    def file_removed(self, project: str, file: File) -> None:
        """A file's record is gone, by a call or by its expiry: so goes the rest of it."""
        self._records.remove_rest(project, file)
        self._blobs.delete(file.key(project))

    def promise_removed(self, project: str, file: File) -> None:
        """A promise is gone: kept, and then the file owns the bytes, or off, and nothing does."""
        self.remove_unowned(project, file.id, direct=file.direct)

    def upload_removed(self, project: str, upload_id: str) -> None:
        """An upload is gone, long after its end: so go the parts that are left of it, if any."""
        self._uploads.remove_parts(project, upload_id)

    def part_removed(self, project: str, upload_id: str, part_id: str) -> None:
        """A part is gone, assembled, cancelled or expired: so go its bytes."""
        self._blobs.delete(part_key(project, upload_id, part_id))

    def assembly_failed(self, project: str, upload_id: str) -> None:
        """An upload will never become a file: the file says so, and the parts go."""
        upload = self._uploads.get(project, upload_id)
        if upload and upload.file_id:
            pending = self._records.pending(project, upload.file_id)
            if pending and pending.in_parts:
                self._records.amend(project, pending.failed("It could not be put together."))
                self._blobs.abandon(pending.file.key(project))
        self._uploads.remove_parts(project, upload_id)

    def remove_unowned(self, project: str, file_id: str, *, direct: bool) -> None:
        """Removes a file's bytes if neither a record nor a promise owns them."""
        # The promise first: it becomes the file, never the other way round.
        pending = self._records.pending(project, file_id)
        file = pending.file if pending else self._records.get(project, file_id)
        if file is None or file.direct != direct:
            self._blobs.delete(blob_key(project, file_id, direct=direct))
