"""Makes files of completed uploads. Knows no AWS.

However often it breaks off, it goes on where it was: parts stay until the file is there, and a
promise becomes a file once.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.model import File, Pending, Upload, blob_key, part_key, part_keys
from files_api.ports import Blobs, Later, Records, UploadRecords
from files_api.segments import Segment, plan

# How long an assembly may take, all tries together, before the file's promise is off.
ASSEMBLY_SECONDS = 24 * 3_600

# How long one run begins anything new: what was begun by then, and the request that makes one
# object of 10,000 parts, take some of the time that a function has (`ASSEMBLY_RUN_SECONDS`).
_RUN_SECONDS = 600


class Assembly:
    """Makes a completed upload's parts one file.

    Args:
        uploads: where uploads and parts are known.
        records: where files are.
        blobs: where the bytes are.
        later: runs it again where one run is not enough.
        clock: Unix seconds.
    """

    def __init__(
        self,
        uploads: UploadRecords,
        records: Records,
        blobs: Blobs,
        later: Later,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._uploads = uploads
        self._records = records
        self._blobs = blobs
        self._later = later
        self._clock = clock

    def run(self, project: str, upload_id: str) -> None:
        """Assembles a completed upload, or goes on with it. Done again, it changes nothing."""
        now = int(self._clock())
        upload = self._uploads.get(project, upload_id)
        if upload is None or upload.file_id is None:
            return
        pending = self._records.pending(project, upload.file_id)
        if pending and pending.in_parts and not pending.off(now):
            pending = replace(pending, begun_at=now)
            self._records.amend(project, pending)  # so that nobody begins another meanwhile
            if not self._assemble(project, upload, pending, now + _RUN_SECONDS):
                self._later.assemble(project, upload_id)
                return
        else:
            self._blobs.abandon(blob_key(project, upload.file_id, direct=False))
        self._uploads.remove_parts(project, upload_id)

    def _assemble(self, project: str, upload: Upload, pending: Pending, until: float) -> bool:
        """Whether the file is there now, or never will be."""
        sizes = self._blobs.sizes(part_key(project, upload.id, ""))
        keys = part_keys(project, upload.id, upload.part_ids)
        problem = None
        if not set(keys) <= set(sizes):
            problem = "A part of the file is missing."
        elif upload.md5 and not pending.checked:
            if self._blobs.md5(keys) != upload.md5:
                problem = "The md5 does not match the content."
            else:  # which takes long, and need not be done again where a run is not enough
                self._records.amend(project, replace(pending, checked=True))
        if problem:
            self._records.amend(project, pending.failed(problem))
            return True
        segments = plan((key, sizes[key]) for key in keys)
        return self.finish(project, pending.file, segments, until, again=True) is not None

    def finish(
        self,
        project: str,
        file: File,
        segments: list[Segment],
        until: float,
        *,
        again: bool = False,
    ) -> File | None:
        """Makes the segments the file; see `Blobs.assemble`. Returns it, processed, if done."""
        if not self._blobs.assemble(file.key(project), segments, until, again=again):
            return None
        file = replace(file, status="processed")
        if not self._records.keep(project, file) and not self._records.get(project, file.id):
            self._blobs.delete(file.key(project))  # deleted, or given up, while it was assembled
        return file
