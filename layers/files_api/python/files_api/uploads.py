"""Uploads, files that come in parts: opened, filled, cancelled. Knows neither HTTP nor AWS.

Each part is an object of its own until `completion` makes them one file.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.errors import EmptyFile, FileTooLarge, InvalidValue, UploadNotFound
from files_api.filenames import clean
from files_api.files import MAX_INLINE_BYTES
from files_api.ids import creation_time, is_file_id, new_file_id
from files_api.intake import check_file
from files_api.model import (
    MAX_DIRECT_BYTES,
    TRANSFER_SECONDS,
    UPLOAD_LINK_SECONDS,
    Link,
    Part,
    Upload,
    part_key,
)
from files_api.ports import Blobs, UploadRecords

UPLOAD_SECONDS = 3_600  # OpenAI: "the Upload … expires an hour after you create it"
# But not as long as parts come, so that it can have any size: not so soon after the last of them,
# nor while one that was promised may be on its way.
PART_SECONDS = 1_800


class Uploads:
    """A project's uploads.

    Args:
        uploads: where uploads and parts are known.
        purposes: what the stack knows as purposes.
        max_file_bytes: the stack's largest file.
        clock: Unix seconds.
    """

    def __init__(
        self,
        uploads: UploadRecords,
        *,
        purposes: tuple[str, ...],
        max_file_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._uploads = uploads
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
        check_file(purpose, size, self._purposes, self._max_file_bytes)
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
            lifetime=lifetime,
        )
        self._uploads.open(project, upload)
        return upload

    def cancel(self, project: str, upload_id: str) -> Upload:
        """Ends an upload; its parts are removed. Raises UploadNotFound, InvalidValue."""
        upload = existing(self._uploads, project, upload_id)
        if upload.status == "cancelled":  # by a call that may not have come to its end
            self._uploads.remove_parts(project, upload_id)
        check_open(upload, self._clock())
        upload = replace(upload, status="cancelled")
        if not self._uploads.close(project, upload):  # somebody closed it meanwhile
            check_open(existing(self._uploads, project, upload_id), self._clock())
        self._uploads.remove_parts(project, upload_id)
        return upload


class Parts:
    """The parts of a project's uploads.

    Args:
        uploads: where uploads and parts are known.
        blobs: where the bytes are.
        clock: Unix seconds.
    """

    def __init__(
        self, uploads: UploadRecords, blobs: Blobs, clock: Callable[[], float] = time.time
    ) -> None:
        self._uploads = uploads
        self._blobs = blobs
        self._clock = clock

    def add(self, project: str, upload_id: str, content: bytes) -> Part:
        """Stores a part. Raises EmptyFile, FileTooLarge, UploadNotFound, InvalidValue."""
        if not content:
            raise EmptyFile("data")
        if len(content) > MAX_INLINE_BYTES:
            raise FileTooLarge.for_plain_part(MAX_INLINE_BYTES)
        part = self._new_part(project, upload_id, len(content), PART_SECONDS)
        self._blobs.put(part_key(project, upload_id, part.id), content)
        self._uploads.add_part(project, part)
        return part

    def promise(
        self, project: str, upload_id: str, size: int, sha256: str | None
    ) -> tuple[Part, Link]:
        """Promises a part of `size` bytes; returns it with the link to PUT its bytes to.

        Raises:
            FileTooLarge, UploadNotFound, InvalidValue.
        """
        if size > MAX_DIRECT_BYTES:
            raise FileTooLarge.for_direct_part(MAX_DIRECT_BYTES)
        transfer = UPLOAD_LINK_SECONDS + TRANSFER_SECONDS * size // MAX_DIRECT_BYTES
        part = self._new_part(project, upload_id, size, max(PART_SECONDS, transfer))
        self._uploads.add_part(project, part)
        key = part_key(project, upload_id, part.id)
        return part, self._blobs.put_link(key, size, sha256, UPLOAD_LINK_SECONDS)

    def _new_part(self, project: str, upload_id: str, size: int, seconds: int) -> Part:
        """A part of an upload that takes one, and more for some seconds at least.

        Raises UploadNotFound, InvalidValue.
        """
        now = int(self._clock())
        upload = existing(self._uploads, project, upload_id)
        check_open(upload, now)
        until = now + seconds
        if upload.expires_at < until and not self._uploads.extend(project, upload_id, until):
            check_open(existing(self._uploads, project, upload_id), now)
        part_id = new_file_id(int(self._clock() * 1e9))
        return Part(part_id, upload_id, size, creation_time(part_id))


def existing(uploads: UploadRecords, project: str, upload_id: str) -> Upload:
    """The project's upload, open or not. Raises UploadNotFound."""
    upload = uploads.get(project, upload_id) if is_file_id(upload_id) else None
    if upload is None:
        raise UploadNotFound(upload_id)
    return upload


def check_open(upload: Upload, now: float) -> None:
    """Raises InvalidValue for an upload that takes no parts at `now` (Unix seconds)."""
    status = upload.status_at(now)
    if status != "pending":
        raise InvalidValue("upload_id", f"the upload is {status}.")
