"""The end of an upload: its parts become a file. Knows neither HTTP nor AWS.

What can be done while the caller waits is done at once; the rest is left to `Assembly`, later.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.assembly import ASSEMBLY_SECONDS, Assembly
from files_api.errors import InvalidValue
from files_api.intake import new_file
from files_api.model import File, Pending, Upload, part_key, part_keys
from files_api.observability import logger
from files_api.ports import Blobs, Later, Records, UploadRecords
from files_api.segments import MAX_PARTS, Segment, merged_bytes, plan
from files_api.uploads import check_open, existing

# What should fit the gateway's 29 s: copies run inside S3, many at a time; merges come through.
_AT_ONCE_BYTES = 1024**3
_AT_ONCE_MERGED_BYTES = 128 * 1024**2
_AT_ONCE_PIECES = 256
# Where it does not fit after all, nothing more is begun after so long, and the rest is done later.
_AT_ONCE_SECONDS = 8

# What is read for its MD5 comes through one function, which Lambda lets run for 15 minutes: at 60
# MB/s, five of these.
MAX_MD5_BYTES = 16 * 1024**3


class Completion:
    """The completion of a project's uploads.

    Args:
        uploads: where uploads and parts are known.
        records: where files are.
        blobs: where the bytes are.
        assembly: makes files of parts.
        later: starts an assembly that nobody waits for.
        clock: Unix seconds.
    """

    def __init__(
        self,
        uploads: UploadRecords,
        records: Records,
        blobs: Blobs,
        *,
        assembly: Assembly,
        later: Later,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._uploads = uploads
        self._records = records
        self._blobs = blobs
        self._assembly = assembly
        self._later = later
        self._clock = clock

    def complete(
        self, project: str, upload_id: str, part_ids: tuple[str, ...], md5: str | None = None
    ) -> tuple[Upload, File | None]:
        """Makes a file of the parts, in the order of their ids. Done again, it says the same.

        Returns:
            The upload, and its file: `processed`, or `uploaded` where assembling takes longer;
            None where it was deleted or has expired since.

        Raises:
            UploadNotFound, InvalidValue.
        """
        upload = existing(self._uploads, project, upload_id)
        if upload.status == "completed":
            return upload, self._completed(project, upload)
        check_open(upload, self._clock())
        return self._complete(project, upload, part_ids, md5 and md5.lower())

    def _complete(
        self, project: str, upload: Upload, part_ids: tuple[str, ...], md5: str | None
    ) -> tuple[Upload, File | None]:
        until = self._clock() + _AT_ONCE_SECONDS
        segments = self._planned(project, upload, part_ids)
        at_once = (
            upload.bytes <= _AT_ONCE_BYTES
            and sum(map(len, segments)) <= _AT_ONCE_PIECES
            and (upload.bytes if md5 else merged_bytes(segments)) <= _AT_ONCE_MERGED_BYTES
        )
        if md5:
            self._check_md5(project, upload, part_ids, md5, at_once=at_once)
        file = new_file(
            upload.filename, upload.purpose, upload.bytes, upload.lifetime, self._clock()
        )
        file = replace(file, status="uploaded")
        upload = replace(upload, status="completed", file_id=file.id, part_ids=part_ids, md5=md5)
        promise = Pending(file, int(self._clock()) + ASSEMBLY_SECONDS)
        if not self._uploads.close(project, upload, promise):
            return self.complete(project, upload.id, part_ids, md5)  # somebody was faster
        done = None
        if at_once:
            try:
                done = self._assembly.finish(project, file, segments, until)
            except Exception:
                logger().exception("not assembled at once, to be tried later")
        if done:
            self._uploads.remove_parts(project, upload.id)
        else:
            self._later.assemble(project, upload.id)
        return upload, done or file

    def _completed(self, project: str, upload: Upload) -> File | None:
        """The file that the upload became, or becomes; None where it is gone."""
        file_id = upload.file_id or ""
        # The promise first: it becomes the file, never the other way round.
        pending = self._records.pending(project, file_id)
        if pending is None or pending.off(self._clock()):
            file = self._records.get(project, file_id)
        else:
            file = pending.file
            if pending.waits(self._clock()):  # whoever was to assemble it may have died
                self._later.assemble(project, upload.id)
        return None if file is None or file.expired(self._clock()) else file

    def _planned(self, project: str, upload: Upload, part_ids: tuple[str, ...]) -> list[Segment]:
        """How to assemble these parts. Raises InvalidValue if they are not the upload's bytes."""
        if not part_ids or len(set(part_ids)) < len(part_ids) or len(part_ids) > MAX_PARTS:
            raise InvalidValue("part_ids", f"must name 1 to {MAX_PARTS} parts, each once.")
        parts = {part.id: part for part in self._uploads.parts(project, upload.id)}
        sizes = self._blobs.sizes(part_key(project, upload.id, ""))
        objects = []
        for part_id in part_ids:
            if part_id not in parts:
                raise InvalidValue("part_ids", f"{part_id} is no part of this upload.")
            key = part_key(project, upload.id, part_id)
            if sizes.get(key) != parts[part_id].bytes:
                raise InvalidValue("part_ids", f"{part_id} has no content yet.")
            objects.append((key, parts[part_id].bytes))
        total = sum(size for _, size in objects)
        if total != upload.bytes:
            raise InvalidValue(
                "part_ids",
                f"these parts have {total} bytes, the upload was to have {upload.bytes}.",
            )
        return plan(objects)

    def _check_md5(
        self, project: str, upload: Upload, part_ids: tuple[str, ...], md5: str, *, at_once: bool
    ) -> None:
        """Raises InvalidValue for a wrong MD5, if that can be said at once, or never."""
        if upload.bytes > MAX_MD5_BYTES:
            raise InvalidValue(
                "md5",
                f"it is checked for up to {MAX_MD5_BYTES} bytes. For more, leave it out, and "
                "promise each part with its sha256.",
            )
        keys = part_keys(project, upload.id, part_ids)
        if at_once and self._blobs.md5(keys) != md5:
            raise InvalidValue("md5", "it is not that of the parts in this order.")
