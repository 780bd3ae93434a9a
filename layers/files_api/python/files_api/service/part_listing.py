"""The parts of a direct upload, for a client that sends them or goes on sending them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from files_api.service.errors import InvalidValue
from files_api.service.files import Files
from files_api.service.model import PUT_URL_SECONDS, PresignedUrl
from files_api.service.objects import FilePartList, FilePartObject
from files_api.service.part_plan import plan_of
from files_api.service.ports import DirectParts


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a direct upload.

    Attributes:
        number: from 1 on.
        bytes: its size.
        link: where to PUT it; None if it has arrived.
    """

    number: int
    bytes: int
    link: PresignedUrl | None

    def public(self) -> FilePartObject:
        """The object that callers see."""
        shown: FilePartObject = {
            "object": "file.part",
            "part_number": self.number,
            "bytes": self.bytes,
            "uploaded": self.link is None,
        }
        if self.link is not None:
            shown["upload"] = self.link.put()
        return shown


@dataclass(frozen=True, slots=True)
class PartPage:
    """A page of the parts of a direct upload.

    Attributes:
        parts: in the order of their numbers.
        has_more: whether another page follows.
    """

    parts: list[FilePart]
    has_more: bool

    def public(self) -> FilePartList:
        """The object that callers see."""
        data = [part.public() for part in self.parts]
        return {"object": "list", "data": data, "has_more": self.has_more}


class PartListing:
    """The parts of direct uploads, page by page.

    Args:
        files: the files.
        parts: the store of parts.
        clock: Unix seconds.
    """

    def __init__(
        self, files: Files, parts: DirectParts, clock: Callable[[], float] = time.time
    ) -> None:
        self._files = files
        self._parts = parts
        self._clock = clock

    def page(self, project: str, file_id: str, *, limit: int, after: int) -> PartPage:
        """The parts behind number `after`, with a link for each that has not arrived.

        Raises:
            FileNotFound.
            InvalidValue: the file does not wait for parts.
        """
        pending = self._files.pending(project, file_id)
        whole = plan_of(pending) if pending else None
        if pending is None or whole is None or pending.multipart_id is None:
            raise InvalidValue("id", "the file waits for no parts of a direct upload.")
        key, multipart_id = pending.file.blob_key(project), pending.multipart_id
        arrived = self._parts.sizes(key, multipart_id, after=after, limit=limit)
        lifetime = min(PUT_URL_SECONDS, pending.expires_at - int(self._clock()))

        def part(number: int) -> FilePart:
            size, link = whole.size_of(number), None
            if arrived.get(number) != size:
                link = self._parts.presign(key, multipart_id, number, size, lifetime)
            return FilePart(number, size, link)

        last = min(after + limit, whole.count)
        return PartPage([part(each) for each in range(after + 1, last + 1)], last < whole.count)
