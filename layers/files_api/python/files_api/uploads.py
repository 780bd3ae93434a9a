"""The Uploads API: files that come in parts. Knows neither HTTP nor AWS.

Each part is an object of its own until `complete`, which makes them one file inside the store. What
can be done while the caller waits is done at once; the rest is left to `Assembly`, later.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.assembly import MAX_PARTS, Segment, merged_bytes, plan
from files_api.errors import EmptyFile, FileTooLarge, InvalidValue, UploadNotFound
from files_api.filenames import clean
from files_api.files import MAX_INLINE_BYTES
from files_api.ids import creation_time, is_file_id, new_file_id
from files_api.intake import (
    DEFAULT_LIFETIMES,
    MAX_DIRECT_BYTES,
    UPLOAD_LINK_SECONDS,
    check_purpose,
)
from files_api.model import File, Link, Part, Pending, Upload, part_key
from files_api.ports import Blobs, Later, Records, UploadRecords

UPLOAD_SECONDS = 3_600  # OpenAI: "the Upload … expires an hour after you create it"
# How long an assembly may take, its retries included, before its promise is off.
ASSEMBLY_SECONDS = 24 * 3_600

# What surely fits the gateway's 29 s: copies run inside S3, many at a time; merges come through,
# those of one segment a request after the other.
_AT_ONCE_BYTES = 1024**3
_AT_ONCE_MERGED_BYTES = 128 * 1024**2
_AT_ONCE_PIECES = 256


class Assembly:
    """Makes a completed upload's parts one file.

    Args:
        uploads: where uploads and parts are known.
        records: where files are.
        blobs: where the bytes are.
    """

    def __init__(self, uploads: UploadRecords, records: Records, blobs: Blobs) -> None:
        self._uploads = uploads
        self._records = records
        self._blobs = blobs

    def run(self, project: str, upload_id: str) -> None:
        """Assembles a completed upload. Done again, it changes nothing."""
        upload = self._uploads.get(project, upload_id)
        if upload is None or upload.file_id is None:
            return
        pending = self._records.pending(project, upload.file_id)
        if pending and pending.file.status == "uploaded":
            self._assemble(project, upload, pending)
        self._uploads.remove_parts(project, upload_id)

    def _assemble(self, project: str, upload: Upload, pending: Pending) -> None:
        sizes = self._blobs.sizes(part_key(project, upload.id, ""))
        keys = [part_key(project, upload.id, part_id) for part_id in upload.part_ids]
        problem = None
        if not set(keys) <= set(sizes):
            problem = "A part of the file is missing."
        elif upload.md5 and self._blobs.md5(keys) != upload.md5:
            problem = "The md5 does not match the content."
        if problem:
            broken = replace(pending.file, status="error", status_details=problem)
            self._records.amend(project, replace(pending, file=broken))
        else:
            self.finish(project, pending.file, plan((key, sizes[key]) for key in keys))

    def file(self, project: str, upload: Upload) -> File | None:
        """The file that a completed upload became, or becomes."""
        if upload.file_id is None:
            return None
        file = self._records.get(project, upload.file_id)
        if file is None and (pending := self._records.pending(project, upload.file_id)):
            file = pending.file
        return file

    def finish(self, project: str, file: File, segments: list[Segment]) -> File:
        """Makes the segments the file. Returns it, processed."""
        self._blobs.assemble(file.key(project), segments)
        file = replace(file, status="processed")
        if not self._records.keep(project, file) and not self._records.get(project, file.id):
            self._blobs.delete(file.key(project))  # deleted while it was assembled
        return file


class Uploads:
    """A project's uploads.

    Args:
        uploads: where uploads and parts are known.
        blobs: where the bytes are.
        assembly: makes files of parts.
        later: starts an assembly that nobody waits for.
        purposes: what the stack knows as purposes.
        max_file_bytes: the stack's largest file.
        clock: Unix seconds.
    """

    def __init__(
        self,
        uploads: UploadRecords,
        blobs: Blobs,
        *,
        assembly: Assembly,
        later: Later,
        purposes: tuple[str, ...],
        max_file_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._uploads = uploads
        self._blobs = blobs
        self._assembly = assembly
        self._later = later
        self._purposes = purposes
        self._max_file_bytes = max_file_bytes
        self._clock = clock

    def create(
        self,
        project: str,
        *,
        filename: str,
        purpose: str,
        size: int,
        mime_type: str,
        lifetime: int | None = None,
    ) -> Upload:
        """Opens an upload for a file of `size` bytes; see `Intake.promise` for the rest."""
        check_purpose(purpose, self._purposes)
        if size > self._max_file_bytes:
            raise FileTooLarge.for_stack(self._max_file_bytes)
        upload_id = new_file_id(int(self._clock() * 1e9))
        created_at = creation_time(upload_id)
        upload = Upload(
            id=upload_id,
            bytes=size,
            created_at=created_at,
            filename=clean(filename),
            purpose=purpose,
            mime_type=mime_type,
            expires_at=created_at + UPLOAD_SECONDS,
            lifetime=DEFAULT_LIFETIMES.get(purpose) if lifetime is None else lifetime,
        )
        self._uploads.open(project, upload)
        return upload

    def add_part(self, project: str, upload_id: str, content: bytes) -> Part:
        """Stores a part. Raises EmptyFile, FileTooLarge, and what `_open` raises."""
        if not content:
            raise EmptyFile("data")
        if len(content) > MAX_INLINE_BYTES:
            raise FileTooLarge.for_plain_part(MAX_INLINE_BYTES)
        upload = self._open(project, upload_id)
        part = self._new_part(upload, len(content))
        self._blobs.put(part_key(project, upload_id, part.id), content)
        self._add(project, upload, part)
        return part

    def promise_part(
        self, project: str, upload_id: str, size: int, sha256: str | None
    ) -> tuple[Part, Link]:
        """Promises a part of `size` bytes; returns it with the link to PUT its bytes to."""
        if size > MAX_DIRECT_BYTES:
            raise FileTooLarge.for_direct_part(MAX_DIRECT_BYTES)
        upload = self._open(project, upload_id)
        part = self._new_part(upload, size)
        self._add(project, upload, part)
        key = part_key(project, upload_id, part.id)
        return part, self._blobs.put_link(key, size, sha256, UPLOAD_LINK_SECONDS)

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
        upload = self._existing(project, upload_id)
        if upload.status == "completed":
            file = self._assembly.file(project, upload)
            if file and file.status == "uploaded":  # whoever was to assemble it may have died
                self._later.assemble(project, upload_id)
            return upload, None if file and file.expired(self._clock()) else file
        return self._complete(project, self._still_open(upload), part_ids, md5)

    def cancel(self, project: str, upload_id: str) -> Upload:
        """Ends an upload; its parts are removed. Raises UploadNotFound, InvalidValue."""
        upload = replace(self._open(project, upload_id), status="cancelled")
        if not self._uploads.close(project, upload):
            self._open(project, upload_id)  # raises: somebody closed it meanwhile
        self._uploads.remove_parts(project, upload_id)
        return upload

    def _complete(
        self, project: str, upload: Upload, part_ids: tuple[str, ...], md5: str | None
    ) -> tuple[Upload, File | None]:
        segments = self._planned(project, upload, part_ids)
        at_once = (
            upload.bytes <= _AT_ONCE_BYTES
            and sum(map(len, segments)) <= _AT_ONCE_PIECES
            and (upload.bytes if md5 else merged_bytes(segments)) <= _AT_ONCE_MERGED_BYTES
        )
        keys = [part_key(project, upload.id, part_id) for part_id in part_ids]
        if md5 and at_once and self._blobs.md5(keys) != md5.lower():
            raise InvalidValue("md5", "it is not that of the parts in this order.")
        file = self._new_file(upload)
        upload = replace(
            upload, status="completed", file_id=file.id, part_ids=part_ids, md5=md5 and md5.lower()
        )
        promise = Pending(file, int(self._clock()) + ASSEMBLY_SECONDS)
        if not self._uploads.close(project, upload, promise):
            return self.complete(project, upload.id, part_ids, md5)  # somebody was faster
        if at_once:
            file = self._assembly.finish(project, file, segments)
            self._uploads.remove_parts(project, upload.id)
        else:
            self._later.assemble(project, upload.id)
        return upload, file

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

    def _existing(self, project: str, upload_id: str) -> Upload:
        upload = self._uploads.get(project, upload_id) if is_file_id(upload_id) else None
        if upload is None:
            raise UploadNotFound(upload_id)
        return upload

    def _open(self, project: str, upload_id: str) -> Upload:
        """The upload, if it takes parts. Raises UploadNotFound, InvalidValue."""
        return self._still_open(self._existing(project, upload_id))

    def _still_open(self, upload: Upload) -> Upload:
        status = upload.status_at(self._clock())
        if status != "pending":
            raise InvalidValue("upload_id", f"the upload is {status}.")
        return upload

    def _add(self, project: str, upload: Upload, part: Part) -> None:
        if not self._uploads.add_part(project, upload, part):
            self._open(project, upload.id)  # raises: somebody closed it meanwhile

    def _new_part(self, upload: Upload, size: int) -> Part:
        part_id = new_file_id(int(self._clock() * 1e9))
        return Part(part_id, upload.id, size, creation_time(part_id))

    def _new_file(self, upload: Upload) -> File:
        file_id = new_file_id(int(self._clock() * 1e9))
        created_at = creation_time(file_id)
        return File(
            id=file_id,
            bytes=upload.bytes,
            created_at=created_at,
            filename=upload.filename,
            purpose=upload.purpose,
            status="uploaded",
            expires_at=None if upload.lifetime is None else created_at + upload.lifetime,
        )
