"""The file of a call: found in what the call sends, and read piece by piece."""

import io
import mimetypes
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, BinaryIO

import httpx2

from files_api_client.options import MAX_PARTS

# Under it a request carries its file from `build_request` to `send`: both are public, and so is
# what the first is given; the form that it builds is neither parsed nor looked into.
EXTENSION = "files_api_client.source"


class FileChanged(OSError):
    """The file has become shorter while it was sent."""


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file: where they begin, and how many they are."""

    offset: int
    size: int


@dataclass(frozen=True)
class Source:
    """A file to be sent, whole, from its first byte.

    Attributes:
        content: where its bytes are read from, by many threads if need be.
        size: how many bytes it has.
        filename: its name.
        mime_type: what it is.
        fields: the other fields of the call, as a form has them.
    """

    content: BinaryIO
    size: int
    filename: str
    mime_type: str
    fields: Mapping[str, Any]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes or fewer, at least one, from `offset` on.

        Raises FileChanged at the end of the file.
        """
        with self._lock:
            self.content.seek(offset)
            chunk = self.content.read(size)
        if not chunk:
            raise FileChanged(f"{self.filename} ends after {offset} of {self.size} bytes.")
        return chunk

    def pieces(self, size: int) -> Iterator[Piece]:
        """The file in pieces of `size` bytes, larger ones if there would be too many."""
        size = max(size, -(-self.size // MAX_PARTS))
        for offset in range(0, self.size, size):
            yield Piece(offset, min(size, self.size - offset))


def attach(request: httpx2.Request, fields: object, files: object) -> httpx2.Request:
    """Lets a request that would create a file carry it, if its size is known.

    Args:
        request: as built.
        fields: what it was built from as `data`.
        files: what it was built from as `files`.
    """
    source = _find(request, fields, files)
    if source is not None:
        request.extensions = {**request.extensions, EXTENSION: source}
    return request


def attached(request: httpx2.Request) -> Source | None:
    """The file that the request would create."""
    source = request.extensions.get(EXTENSION)
    return source if isinstance(source, Source) else None


def _find(request: httpx2.Request, fields: object, files: object) -> Source | None:
    # A file of a container is posted to …/files, too, but has no purpose.
    if request.method != "POST" or not request.url.path.endswith("/files"):
        return None
    if not isinstance(fields, Mapping) or "purpose" not in fields:
        return None
    entries = list(files.items()) if isinstance(files, Mapping) else files
    if not isinstance(entries, Sequence) or len(entries) != 1 or entries[0][0] != "file":
        return None
    return _source(entries[0][1], fields)


def _source(file: Any, fields: Mapping[str, Any]) -> Source | None:
    """The file in one of the forms that httpx2 takes: alone, or (name, content, type, headers)."""
    if isinstance(file, tuple):
        name, content, *rest = file
        mime_type = rest[0] if rest else None
    else:
        name, content, mime_type = getattr(file, "name", "upload"), file, None
    if not name:
        return None
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        content = io.BytesIO(content)
    size = _size(content)
    if size is None:
        return None
    filename = name if isinstance(file, tuple) else PurePath(str(name)).name
    mime_type = mime_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return Source(content, size, filename, mime_type, fields)


def _size(content: Any) -> int | None:
    """How many bytes a file object holds, None where it cannot tell.

    Asked of the object, not of the operating system: the file behind a `gzip.GzipFile` is smaller.
    """
    try:
        position = content.tell()
        content.seek(0, io.SEEK_END)
        size = content.tell()
        content.seek(position)
    except (AttributeError, OSError, ValueError):
        return None
    return size if isinstance(size, int) else None
