"""One file at a time: retrieve, presign, download, delete, finalize."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from files_api.observability import logger
from files_api.service.blob_keys import FileBlob
from files_api.service.errors import FileNotFound, FileNotReady
from files_api.service.ids import is_id
from files_api.service.media_types import UNKNOWN
from files_api.service.model import File, PendingFile, PresignedUrl
from files_api.service.part_plan import plan_of
from files_api.service.ports import Blobs, DirectParts, FileRecords

# AWS: an event and an answer of a function can have 6 MB each, and carry the content in base64 (4/3
# of its size); 4.5 MB leave 290 KB for headers and the form (AWS Lambda, "Lambda quotas").
MAX_INLINE_BYTES = 4_500_000


class Files:
    """The files of a project, one at a time.

    Args:
        records: metadata of files.
        blobs: bytes of files.
        parts: parts of direct uploads.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: FileRecords,
        blobs: Blobs,
        parts: DirectParts,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._parts = parts
        self._clock = clock

    def retrieve(self, project: str, file_id: str) -> File:
        """The project's file, pending or processed. Raises FileNotFound."""
        file = self._find(project, file_id)
        if file is None:
            raise FileNotFound(file_id)
        return file

    def pending(self, project: str, file_id: str) -> PendingFile | None:
        """The project's pending file; None if it is processed. Raises FileNotFound."""
        if self.retrieve(project, file_id).status == "processed":
            return None
        return self._records.get_pending(project, file_id)

    def processed(self, project: str, file_id: str) -> File:
        """The project's file, whose content is in place. Raises FileNotFound, FileNotReady."""
        file = self.retrieve(project, file_id)
        if file.status != "processed":
            raise FileNotReady(file_id)
        return file

    def presign(
        self,
        project: str,
        file: File,
        lifetime: int,
        media_type: str = UNKNOWN,
        *,
        head: bool = False,
    ) -> PresignedUrl:
        """A URL of the content of a processed file, which says that it has this media type.

        It is for GET or HEAD, and valid for `lifetime` seconds, but not beyond the file's expiry.
        """
        if file.expires_at is not None:
            lifetime = min(lifetime, file.expires_at - int(self._clock()))
        key = file.blob_key(project)
        return self._blobs.presign_get(key, file.filename, lifetime, media_type, head=head)

    def delete(self, project: str, file_id: str) -> None:
        """Deletes a file, pending or processed.

        The file is gone once its record is. If its bytes cannot be deleted now, the purge does it.

        Raises FileNotFound; of several racing calls, all but one do.
        """
        file = self._find(project, file_id)
        if (
            file
            and file.status != "processed"
            and not self._records.delete_pending(project, file_id)
        ):
            file = self._find(project, file_id)  # it was finalized or deleted since
        if file is None:
            raise FileNotFound(file_id)
        if file.status == "processed" and not self._records.delete(project, file):
            raise FileNotFound(file_id)
        key = file.blob_key(project)
        try:
            self._blobs.delete(key)
        except Exception:
            logger().exception(
                "Blob was not deleted and is left to the purge", extra={"blob_key": key}
            )

    def finalize(self, project: str, file_id: str) -> None:
        """Handles the arrival of the bytes of a direct upload: its file becomes processed.

        Deletes the bytes if neither a file nor a pending file owns them. It makes no difference
        whether this is called twice, late, or after a call has already finalized the file.
        """
        if self._find(project, file_id) is None:
            self._blobs.delete(FileBlob(project, file_id, direct=True).key)

    def _find(self, project: str, file_id: str) -> File | None:
        """The file, unless it is expired; finalizes a direct upload whose bytes are stored."""
        if not is_id(file_id):
            return None
        file = self._records.get(project, file_id) or self._find_pending(project, file_id)
        return None if file is None or file.expired(self._clock()) else file

    def _find_pending(self, project: str, file_id: str) -> File | None:
        pending = self._records.get_pending(project, file_id)
        if pending is None or pending.expired(self._clock()):
            # A racing call may have finalized it between the two reads.
            return self._records.get(project, file_id)
        if pending.file.status != "pending":  # the assembly finalizes it
            return pending.file
        if not self._has_arrived(project, pending):
            return pending.file
        file = replace(pending.file, status="processed")
        if self._records.finalize(project, file):
            return file
        return self._records.get(project, file_id)

    def _has_arrived(self, project: str, pending: PendingFile) -> bool:
        """Whether all bytes of a direct upload are stored, in one blob."""
        key, whole = pending.file.blob_key(project), plan_of(pending)
        if whole and pending.multipart_id:
            return self._parts.complete(key, pending.multipart_id, whole.sizes())
        return self._blobs.size(key) == pending.file.bytes


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a small file.

    Attributes:
        bytes: all of it.
        etag: its entity tag, in quotes (RFC 9110, section 8.8.3).
    """

    bytes: bytes
    etag: str


class Downloads:
    """The content of a project's files.

    Args:
        files: the files.
        blobs: bytes of files.
        url_seconds: validity of the presigned URL of a large file.
    """

    def __init__(self, files: Files, blobs: Blobs, *, url_seconds: int) -> None:
        self._files = files
        self._blobs = blobs
        self._url_seconds = url_seconds

    def content(self, project: str, file_id: str) -> tuple[File, Content | PresignedUrl]:
        """The project's file with its content or, for a large file, the URL of it.

        Raises:
            FileNotFound, FileNotReady.
        """
        file = self._files.processed(project, file_id)
        if file.bytes > MAX_INLINE_BYTES:
            return file, self._files.presign(project, file, self._url_seconds)
        found = self._blobs.read(file.blob_key(project))
        if found is None:  # deleted between the two reads
            raise FileNotFound(file_id)
        return file, Content(*found)

    def head(self, project: str, file_id: str) -> PresignedUrl:
        """The URL, for HEAD, of the project's file of any size. Raises FileNotFound, FileNotReady.

        The store tells the headers of all bytes without sending any, which the gateway cannot.
        """
        file = self._files.processed(project, file_id)
        return self._files.presign(project, file, self._url_seconds, head=True)
