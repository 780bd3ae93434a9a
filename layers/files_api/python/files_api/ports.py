"""What the service needs of the outside: ports, each with an AWS adapter and one in memory."""

from dataclasses import dataclass
from typing import Protocol

from files_api.model import File, Link, Part, Pending, Upload
from files_api.segments import Segment


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

    def promise(self, project: str, pending: Pending) -> None:
        """Keeps a promise of a file: seen by `pending`, and by no list."""

    def pending(self, project: str, file_id: str) -> Pending | None:
        """The promise of a file, expired or not; None once it is kept or off."""

    def amend(self, project: str, pending: Pending) -> bool:
        """Writes a promise anew; returns False, and writes nothing, if it is kept, off or broken.

        One of a file with status `error` is broken for good.
        """

    def keep(self, project: str, file: File) -> bool:
        """Turns the promise of a file into the file, unless it is broken.

        Of several racing calls one is told True.
        """

    def drop(self, project: str, file_id: str) -> bool:
        """Removes the promise of a file. Of racing `keep` and `drop` one is told True."""

    def remove_rest(self, project: str, file: File) -> None:
        """Removes what is left of a record of which a part is gone."""


class UploadRecords(Protocol):
    """Uploads' and parts' metadata."""

    def open(self, project: str, upload: Upload) -> None:
        """Writes a new upload."""

    def get(self, project: str, upload_id: str) -> Upload | None:
        """The upload, expired or not."""

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        """Has an upload take parts until then; returns False if it is closed."""

    def add_part(self, project: str, part: Part) -> None:
        """Writes a part."""

    def parts(self, project: str, upload_id: str) -> list[Part]:
        """The upload's parts, by creation."""

    def close(self, project: str, upload: Upload, promise: Pending | None = None) -> bool:
        """Writes an upload that takes no more parts, and the promise of its file, if any.

        Of several racing calls exactly one is told True.
        """

    def has_part(self, project: str, upload_id: str, part_id: str) -> bool:
        """Whether the part is there."""

    def remove_parts(self, project: str, upload_id: str) -> None:
        """Removes the upload's parts; their bytes follow."""


class Later(Protocol):
    """Work that no caller waits for."""

    def assemble(self, project: str, upload_id: str) -> None:
        """Has `Assembly.run` called, soon, and again if it fails.

        If that fails for good, `Purge.assembly_failed` is called.
        """


class Blobs(Protocol):
    """Files' bytes, each under a key (`model.blob_key`)."""

    def put(self, key: str, content: bytes) -> None:
        """Stores bytes."""

    def get(self, key: str) -> bytes | None:
        """All the bytes, None where there are none."""

    def size(self, key: str) -> int | None:
        """How many bytes there are, None where there are none."""

    def delete(self, key: str) -> None:
        """Removes the bytes. Not an error where there are none."""

    def put_link(self, key: str, size: int, sha256: str | None, lifetime: int) -> Link:
        """A URL that takes bytes, once: exactly `size` of them, of this SHA-256 (hex) if given.

        It takes them for `lifetime` seconds, and for shorter if what signs it ends before.
        """

    def sizes(self, prefix: str) -> dict[str, int]:
        """How many bytes there are under each key that starts with `prefix`."""

    def md5(self, keys: list[str]) -> str:
        """The MD5, in hex, of what is under these keys, one after another."""

    def assemble(
        self, key: str, segments: list[Segment], until: float, *, again: bool = False
    ) -> bool:
        """Stores the segments' bytes, one after another, all at once or not at all.

        Args:
            key: where.
            segments: what.
            until: Unix seconds from which on nothing more is begun.
            again: whether an earlier try may have left something that this one goes on with.

        Returns:
            False if there was not enough time.
        """

    def abandon(self, key: str) -> None:
        """Forgets what tries to assemble something have left unfinished."""

    def get_link(self, key: str, filename: str, lifetime: int) -> Link:
        """A URL that gives the bytes, as a download of this name, for `lifetime` seconds."""
