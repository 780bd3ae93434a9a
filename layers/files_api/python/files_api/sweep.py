"""A look at every object, some minutes after it came to be. Knows no AWS.

By then the call that it came by is over, and its events have come. So what has no owner never will
have one, and is removed; what should have been done with it, and was not, is done now.
"""

import time
from collections.abc import Callable

from files_api.files import Files
from files_api.model import FileKey, PartKey, parse_key, part_key
from files_api.ports import Blobs, Later, Records, UploadRecords
from files_api.purge import Purge


class Sweep:
    """Leaves no object half-way.

    Args:
        records: where files are known.
        uploads: where uploads and parts are.
        blobs: where the bytes are.
        later: starts an assembly that nobody waits for.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: Records,
        uploads: UploadRecords,
        blobs: Blobs,
        later: Later,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._uploads = uploads
        self._blobs = blobs
        self._later = later
        self._clock = clock
        self._files = Files(records, blobs, clock)
        self._purge = Purge(records, uploads, blobs)

    def blob_created(self, key: str) -> None:
        """Bytes came to be some minutes ago. Raises ValueError for a key that is not of ours."""
        match parse_key(key):
            case PartKey(project, upload_id, part_id):
                self._part_created(project, upload_id, part_id)
            case FileKey(project, file_id, direct=True):
                self._files.settle(project, file_id)
            case FileKey(project, file_id):
                self._purge.remove_unowned(project, file_id, direct=False)

    def _part_created(self, project: str, upload_id: str, part_id: str) -> None:
        if not self._uploads.has_part(project, upload_id, part_id):
            self._blobs.delete(part_key(project, upload_id, part_id))
            return
        upload = self._uploads.get(project, upload_id)
        if upload and upload.status == "pending":
            return  # it takes parts still, or has expired: then they go with it
        pending = upload and upload.file_id and self._records.pending(project, upload.file_id)
        if not upload or not pending or not pending.in_parts:
            self._uploads.remove_parts(project, upload_id)
        elif pending.waits(self._clock()) and part_id == max(upload.part_ids):  # not once a part
            self._later.assemble(project, upload_id)
