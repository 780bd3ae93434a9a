"""What the calls do. Knows neither HTTP nor AWS: it is given `Records` and `Blobs`."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from files_api.errors import EmptyFile, FileNotFound, FileTooLarge, InvalidValue
from files_api.filenames import clean
from files_api.ids import creation_time, is_file_id, new_file_id
from files_api.model import File
from files_api.ports import Blobs, Query, Records

# AWS: a function's event and its answer hold 6 MB each, the content in base64 (4/3 of its size);
# 4.5 MB leave 290 KB for headers and the form around it (AWS Lambda, "Lambda quotas").
MAX_INLINE_BYTES = 4_500_000

# The same 6 MB, less room for the event around the body.
_MAX_PAGE_BYTES = 6_000_000

DAY = 86_400
# OpenAI: "By default, files with purpose=batch expire after 30 days and all other files are
# persisted until they are manually deleted" (API reference, "Upload file").
DEFAULT_LIFETIMES = {"batch": 30 * DAY}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, its files still as JSON texts.

    Attributes:
        docs: the public objects, in order.
        has_more: whether another page follows.
    """

    docs: list[str]
    has_more: bool

    def json(self) -> str:
        """The answer's body. Joined, not decoded: a list of 10,000 costs no more than its bytes."""
        first, last = (json.loads(self.docs[i])["id"] if self.docs else None for i in (0, -1))
        ends = json.dumps({"first_id": first, "last_id": last, "has_more": self.has_more})
        return f'{{"object": "list", "data": [{",".join(self.docs)}], {ends[1:]}'


class Catalog:
    """What is known of files.

    Args:
        records: where that is.
        clock: Unix seconds.
    """

    def __init__(self, records: Records, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    def retrieve(self, project: str, file_id: str) -> File:
        """The project's file. Raises FileNotFound, for another project's as for none."""
        file = self._records.get(project, file_id) if is_file_id(file_id) else None
        if file is None or file.expired(self._clock()):
            raise FileNotFound(file_id)
        return file


class Listing:
    """Files, page by page.

    Args:
        records: where they are.
        purposes: what the stack knows as purposes.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: Records,
        purposes: tuple[str, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._purposes = purposes
        self._clock = clock

    def page(
        self,
        project: str,
        *,
        purpose: str | None = None,
        limit: int,
        newest_first: bool = True,
        after: str | None = None,
    ) -> Page:
        """One page of the project's files, by creation.

        A page ends early, with `has_more`, where it would not fit an answer.

        Args:
            project: whose files.
            purpose: only files of this purpose, if given.
            limit: at most so many.
            newest_first: the latest first, or the earliest.
            after: start behind this id, whether or not such a file is (still) there.

        Raises:
            InvalidValue: for an unknown purpose.
        """
        if purpose is not None:
            _check_purpose(purpose, self._purposes)
        # One more than asked for tells whether there is more.
        query = Query(project, purpose, limit + 1, newest_first, after, int(self._clock()))
        docs = self._records.docs(query)
        fitting = _fitting(docs[:limit])
        return Page(docs[:fitting], has_more=len(docs) > fitting)


class Files(Catalog):
    """Files with their bytes.

    Args:
        records: where the metadata is.
        blobs: where the bytes are.
        clock: Unix seconds.
    """

    def __init__(
        self, records: Records, blobs: Blobs, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(records, clock)
        self._blobs = blobs

    def content(self, project: str, file_id: str) -> tuple[File, bytes]:
        """The project's file and its bytes. Raises FileNotFound."""
        file = self.retrieve(project, file_id)
        content = self._blobs.get(project, file_id)
        if content is None:  # deleted between the two reads
            raise FileNotFound(file_id)
        return file, content

    def delete(self, project: str, file_id: str) -> None:
        """Deletes the project's file, once: of racing calls all but one raise FileNotFound."""
        file = self.retrieve(project, file_id)
        if not self._records.remove(project, file):
            raise FileNotFound(file_id)
        self._blobs.delete(project, file_id)


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
        _check_purpose(purpose, self._purposes)
        self._check_size(len(content))
        file_id = new_file_id(int(self._clock() * 1e9))
        created_at = creation_time(file_id)
        if lifetime is None:
            lifetime = DEFAULT_LIFETIMES.get(purpose)
        file = File(
            id=file_id,
            bytes=len(content),
            created_at=created_at,
            filename=clean(filename),
            purpose=purpose,
            expires_at=None if lifetime is None else created_at + lifetime,
        )
        # Bytes first: a record without bytes would be a broken promise, bytes without one are not.
        self._blobs.put(project, file_id, content)
        self._records.add(project, file)
        return file

    def _check_size(self, size: int) -> None:
        if size == 0:
            raise EmptyFile
        if size > self._max_file_bytes:
            raise FileTooLarge.for_stack(self._max_file_bytes)
        if size > MAX_INLINE_BYTES:
            raise FileTooLarge.for_plain_upload(MAX_INLINE_BYTES)


def _check_purpose(purpose: str, purposes: tuple[str, ...]) -> None:
    if purpose not in purposes:
        raise InvalidValue("purpose", f"must be one of {', '.join(purposes)}.")


def _fitting(docs: list[str]) -> int:
    """How many of the docs fit an answer, which is sent as JSON inside JSON."""
    size = 0
    for count, doc in enumerate(docs):
        size += len(doc.encode()) + doc.count('"') + doc.count("\\") + 1
        if size > _MAX_PAGE_BYTES:
            return count
    return len(docs)
