"""What the service needs from outside. Each port has an AWS adapter, and one in memory."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from files_api.service.blob_keys import FileBlob
from files_api.service.model import File, Part, PendingFile, PresignedUrl, Upload, Usage
from files_api.service.segments import Segment
from files_api.service.terms import IdempotencyKey

# So many expired records make a page slow: each of DynamoDB's answers has some thousands.
MANY_EXPIRED = 1_000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which files a page of a list shows.

    Attributes:
        limit: at most so many.
        purpose: only files of this purpose, if given.
        newest_first: order by creation, the latest first; else the earliest first.
        after: start behind this id, whether or not such a file (still) exists.
    """

    limit: int
    purpose: str | None = None
    newest_first: bool = True
    after: str | None = None


class FileRecords(Protocol):
    """Metadata of files, and how many there are. A read sees everything written before it.

    A file is counted by the same write that makes its record, and no longer by the one that deletes
    it.
    """

    def usage(self, project: str) -> Usage:
        """What the project stores, without pending files."""

    def add(self, project: str, file: File, by: IdempotencyKey | None = None) -> bool:
        """Writes a file's record, all of it or nothing; notes what was made by the key, if any.

        Returns False, and writes nothing, if it is there already, or something was made by the key.
        """

    def made(self, project: str, by: IdempotencyKey, now: int) -> File | None:
        """The file that was made by a key, as it was then; None if it can be used (again) at `now`.

        Raises IdempotencyKeyReused: something else was made by it.
        """

    def get(self, project: str, file_id: str) -> File | None:
        """The file, expired or not."""

    def page(
        self,
        project: str,
        request: PageRequest,
        now: int,
        many_expired: Callable[[], object] = lambda: None,
    ) -> list[str]:
        """The `public_json()` of each file of a page, without those expired at `now`.

        Calls `many_expired`, once, if it has met `MANY_EXPIRED` expired records or more.
        """

    def delete_expired(self, project: str, now: int, until: int) -> None:
        """Deletes records that have expired at `now`, as many as there is time for.

        Does nothing while another call may be at it, which has said so by its `until` (Unix
        seconds). What a record leaves behind is left to the purge.
        """

    def delete(self, project: str, file: File) -> bool:
        """Deletes a file's record. Of several racing calls exactly one returns True."""

    def delete_leftovers(self, files: Collection[tuple[str, File]]) -> None:
        """Deletes whatever is left of records that are partly gone, by project and file.

        Racing and repeated calls count each file once.
        """

    def owned(self, blobs: Collection[FileBlob]) -> set[FileBlob]:
        """Those of the blobs that a file or a pending file owns."""

    def add_pending(
        self, project: str, pending: PendingFile, by: IdempotencyKey | None = None
    ) -> bool:
        """Writes a pending file: `get_pending` returns it, no list shows it.

        Notes what was made by the key, if any; returns False, and writes nothing, if something was.
        """

    def get_pending(self, project: str, file_id: str) -> PendingFile | None:
        """The pending file, expired or not; None once it is finalized or deleted."""

    def update_pending(self, project: str, pending: PendingFile) -> bool:
        """Replaces a pending file; returns False if it is finalized, deleted or has failed.

        A file with status `error` has failed, for good.
        """

    def delete_pending(self, project: str, file_id: str) -> bool:
        """Deletes a pending file. Of racing calls, and `finalize`, one returns True."""

    def finalize(self, project: str, file: File) -> bool:
        """Turns a pending file into `file`, unless it has failed.

        Of several racing calls exactly one returns True.
        """


class UploadRecords(Protocol):
    """Metadata of uploads and parts."""

    def open(self, project: str, upload: Upload, by: IdempotencyKey | None = None) -> bool:
        """Writes a new upload; notes what was made by the key, if any.

        Returns False, and writes nothing, if something was made by it.
        """

    def made(self, project: str, by: IdempotencyKey, now: int) -> Upload | None:
        """The upload that was made by a key, as it was then; as `FileRecords.made`."""

    def get(self, project: str, upload_id: str) -> Upload | None:
        """The upload, expired or not."""

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        """Keeps an upload open until then; returns False if it is closed, or open for longer."""

    def reserve_part(self, project: str, part: Part, now: int) -> Upload | None:
        """Counts a part, once; parallel calls add up.

        Returns the part's upload; None, and counts nothing, if it does not exist, is closed or
        expired at `now` (Unix seconds), or would have more than `MAX_ADDED_PARTS` or
        `max_part_bytes`.
        """

    def close(self, project: str, upload: Upload, pending: PendingFile | None = None) -> bool:
        """Writes an upload that accepts no more parts, and its pending file, if any.

        Of several racing calls exactly one returns True.
        """

    def release_part(self, project: str, part: Part) -> None:
        """Takes back what `reserve_part` has counted, if the upload is still open."""

    def add_part(self, project: str, part: Part) -> None:
        """Writes a part, which is deleted after `PART_LIFETIME_SECONDS` at the latest."""

    def has_part(self, project: str, upload_id: str, part_id: str) -> bool:
        """Whether the part exists."""

    def parts(self, project: str, upload_id: str) -> list[Part]:
        """The upload's parts, in order of creation."""

    def delete_parts(self, project: str, upload_id: str) -> None:
        """Deletes the upload's parts; the purge then deletes their bytes.

        If this is interrupted, the next call continues with the parts that are left.
        """


class Blobs(Protocol):
    """The bytes of files and parts, each under a blob key."""

    def put(self, key: str, content: bytes) -> None:
        """Stores bytes."""

    def get(self, key: str) -> bytes | None:
        """All bytes; None if there are none."""

    def read(self, key: str) -> tuple[bytes, str] | None:
        """All bytes and their ETag; None if there are none."""

    def size(self, key: str) -> int | None:
        """The number of bytes; None if there are none."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """The number of bytes under each key that starts with `prefix`."""

    def md5(self, keys: list[str]) -> str:
        """The MD5, in hex, of the bytes under these keys, one after another."""

    def delete(self, key: str) -> None:
        """Deletes bytes. Not an error if there are none."""

    def delete_all(self, keys: Collection[str]) -> set[str]:
        """Deletes the bytes under many keys, in few requests; returns the keys that failed."""

    def presign_put(self, key: str, size: int, sha256: str | None, lifetime: int) -> PresignedUrl:
        """A URL that accepts bytes once: exactly `size` of them, of this SHA-256 (hex) if given.

        It is valid for `lifetime` seconds, or less if the signing credentials end before.
        """

    def presign_get(
        self, key: str, filename: str, lifetime: int, media_type: str, *, head: bool = False
    ) -> PresignedUrl:
        """A URL of the bytes, as a download of this name and type, for `lifetime` seconds.

        It is for GET, or for HEAD.
        """


class Assembler(Protocol):
    """Makes one blob of several."""

    def assemble(
        self, key: str, segments: list[Segment], deadline: float, *, resume: bool = False
    ) -> bool:
        """Stores the segments' bytes, one after another, as one blob: all of it or nothing.

        Args:
            key: where to store them.
            segments: the bytes.
            deadline: Unix seconds from which on no further request starts.
            resume: whether to continue what an earlier, unfinished call has left.

        Returns:
            False if the deadline came first.
        """

    def abort(self, key: str) -> None:
        """Discards what unfinished calls of `assemble` have left."""


class DirectParts(Protocol):
    """The parts of direct uploads, each under the blob key that they get together."""

    def begin(self, key: str) -> str:
        """Begins an upload in parts; returns the store's id of it."""

    def presign(
        self, key: str, multipart_id: str, number: int, size: int, lifetime: int
    ) -> PresignedUrl:
        """A URL that accepts part `number`, of exactly `size` bytes, for `lifetime` seconds."""

    def sizes(self, key: str, multipart_id: str, *, after: int, limit: int) -> dict[int, int]:
        """The sizes of the parts that have arrived, by their numbers from `after` + 1 on.

        At most `limit` of them, which is up to 1,000; none once the upload is over.
        """

    def complete(self, key: str, multipart_id: str, sizes: Mapping[int, int]) -> bool:
        """Makes the parts one blob, if exactly these have arrived; returns whether it is there.

        Racing calls, and later ones, return the same.
        """

    def abort(self, key: str, multipart_id: str) -> None:
        """Ends the upload and deletes its parts. Not an error if it is over."""


class ExpiryQueue(Protocol):
    """Starts the deletion of expired files that no caller waits for."""

    def send(self, project: str) -> None:
        """Has the project's expired records deleted soon."""


class AssemblyQueue(Protocol):
    """Assemblies that no caller waits for."""

    def send(self, project: str, upload_id: str) -> None:
        """Has `Assembly.run` called soon, and again if it fails.

        If it keeps failing, `FailedAssembly.record` is called instead.
        """
