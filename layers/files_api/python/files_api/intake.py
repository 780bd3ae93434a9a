"""The way in for new files. Knows neither HTTP nor AWS."""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.errors import EmptyFile, FileTooLarge, InvalidValue
from files_api.filenames import clean
from files_api.files import MAX_INLINE_BYTES
from files_api.ids import creation_time, new_file_id
from files_api.model import (
    MAX_DIRECT_BYTES,
    TRANSFER_SECONDS,
    UPLOAD_LINK_SECONDS,
    File,
    Link,
    Pending,
)
from files_api.ports import Blobs, Records

DAY = 86_400
# OpenAI: "By default, files with purpose=batch expire after 30 days and all other files are
# persisted until they are manually deleted" (API reference, "Upload file").
DEFAULT_LIFETIMES = {"batch": 30 * DAY}


class Intake:
    """The way in for new files.

    Args:
        records: where the metadata goes.
        blobs: where the bytes go.
        purposes: what the stack knows as purposes.
        max_file_bytes: the stack's largest file.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: Records,
        blobs: Blobs,
        *,
        purposes: tuple[str, ...],
        max_file_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._purposes = purposes
        self._max_file_bytes = max_file_bytes
        self._clock = clock

    def create(
        self,
        project: str,
        *,
        filename: str,
        purpose: str,
        content: bytes,
        lifetime: int | None = None,
    ) -> File:
        """Stores a file: all of it or, where this raises, nothing that any reader sees.

        Args:
            project: whose file.
            filename: its name, as sent.
            purpose: one of the stack's purposes.
            content: its bytes.
            lifetime: seconds until it expires; None for what is usual for the purpose.

        Raises:
            InvalidValue: for an unknown purpose.
            EmptyFile, FileTooLarge: for the content.
        """
        size = len(content)
        check_file(purpose, size, self._purposes, self._max_file_bytes)
        if size > MAX_INLINE_BYTES:
            raise FileTooLarge.for_plain_upload(MAX_INLINE_BYTES)
        file = new_file(filename, purpose, size, lifetime, self._clock())
        # Bytes first: a record without bytes would be a broken promise, bytes without one are not.
        self._blobs.put(file.key(project), content)
        self._records.add(project, file)
        return file

    def promise(
        self,
        project: str,
        *,
        filename: str,
        purpose: str,
        size: int,
        sha256: str | None = None,
        lifetime: int | None = None,
    ) -> tuple[File, Link]:
        """Promises a file whose bytes will come by direct upload.

        Args:
            project: whose file.
            filename: its name, as sent.
            purpose: one of the stack's purposes.
            size: how many bytes it will have.
            sha256: of these bytes, in hex; S3 refuses others.
            lifetime: seconds until it expires; None for what is usual for the purpose.

        Returns:
            The file, pending, and the link to PUT its bytes to.

        Raises:
            InvalidValue: for an unknown purpose.
            EmptyFile, FileTooLarge: for the size.
        """
        check_file(purpose, size, self._purposes, self._max_file_bytes)
        if size > MAX_DIRECT_BYTES:
            raise FileTooLarge.for_direct_upload(MAX_DIRECT_BYTES)
        file = new_file(filename, purpose, size, lifetime, self._clock())
        file = replace(file, status="pending", direct=True)
        link = self._blobs.put_link(file.key(project), size, sha256, UPLOAD_LINK_SECONDS)
        self._records.promise(project, Pending(file, link.expires_at + TRANSFER_SECONDS))
        return file, link


def new_file(filename: str, purpose: str, size: int, lifetime: int | None, now: float) -> File:
    """A file, processed.

    Args:
        filename: its name, as sent.
        purpose: one of the stack's purposes.
        size: how many bytes it has.
        lifetime: seconds until it expires; None for what is usual for the purpose.
        now: Unix seconds.
    """
    file_id = new_file_id(int(now * 1e9))
    created_at = creation_time(file_id)
    if lifetime is None:
        lifetime = DEFAULT_LIFETIMES.get(purpose)
    return File(
        id=file_id,
        bytes=size,
        created_at=created_at,
        filename=clean(filename),
        purpose=purpose,
        expires_at=None if lifetime is None else created_at + lifetime,
    )


def check_file(purpose: str, size: int, purposes: tuple[str, ...], max_file_bytes: int) -> None:
    """Raises what a stack of these purposes and this largest file answers to such a file.

    InvalidValue for the purpose; EmptyFile, FileTooLarge for the size.
    """
    check_purpose(purpose, purposes)
    if size == 0:
        raise EmptyFile
    if size > max_file_bytes:
        raise FileTooLarge.for_stack(max_file_bytes)


def check_purpose(purpose: str, purposes: tuple[str, ...]) -> None:
    """Raises InvalidValue for a purpose that is none of the `purposes`."""
    if purpose not in purposes:
        raise InvalidValue("purpose", f"must be one of {', '.join(purposes)}.")
