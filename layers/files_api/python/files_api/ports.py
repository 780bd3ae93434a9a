"""What the service needs of the outside: two ports, each with an AWS adapter and one in memory."""

from dataclasses import dataclass
from typing import Protocol

from files_api.model import File


@dataclass(frozen=True, slots=True)
class Query:
    """One page of a project's files.

    Attributes:
        project: whose files.
        purpose: only files of this purpose, if given.
        limit: at most so many.
        newest_first: by creation, the latest first.
        after: start behind this id, whether or not such a file is (still) there.
        now: Unix seconds; files that expire up to now are left out.
    """

    project: str
    purpose: str | None
    limit: int
    newest_first: bool
    after: str | None
    now: int


class Records(Protocol):
    """Files' metadata. What one call has written, the next one reads."""

    def add(self, project: str, file: File) -> None:
        """Writes a file's record: seen by every read from here on, or not written at all."""

    def get(self, project: str, file_id: str) -> File | None:
        """The file's record, expired or not."""

    def docs(self, query: Query) -> list[str]:
        """The files of a page, each as the JSON text of its public object."""

    def remove(self, project: str, file: File) -> bool:
        """Removes a file's record. Of several racing calls exactly one is told True."""


class Blobs(Protocol):
    """Files' bytes."""

    def put(self, project: str, file_id: str, content: bytes) -> None:
        """Stores the bytes of a file."""

    def get(self, project: str, file_id: str) -> bytes | None:
        """All bytes of a file, None where there are none."""

    def delete(self, project: str, file_id: str) -> None:
        """Removes the bytes of a file. Not an error where there are none."""
