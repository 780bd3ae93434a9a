"""Completion: an upload's parts become a file.

Small uploads are assembled while the caller waits; for others, the assembly queue takes over.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from files_api.observability import logger
from files_api.service.assembly import Assembly
from files_api.service.blob_keys import PartBlob, part_keys, part_prefix
from files_api.service.errors import InvalidValue
from files_api.service.intake import created
from files_api.service.model import ASSEMBLY_SECONDS, File, PendingFile, Upload
from files_api.service.ports import AssemblyQueue, Blobs, FileRecords, UploadRecords
from files_api.service.segments import MAX_PARTS, Segment, merged_bytes, plan
from files_api.service.uploads import check_open, existing

# What should fit the gateway's 29 s. Copies run inside S3, many at a time; merged bytes pass
# through the function.
AT_ONCE_BYTES = 1024**3
AT_ONCE_MERGED_BYTES = 128 * 1024**2
AT_ONCE_PIECES = 256
# If it does not fit after all, no request starts after this long; the queue takes over.
AT_ONCE_SECONDS = 8

# Content is read through one function to get its MD5. Lambda lets that run for 15 minutes: at 60
# MB/s this takes five.
MAX_MD5_BYTES = 16 * 1024**3


class Completion:
    """Completes uploads.

    Args:
        uploads: metadata of uploads and parts.
        records: metadata of files.
        blobs: bytes of files and parts.
        assembly: makes parts one file.
        queue: starts an assembly that no caller waits for.
        clock: Unix seconds.
        at_once_bytes: the largest file that is assembled while the caller waits.
    """

    def __init__(
        self,
        uploads: UploadRecords,
        records: FileRecords,
        blobs: Blobs,
        *,
        assembly: Assembly,
        queue: AssemblyQueue,
        clock: Callable[[], float] = time.time,
        at_once_bytes: int = AT_ONCE_BYTES,
    ) -> None:
        self._uploads = uploads
        self._records = records
        self._blobs = blobs
        self._assembly = assembly
        self._queue = queue
        self._clock = clock
        self._at_once_bytes = at_once_bytes

    def complete(
        self, project: str, upload_id: str, part_ids: tuple[str, ...], md5: str | None = None
    ) -> tuple[Upload, File | None]:
        """Makes the parts, in the order of their ids, a file. Repeating the same call is safe.

        Returns:
            The upload, and its file: `processed`, or `uploaded` if assembling takes longer; None
            if the file was deleted or has expired since.

        Raises:
            UploadNotFound, InvalidValue.
        """
        md5 = md5 and md5.lower()
        upload = existing(self._uploads, project, upload_id)
        if upload.status == "completed":
            _check_repeated(upload, part_ids, md5)
            return upload, self._completed(project, upload)
        check_open(upload, self._clock())
        return self._complete(project, upload, part_ids, md5)

    def _complete(
        self, project: str, upload: Upload, part_ids: tuple[str, ...], md5: str | None
    ) -> tuple[Upload, File | None]:
        deadline = self._clock() + AT_ONCE_SECONDS
        segments = self._plan(project, upload, part_ids)
        at_once = (
            upload.bytes <= self._at_once_bytes
            and sum(map(len, segments)) <= AT_ONCE_PIECES
            and (upload.bytes if md5 else merged_bytes(segments)) <= AT_ONCE_MERGED_BYTES
        )
        if md5:
            self._check_md5(project, upload, part_ids, md5, at_once=at_once)
        file = replace(created(upload.new_file(), self._clock()), status="uploaded")
        upload = replace(upload, status="completed", file_id=file.id, part_ids=part_ids, md5=md5)
        pending = PendingFile(file, int(self._clock()) + ASSEMBLY_SECONDS)
        if not self._uploads.close(project, upload, pending):  # another call was faster
            return self.complete(project, upload.id, part_ids, md5)
        processed = None
        if at_once:
            try:
                processed = self._assembly.finish(project, file, segments, deadline)
            except Exception:
                logger().exception(
                    "Assembly failed and will be retried by AssembleUpload",
                    extra={"project": project, "upload_id": upload.id},
                )
        if processed:
            self._uploads.delete_parts(project, upload.id)
        else:
            self._start_assembly(project, upload, pending)
        return upload, processed or file

    def _start_assembly(self, project: str, upload: Upload, pending: PendingFile) -> None:
        try:
            self._queue.send(project, upload.id)
        except Exception:  # so that the repeated call sends it at once
            with suppress(Exception):
                self._records.update_pending(project, replace(pending, assembly_started_at=0))
            raise

    def _completed(self, project: str, upload: Upload) -> File | None:
        """The file that the upload became or is becoming; None if it is gone."""
        file_id = upload.file_id or ""
        # The pending file first: it becomes the file, never the other way round.
        pending = self._records.get_pending(project, file_id)
        if pending is None or pending.expired(self._clock()):
            file = self._records.get(project, file_id)
        else:
            file = pending.file
            now = self._clock()
            if pending.assembly_stalled(now) and not pending.completing(now):
                self._queue.send(project, upload.id)
        return None if file is None or file.expired(self._clock()) else file

    def _plan(self, project: str, upload: Upload, part_ids: tuple[str, ...]) -> list[Segment]:
        """How to assemble these parts. Raises InvalidValue if they do not add up to the upload."""
        if not part_ids or len(set(part_ids)) < len(part_ids) or len(part_ids) > MAX_PARTS:
            raise InvalidValue("part_ids", f"must name 1 to {MAX_PARTS} parts, each once.")
        parts = {part.id: part for part in self._uploads.parts(project, upload.id)}
        sizes = self._blobs.sizes(part_prefix(project, upload.id))
        blobs = []
        for part_id in part_ids:
            if part_id not in parts:
                raise InvalidValue("part_ids", f"{part_id} is not a part of this upload.")
            key = PartBlob(project, upload.id, part_id).key
            if sizes.get(key) != parts[part_id].bytes:
                raise InvalidValue("part_ids", f"{part_id} has no content yet.")
            blobs.append((key, parts[part_id].bytes))
        total = sum(size for _, size in blobs)
        if total != upload.bytes:
            raise InvalidValue(
                "part_ids",
                f"the parts have {total} bytes in total, but the upload was created for "
                f"{upload.bytes} bytes.",
            )
        return plan(blobs)

    def _check_md5(
        self, project: str, upload: Upload, part_ids: tuple[str, ...], md5: str, *, at_once: bool
    ) -> None:
        """Rejects an MD5 that is too expensive to check or, if checked `at_once`, is wrong.

        Raises InvalidValue.
        """
        if upload.bytes > MAX_MD5_BYTES:
            raise InvalidValue(
                "md5",
                f"the MD5 is checked for files of at most {MAX_MD5_BYTES} bytes. For a larger "
                "file, omit it and request each part with its sha256.",
            )
        keys = part_keys(project, upload.id, part_ids)
        if at_once and self._blobs.md5(keys) != md5:
            raise InvalidValue("md5", "the MD5 does not match the parts in the given order.")


def _check_repeated(upload: Upload, part_ids: tuple[str, ...], md5: str | None) -> None:
    """Rejects a call that asks for something else than the one that completed the upload.

    Raises InvalidValue.
    """
    if part_ids != upload.part_ids:
        raise InvalidValue("part_ids", "the upload was completed with other parts.")
    if md5 not in (None, upload.md5):
        raise InvalidValue("md5", "the upload was completed without this MD5.")
