"""The bytes of a call: found in what the call sends, and read piece by piece."""

import io
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, BinaryIO

import httpx2

# Under it a request carries its bytes from `build_request` to `send`: both are public, and so is
# what the first is given; the form that it builds is neither parsed nor looked into.
EXTENSION = "files_api_client.source"

# For each field that holds bytes, the ends of the paths that are called with it.
_PATHS = {
    "file": re.compile(r"(?<=/)files(/[^/]+/parts)?$"),
    "data": re.compile(r"(?<=/)uploads/[^/]+/parts$"),
}


class FileChanged(OSError):
    """The file is not, or no longer, the one whose bytes are expected."""


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file: where they begin, and how many they are."""

    offset: int
    size: int


@dataclass(frozen=True)
class Source:
    """The bytes to be sent, all of them, whatever the current position.

    Attributes:
        path: what the call's URL has after the API's base URL, such as `files`.
        content: where the bytes are read from, by many threads if need be.
        size: how many bytes it has.
        filename: its name.
        fields: the other fields of the call, as a form has them.
    """

    path: str
    content: BinaryIO
    size: int
    filename: str
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


def attach(request: httpx2.Request, fields: object, files: object) -> httpx2.Request:
    """Lets a request carry the bytes that it would send, if their number is known.

    Args:
        request: as built.
        fields: what it was built from as `data`.
        files: what it was built from as `files`.
    """
    source = _find(request, fields or {}, files)
    if source is not None:
        request.extensions = {**request.extensions, EXTENSION: source}
    return request


def attached(request: httpx2.Request) -> Source | None:
    """The bytes that the request carries."""
    source = request.extensions.get(EXTENSION)
    return source if isinstance(source, Source) else None


def _find(request: httpx2.Request, fields: object, files: object) -> Source | None:
    entries = list(files.items()) if isinstance(files, Mapping) else files
    if request.method != "POST" or not isinstance(fields, Mapping):
        return None
    if not isinstance(entries, Sequence) or len(entries) != 1 or entries[0][0] not in _PATHS:
        return None
    name, file = entries[0]
    path = _PATHS[name].search(request.url.raw_path.partition(b"?")[0].decode())
    # A file of a container is posted to …/files, too, but has no purpose.
    if path is None or (path[0] == "files" and "purpose" not in fields):
        return None
    return _source(path[0], file, fields)


def _source(path: str, file: Any, fields: Mapping[str, Any]) -> Source | None:
    """The file in one of the forms that httpx2 takes: alone, or (name, content, type, headers)."""
    if isinstance(file, tuple):
        filename, content = file[0] or "", file[1]
    else:
        filename, content = PurePath(str(getattr(file, "name", "upload"))).name, file
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        content = io.BytesIO(content)
    size = _size(content)
    return None if size is None else Source(path, content, size, filename, fields)


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
