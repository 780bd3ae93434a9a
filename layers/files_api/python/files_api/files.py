"""What is done with a file that is there, or promised. Knows neither HTTP nor AWS."""

import time
from collections.abc import Callable
from dataclasses import replace

from files_api.errors import FileNotFound, FileNotReady
from files_api.ids import is_file_id
from files_api.model import File, Link, blob_key
from files_api.ports import Blobs, Records

# AWS: a function's event and its answer hold 6 MB each, the content in base64 (4/3 of its size);
# 4.5 MB leave 290 KB for headers and the form around it (AWS Lambda, "Lambda quotas").
MAX_INLINE_BYTES = 4_500_000


class Files:
    """A project's files, one at a time.

    Args:
        records: where the metadata is.
        blobs: where the bytes are.
        clock: Unix seconds.
    """

    def __init__(
        self, records: Records, blobs: Blobs, clock: Callable[[], float] = time.time
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._clock = clock

    def retrieve(self, project: str, file_id: str) -> File:
        """The project's file, `pending` if its bytes have not come yet.

        Raises FileNotFound, for another project's file as for none.
        """
        file = self._find(project, file_id)
        if file is None:
            raise FileNotFound(file_id)
        return file

    def link(self, project: str, file_id: str, lifetime: int) -> Link:
        """A link to the bytes of the project's file.

        It is good for `lifetime` seconds, but not past the file's expiry.

        Raises:
            FileNotFound, FileNotReady.
        """
        return self._link(project, self._stored(project, file_id), lifetime)

    def delete(self, project: str, file_id: str) -> None:
        """Deletes the project's file, once: of racing calls all but one raise FileNotFound.

        A file that is promised is deleted like one that is there.
        """
        file = self._find(project, file_id)
        if file and file.status != "processed" and not self._records.drop(project, file_id):
            file = self._find(project, file_id)  # its bytes came meanwhile, or another call won
        if file is None:
            raise FileNotFound(file_id)
        if file.status == "processed" and not self._records.remove(project, file):
            raise FileNotFound(file_id)
        self._blobs.delete(file.key(project))

    def settle(self, project: str, file_id: str) -> None:
        """Does what is due when bytes have come by direct upload: makes them the promised file.

        Bytes of which no promise and no file is left are removed. Nothing changes when this is
        done again, late, or before somebody asked for the file.
        """
        if self._find(project, file_id) is None:
            self._blobs.delete(blob_key(project, file_id, direct=True))

    def _stored(self, project: str, file_id: str) -> File:
        file = self.retrieve(project, file_id)
        if file.status != "processed":
            raise FileNotReady(file_id)
        return file

    def _link(self, project: str, file: File, lifetime: int) -> Link:
        if file.expires_at is not None:
            lifetime = min(lifetime, file.expires_at - int(self._clock()))
        return self._blobs.get_link(file.key(project), file.filename, lifetime)

    def _find(self, project: str, file_id: str) -> File | None:
        """The file, if it is not expired; a promised one as it is now."""
        if not is_file_id(file_id):
            return None
        file = self._records.get(project, file_id) or self._promised(project, file_id)
        return None if file is None or file.expired(self._clock()) else file

    def _promised(self, project: str, file_id: str) -> File | None:
        """The file of a promise: processed if its bytes are there, whoever notices that first."""
        pending = self._records.pending(project, file_id)
        if pending is None or pending.off(self._clock()):
            # A racing call may have kept the promise between the two reads.
            return self._records.get(project, file_id)
        if pending.file.status != "pending":  # of parts: whoever assembles them keeps the promise
            return pending.file
        if self._blobs.size(pending.file.key(project)) != pending.file.bytes:
            return pending.file
        file = replace(pending.file, status="processed")
        if self._records.keep(project, file):
            return file
        return self._records.get(project, file_id)


class Downloads(Files):
    """A project's files, with their bytes.

    Args:
        records: where the metadata is.
        blobs: where the bytes are.
        link_seconds: how long a link to the bytes of a large file is good for.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: Records,
        blobs: Blobs,
        *,
        link_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(records, blobs, clock)
        self._link_seconds = link_seconds

    def content(self, project: str, file_id: str) -> tuple[File, bytes | Link]:
        """The project's file with its bytes or, where these are many, a link to them.

        Raises:
            FileNotFound, FileNotReady.
        """
        file = self._stored(project, file_id)
        if file.bytes > MAX_INLINE_BYTES:
            return file, self._link(project, file, self._link_seconds)
        content = self._blobs.get(file.key(project))
        if content is None:  # deleted between the two reads
            raise FileNotFound(file_id)
        return file, content
