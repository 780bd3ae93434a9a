"""New files: with their content, or pending until a direct upload brings it."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from files_api.service.errors import FileTooLarge, RateLimitExceeded
from files_api.service.filenames import clean
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import creation_time, new_id
from files_api.service.limits import Limits
from files_api.service.media_types import stated
from files_api.service.model import (
    DIRECT_PARTS_SECONDS,
    PUT_URL_SECONDS,
    TRANSFER_SECONDS,
    File,
    NewFile,
    PendingFile,
    PresignedUrl,
)
from files_api.service.part_plan import PartPlan, plan
from files_api.service.ports import Blobs, DirectParts, FileRecords
from files_api.service.storage import Storage
from files_api.service.terms import IdempotencyKey, Terms

ANY = Terms()


class Intake:
    """Creates files.

    Args:
        records: metadata of files.
        blobs: bytes of files.
        parts: parts of direct uploads.
        limits: what the deployment accepts.
        storage: whether a project may store more.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: FileRecords,
        blobs: Blobs,
        parts: DirectParts,
        limits: Limits,
        storage: Storage,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._parts = parts
        self._limits = limits
        self._storage = storage
        self._clock = clock

    def create(self, project: str, new: NewFile, content: bytes, terms: Terms = ANY) -> File:
        """Stores a file. If this raises, no reader ever sees any of it.

        Args:
            project: owner of the file.
            new: the file.
            content: its bytes.
            terms: the caller's.

        Raises:
            InvalidValue: for an unknown purpose, or a lifetime out of bounds.
            EmptyFile, FileTooLarge: for the content.
            StorageLimitExceeded: for what the project stores already.
            IdempotencyKeyReused: for a key of another request.
        """
        digest = hashlib.sha256(content).hexdigest() if terms.idempotency_key else None
        by = terms.key("file", new, sha256=digest)
        new = self._limits.accepted(new, size_param="file")
        if new.size > MAX_INLINE_BYTES:
            raise FileTooLarge.for_request_body(MAX_INLINE_BYTES)
        if made := self._made(project, by):
            return made
        self._storage.check(project, terms.quota, new.size)
        file = created(new, self._clock())
        # Bytes first: readers go by the record, so there is never a record without bytes.
        self._blobs.put(file.blob_key(project), content)
        if self._records.add(project, file, by):
            return file
        return self._raced(project, by)  # the blob check deletes the bytes, which nothing owns

    def create_pending(
        self, project: str, new: NewFile, sha256: str | None = None, terms: Terms = ANY
    ) -> tuple[File, PresignedUrl]:
        """Creates a file whose bytes will come by direct upload, in one PUT.

        Args:
            project: owner of the file.
            new: the file, of at most `MAX_DIRECT_BYTES`.
            sha256: of its content, in hex; S3 then refuses any other content.
            terms: the caller's.

        Returns:
            The file, `pending`, and the URL to PUT its bytes to.

        Raises:
            InvalidValue: for an unknown purpose, or a lifetime out of bounds.
            EmptyFile, FileTooLarge: for the size.
            StorageLimitExceeded: for what the project stores already.
            IdempotencyKeyReused: for a key of another request.
        """
        by, now = terms.key("pending file", new, sha256=sha256), self._clock()
        accepted = self._limits.accepted(new)
        file = self._made(project, by)
        if file is None:
            file = self._pending(project, accepted, terms, now)
            ends = file.created_at + PUT_URL_SECONDS + TRANSFER_SECONDS
            if not self._records.add_pending(project, PendingFile(file, ends), by):
                file = self._raced(project, by)
        # However often it is asked for, the URL ends at the same time, or is about to.
        lifetime = max(file.created_at + PUT_URL_SECONDS - int(now), 1)
        return file, self._blobs.presign_put(file.blob_key(project), new.size, sha256, lifetime)

    def create_pending_in_parts(
        self, project: str, new: NewFile, part_size: int | None = None, terms: Terms = ANY
    ) -> tuple[PendingFile, PartPlan]:
        """Creates a file whose bytes will come by direct upload, in parts.

        Args:
            project: owner of the file.
            new: the file.
            part_size: bytes of each part but the last; None for a size that fits.
            terms: the caller's.

        Returns:
            The pending file, and its parts.

        Raises:
            InvalidValue: for an unknown purpose, a lifetime out of bounds, or a part size that
                makes too many parts.
            EmptyFile, FileTooLarge: for the size.
            StorageLimitExceeded: for what the project stores already.
            IdempotencyKeyReused: for a key of another request.
        """
        by = terms.key("pending file in parts", new, part_size=part_size)
        accepted, whole = self._limits.accepted(new), plan(new.size, part_size)
        if made := self._made(project, by):
            return self._in_parts(made, whole), whole
        file = self._pending(project, accepted, terms, self._clock())
        # The store's upload first: no record is ever without one. If no record follows, the
        # bucket's lifecycle ends it.
        multipart_id = self._parts.begin(file.blob_key(project))
        pending = replace(self._in_parts(file, whole), multipart_id=multipart_id)
        if not self._records.add_pending(project, pending, by):
            pending = self._in_parts(self._raced(project, by), whole)
        return pending, whole

    def _in_parts(self, file: File, whole: PartPlan) -> PendingFile:
        ends = file.created_at + DIRECT_PARTS_SECONDS
        return PendingFile(file, expires_at=ends, part_size=whole.part_size)

    def _pending(self, project: str, accepted: NewFile, terms: Terms, now: float) -> File:
        self._storage.check(project, terms.quota, accepted.size)
        return replace(created(accepted, now), status="pending", direct=True)

    def _made(self, project: str, by: IdempotencyKey | None) -> File | None:
        """The file that an earlier call has made by this key, if any."""
        return self._records.made(project, by, int(self._clock())) if by else None

    def _raced(self, project: str, by: IdempotencyKey | None) -> File:
        """The file that a racing call has made by this key meanwhile."""
        made = self._made(project, by)
        if made is None:
            raise RateLimitExceeded  # the key has ended since: the caller tries again
        return made


def created(new: NewFile, now: float) -> File:
    """The file made of an accepted `new` at `now` (Unix seconds): processed, with a new id."""
    file_id = new_id(int(now * 1e9))
    created_at = creation_time(file_id)
    return File(
        id=file_id,
        bytes=new.size,
        created_at=created_at,
        filename=clean(new.filename),
        purpose=new.purpose,
        expires_at=None if new.lifetime is None else created_at + new.lifetime,
        mime_type=stated(new.mime_type),
    )
