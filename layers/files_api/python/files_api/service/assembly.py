"""Assembly: makes the parts of completed uploads one file.

It can be interrupted at any point and continues where it was: the parts stay until the file is
processed, and a pending file is finalized once.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.service.blob_keys import FileBlob, part_keys, part_prefix
from files_api.service.model import File, PendingFile, Upload
from files_api.service.ports import Assembler, AssemblyQueue, Blobs, FileRecords, UploadRecords
from files_api.service.segments import Segment, plan

# After this long a run starts no more requests. Those under way, and the one that makes a blob of
# up to 10,000 pieces, need the rest of the time that a function has (`ASSEMBLY_RUN_SECONDS`).
RUN_SECONDS = 600


class Assembly:
    """Makes the parts of completed uploads one file.

    Args:
        uploads: metadata of uploads and parts.
        records: metadata of files.
        blobs: bytes of files and parts.
        assembler: makes one blob of several.
        queue: continues an assembly in another run.
        clock: Unix seconds.
    """

    def __init__(
        self,
        uploads: UploadRecords,
        records: FileRecords,
        blobs: Blobs,
        *,
        assembler: Assembler,
        queue: AssemblyQueue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._uploads = uploads
        self._records = records
        self._blobs = blobs
        self._assembler = assembler
        self._queue = queue
        self._clock = clock

    def run(self, project: str, upload_id: str) -> None:
        """Assembles a completed upload, or continues to. Running it again changes nothing."""
        now = int(self._clock())
        upload = self._uploads.get(project, upload_id)
        if upload is None or upload.file_id is None:
            return
        pending = self._records.get_pending(project, upload.file_id)
        if pending and pending.assembling and not pending.expired(now):
            pending = replace(pending, assembly_started_at=now)
            self._records.update_pending(project, pending)  # so that no other run starts meanwhile
            if not self._assemble(project, upload, pending, now + RUN_SECONDS):
                self._queue.send(project, upload_id)
                return
        else:
            self._assembler.abort(FileBlob(project, upload.file_id, direct=False).key)
        self._uploads.delete_parts(project, upload_id)

    def _assemble(
        self, project: str, upload: Upload, pending: PendingFile, deadline: float
    ) -> bool:
        """Ends the assembly, with a file or an error; returns False if the deadline came first."""
        sizes = self._blobs.sizes(part_prefix(project, upload.id))
        keys = part_keys(project, upload.id, upload.part_ids)
        problem = None
        if not set(keys) <= set(sizes):
            problem = "A part of the file is missing."
        elif upload.md5 and not pending.md5_checked:
            if self._blobs.md5(keys) != upload.md5:
                problem = "The MD5 does not match the content."
            else:  # noted, because it takes long: the next run need not do it again
                self._records.update_pending(project, replace(pending, md5_checked=True))
        if problem:
            self._records.update_pending(project, pending.failed(problem))
            return True
        segments = plan((key, sizes[key]) for key in keys)
        file = self.finish(project, pending.file, segments, deadline, resume=True)
        return file is not None

    def finish(
        self,
        project: str,
        file: File,
        segments: list[Segment],
        deadline: float,
        *,
        resume: bool = False,
    ) -> File | None:
        """Assembles the segments and finalizes the file; see `Assembler.assemble`.

        Returns the file, processed; None if the deadline came first.
        """
        key = file.blob_key(project)
        if not self._assembler.assemble(key, segments, deadline, resume=resume):
            return None
        file = replace(file, status="processed")
        if not self._records.finalize(project, file) and not self._records.get(project, file.id):
            self._blobs.delete(key)  # the file was deleted, or has failed, meanwhile
        return file


class FailedAssembly:
    """Records that an upload cannot be assembled.

    Args:
        uploads: metadata of uploads and parts.
        records: metadata of files.
        assembler: makes one blob of several.
    """

    def __init__(self, uploads: UploadRecords, records: FileRecords, assembler: Assembler) -> None:
        self._uploads = uploads
        self._records = records
        self._assembler = assembler

    def record(self, project: str, upload_id: str) -> None:
        """Gives the upload's file the status `error`, for good, and deletes the parts."""
        upload = self._uploads.get(project, upload_id)
        if upload and upload.file_id:
            pending = self._records.get_pending(project, upload.file_id)
            if pending and pending.assembling:
                failed = pending.failed("The parts could not be assembled.")
                self._records.update_pending(project, failed)
                self._assembler.abort(pending.file.blob_key(project))
        self._uploads.delete_parts(project, upload_id)
