"""The blob check: a look at each blob, 15 minutes after it was created.

By now every event has arrived: a blob without an owner is an orphan and is deleted; unfinished work
is resumed.
"""

import time
from collections.abc import Callable

from files_api.service.blob_keys import FileBlob, PartBlob
from files_api.service.files import Files
from files_api.service.ports import (
    AssemblyQueue,
    Blobs,
    DirectParts,
    FileRecords,
    UploadRecords,
)
from files_api.service.purge import Purge


class BlobCheck:
    """Deletes orphans and resumes unfinished work.

    Args:
        records: metadata of files.
        uploads: metadata of uploads and parts.
        blobs: bytes of files and parts.
        parts: parts of direct uploads.
        queue: starts an assembly that no caller waits for.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: FileRecords,
        uploads: UploadRecords,
        blobs: Blobs,
        parts: DirectParts,
        queue: AssemblyQueue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._uploads = uploads
        self._blobs = blobs
        self._queue = queue
        self._clock = clock
        self._files = Files(records, blobs, parts, clock)
        self._purge = Purge(records, uploads, blobs, parts)

    def check(self, blob: FileBlob | PartBlob) -> None:
        """Looks at a blob that was created some minutes ago."""
        match blob:
            case PartBlob():
                self._check_part(blob)
            case FileBlob(project, file_id, direct=True):
                self._files.finalize(project, file_id)
            case FileBlob():
                self._purge.delete_unowned(blob)

    def _check_part(self, blob: PartBlob) -> None:
        project, upload_id = blob.project, blob.upload_id
        if not self._uploads.has_part(project, upload_id, blob.part_id):
            self._blobs.delete(blob.key)
            return
        upload = self._uploads.get(project, upload_id)
        if upload and upload.status == "pending":
            return  # it still accepts parts, or has expired and will be purged with its parts
        pending = None
        if upload and upload.file_id:
            pending = self._records.get_pending(project, upload.file_id)
        if upload is None or pending is None or not pending.assembling:
            self._uploads.delete_parts(project, upload_id)
        elif pending.assembly_stalled(self._clock()) and blob.part_id == max(upload.part_ids):
            self._queue.send(project, upload_id)  # once per upload, not once per part
