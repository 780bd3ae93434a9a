"""New files: with their content, or pending until a direct upload brings it."""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.service.errors import FileTooLarge
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
from files_api.service.quota import NO_OWN, Quota
from files_api.service.storage import Storage


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

    def create(self, project: str, new: NewFile, content: bytes, quota: Quota = NO_OWN) -> File:
        """Stores a file. If this raises, no reader ever sees any of it.

        Args:
            project: owner of the file.
            new: the file.
            content: its bytes.
            quota: the project's own.

        Raises:
            InvalidValue: for an unknown purpose, or a lifetime out of bounds.
            EmptyFile, FileTooLarge: for the content.
            StorageLimitExceeded: for what the project stores already.
        """
        new = self._limits.accepted(new, size_param="file")
        if new.size > MAX_INLINE_BYTES:
            raise FileTooLarge.for_request_body(MAX_INLINE_BYTES)
        self._storage.check(project, quota, new.size)
        file = created(new, self._clock())
        # Bytes first: readers go by the record, so there is never a record without bytes.
        self._blobs.put(file.blob_key(project), content)
        self._records.add(project, file)
        return file

    def create_pending(
        self, project: str, new: NewFile, sha256: str | None = None, quota: Quota = NO_OWN
    ) -> tuple[File, PresignedUrl]:
        """Creates a file whose bytes will come by direct upload, in one PUT.

        Args:
            project: owner of the file.
            new: the file, of at most `MAX_DIRECT_BYTES`.
            sha256: of its content, in hex; S3 then refuses any other content.
            quota: the project's own.

        Returns:
            The file, `pending`, and the URL to PUT its bytes to.

        Raises:
            InvalidValue: for an unknown purpose, or a lifetime out of bounds.
            EmptyFile, FileTooLarge: for the size.
            StorageLimitExceeded: for what the project stores already.
        """
        file = self._pending(project, new, quota)
        url = self._blobs.presign_put(file.blob_key(project), new.size, sha256, PUT_URL_SECONDS)
        self._records.add_pending(project, PendingFile(file, url.expires_at + TRANSFER_SECONDS))
        return file, url

    def create_pending_in_parts(
        self, project: str, new: NewFile, part_size: int | None = None, quota: Quota = NO_OWN
    ) -> tuple[PendingFile, PartPlan]:
        """Creates a file whose bytes will come by direct upload, in parts.

        Args:
            project: owner of the file.
            new: the file.
            part_size: bytes of each part but the last; None for a size that fits.
            quota: the project's own.

        Returns:
            The pending file, and its parts.

        Raises:
            InvalidValue: for an unknown purpose, a lifetime out of bounds, or a part size that
                makes too many parts.
            EmptyFile, FileTooLarge: for the size.
            StorageLimitExceeded: for what the project stores already.
        """
        file, whole = self._pending(project, new, quota), plan(new.size, part_size)
        # The store's upload first: no record is ever without one. If no record follows, the
        # bucket's lifecycle ends it.
        multipart_id = self._parts.begin(file.blob_key(project))
        pending = PendingFile(
            file,
            expires_at=file.created_at + DIRECT_PARTS_SECONDS,
            part_size=whole.part_size,
            multipart_id=multipart_id,
        )
        self._records.add_pending(project, pending)
        return pending, whole

    def _pending(self, project: str, new: NewFile, quota: Quota) -> File:
        new = self._limits.accepted(new)
        self._storage.check(project, quota, new.size)
        return replace(created(new, self._clock()), status="pending", direct=True)


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
