"""Uploads: a file that is sent in parts. Opened, filled, cancelled; `completion` is their end.

Each part is a blob of its own until the upload is completed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from files_api.service.blob_keys import PartBlob
from files_api.service.errors import (
    EmptyFile,
    FileTooLarge,
    InvalidValue,
    RateLimitExceeded,
    UploadNotFound,
)
from files_api.service.filenames import clean
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import creation_time, is_id, new_id
from files_api.service.limits import Limits
from files_api.service.model import (
    MAX_ADDED_PARTS,
    MAX_DIRECT_BYTES,
    MAX_UPLOAD_SECONDS,
    PUT_URL_SECONDS,
    TRANSFER_SECONDS,
    NewFile,
    Part,
    PresignedUrl,
    Upload,
)
from files_api.service.ports import Blobs, UploadRecords
from files_api.service.storage import Storage
from files_api.service.terms import Terms

UPLOAD_SECONDS = 3_600  # OpenAI: "the Upload … expires an hour after you create it"
# Each new part extends the upload by this much at least, so an upload of any size can finish.
PART_SECONDS = 1_800
ANY = Terms()


class Uploads:
    """Opens uploads.

    Args:
        records: metadata of uploads.
        limits: what the deployment accepts.
        storage: whether a project may store more.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: UploadRecords,
        limits: Limits,
        storage: Storage,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._limits = limits
        self._storage = storage
        self._clock = clock

    def create(self, project: str, new: NewFile, terms: Terms = ANY) -> Upload:
        """Opens an upload for a file.

        Args:
            project: owner of the file.
            new: the file.
            terms: the caller's.

        Raises:
            InvalidValue, EmptyFile, FileTooLarge, StorageLimitExceeded, IdempotencyKeyReused.
        """
        by, new = terms.key("upload", new), self._limits.accepted(new)
        if by and (made := self._records.made(project, by, int(self._clock()))):
            return made
        self._storage.check(project, terms.quota, new.size)
        upload_id = new_id(int(self._clock() * 1e9))
        created_at = creation_time(upload_id)
        upload = Upload(
            id=upload_id,
            bytes=new.size,
            created_at=created_at,
            filename=clean(new.filename),
            purpose=new.purpose,
            mime_type=new.mime_type or "",
            expires_at=created_at + UPLOAD_SECONDS,
            lifetime=new.lifetime,
        )
        if self._records.open(project, upload, by):
            return upload
        made = self._records.made(project, by, created_at) if by else None
        if made is None:
            raise RateLimitExceeded  # a racing call's key has ended since: the caller tries again
        return made


class Cancellation:
    """Cancels uploads.

    Args:
        records: metadata of uploads.
        clock: Unix seconds.
    """

    def __init__(self, records: UploadRecords, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    def cancel(self, project: str, upload_id: str) -> Upload:
        """Ends an upload; its parts are deleted. Raises UploadNotFound, InvalidValue."""
        upload = existing(self._records, project, upload_id)
        if upload.status == "cancelled":  # by a call that may have been interrupted
            self._records.delete_parts(project, upload_id)
        check_open(upload, self._clock())
        upload = replace(upload, status="cancelled")
        if not self._records.close(project, upload):  # another call has closed it
            check_open(existing(self._records, project, upload_id), self._clock())
        self._records.delete_parts(project, upload_id)
        return upload


class Parts:
    """Adds parts to uploads.

    Args:
        records: metadata of uploads and parts.
        blobs: bytes of parts.
        clock: Unix seconds.
    """

    def __init__(
        self, records: UploadRecords, blobs: Blobs, clock: Callable[[], float] = time.time
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._clock = clock

    def add(self, project: str, upload_id: str, content: bytes) -> Part:
        """Stores a part. Raises EmptyFile, FileTooLarge, UploadNotFound, InvalidValue."""
        if not content:
            raise EmptyFile("data")
        if len(content) > MAX_INLINE_BYTES:
            raise FileTooLarge.for_part_in_request_body(MAX_INLINE_BYTES)
        part = self._new_part(project, upload_id, len(content), PART_SECONDS)
        try:
            self._blobs.put(PartBlob(project, upload_id, part.id).key, content)
            self._records.add_part(project, part)
        except Exception:  # so that the caller can send it again
            with suppress(Exception):
                self._records.release_part(project, part)
            raise
        return part

    def presign(
        self, project: str, upload_id: str, size: int, sha256: str | None
    ) -> tuple[Part, PresignedUrl]:
        """Adds a part of `size` bytes, which the client sends to S3.

        Args:
            project: owner of the upload.
            upload_id: id of the upload.
            size: bytes of the part.
            sha256: of its content, in hex; S3 then refuses any other content.

        Returns:
            The part, and the URL to PUT its bytes to.

        Raises:
            FileTooLarge, UploadNotFound, InvalidValue.
        """
        if size > MAX_DIRECT_BYTES:
            raise FileTooLarge.for_presigned_part(MAX_DIRECT_BYTES)
        transfer = PUT_URL_SECONDS + TRANSFER_SECONDS * size // MAX_DIRECT_BYTES
        part = self._new_part(project, upload_id, size, max(PART_SECONDS, transfer))
        self._records.add_part(project, part)
        key = PartBlob(project, upload_id, part.id).key
        return part, self._blobs.presign_put(key, size, sha256, PUT_URL_SECONDS)

    def _new_part(self, project: str, upload_id: str, size: int, seconds: int) -> Part:
        """A new part; extends the upload so that it stays open for some seconds at least.

        Raises UploadNotFound, InvalidValue.
        """
        part_id = new_id(int(self._clock() * 1e9))
        now = creation_time(part_id)
        part = Part(part_id, upload_id, size, now)
        upload = self._records.reserve_part(project, part, now) if is_id(upload_id) else None
        if upload is None:
            check_open(existing(self._records, project, upload_id), now)
            raise InvalidValue(
                "upload_id",
                f"the upload accepts at most {MAX_ADDED_PARTS} parts, and half as many bytes again "
                "as it was created for, including parts that are sent again.",
            )
        until = min(now + seconds, upload.created_at + MAX_UPLOAD_SECONDS)
        if upload.expires_at < until and not self._records.extend(project, upload_id, until):
            check_open(existing(self._records, project, upload_id), now)
        return part


def existing(records: UploadRecords, project: str, upload_id: str) -> Upload:
    """The project's upload, open or closed. Raises UploadNotFound."""
    upload = records.get(project, upload_id) if is_id(upload_id) else None
    if upload is None:
        raise UploadNotFound(upload_id)
    return upload


def check_open(upload: Upload, now: float) -> None:
    """Rejects an upload that accepts no parts at `now` (Unix seconds). Raises InvalidValue."""
    status = upload.status_at(now)
    if status != "pending":
        raise InvalidValue("upload_id", f"the upload is {status}.")
