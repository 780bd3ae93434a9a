"""Downloads of files in parallel pieces, which a later call goes on with."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

try:
    import fcntl
except ImportError:  # Windows, where nothing keeps two commands apart
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import FileObject

_PIECE_SIZE = 16 * 1024**2
_CHUNK_SIZE = 1024**2
_PARALLEL = 8
_ATTEMPTS = 4


class Incomplete(OSError):
    """The service did not send the bytes that were asked for."""


def download(
    client: "OpenAI", file: "FileObject", target: Path, progress: Callable[[int], object]
) -> None:
    """Writes a file's content.

    The bytes are in a hidden file beside the target until all of them are there, and a second one
    lists the pieces that are. Both remain if the download fails, and the next one goes on.

    Args:
        client: of the SDK.
        file: what to download.
        target: where to; what is there is replaced at the end.
        progress: called with the number of bytes after each chunk, from many threads.

    Raises the SDK's errors, Incomplete, and OSError if the content cannot be written.
    """
    partial = target.with_name(f".{file.id}.part")
    with _locked(partial):
        _complete(client, file, partial, progress)
        partial.replace(target)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Makes a file that no other process writes meanwhile. Raises Incomplete if one does."""
    if fcntl is None:
        path.touch()
        yield
        return
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Incomplete("Another command downloads this file to this folder now.") from None
        # What was opened may have become another command's target before it was locked.
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            yield
            return
    with _locked(path):
        yield


def _complete(
    client: "OpenAI", file: "FileObject", partial: Path, progress: Callable[[int], object]
) -> None:
    """Writes the pieces that are missing in a partial file. Raises the first failure."""
    listing = partial.with_suffix(".pieces")
    stored = _listed(listing) if partial.stat().st_size else set()
    offsets = range(0, file.bytes, _PIECE_SIZE)
    lock, stop = threading.Lock(), threading.Event()
    failures: list[BaseException] = []

    def fetch(offset: int) -> None:
        size = min(_PIECE_SIZE, file.bytes - offset)
        if offset in stored:
            progress(size)
        elif not stop.is_set():
            try:
                _fetch(client, file.id, partial, offset, size, progress, stop)
                with lock, listing.open("a") as lines:
                    lines.write(f"{offset}\n")
            except BaseException as error:  # the others only stop because of the first
                failures.append(error)
                stop.set()

    if not stored:
        listing.unlink(missing_ok=True)
    with ThreadPoolExecutor(_PARALLEL, "files-api-download") as pool:
        try:
            list(pool.map(fetch, offsets))
        except BaseException:  # Ctrl-C: the pieces under way end at their next chunk
            stop.set()
            raise
    if failures:
        raise failures[0]
    listing.unlink(missing_ok=True)


def _listed(listing: Path) -> set[int]:
    """The offsets of the pieces that are stored. A line that was cut off counts for nothing."""
    try:
        *lines, _ = listing.read_text().split("\n")
    except FileNotFoundError:
        return set()
    return {int(line) for line in lines if line.isdigit()}


def _fetch(
    client: "OpenAI",
    file_id: str,
    partial: Path,
    offset: int,
    size: int,
    progress: Callable[[int], object],
    stop: threading.Event,
) -> None:
    """Stores a piece; after a lost connection it goes on with the byte that is missing."""
    done, content = 0, client.files.with_streaming_response.content
    with partial.open("r+b") as out:
        out.seek(offset)
        for attempt in range(_ATTEMPTS):
            asked = f"bytes={offset + done}-{offset + size - 1}"
            try:
                with content(file_id, extra_headers={"Range": asked}) as answer:
                    if answer.status_code != httpx2.codes.PARTIAL_CONTENT:
                        raise Incomplete("The service does not answer ranges of the content.")
                    for chunk in answer.iter_bytes(_CHUNK_SIZE):
                        if stop.is_set():  # raised, so that half a piece is never listed
                            raise Incomplete("The download was stopped.")
                        out.write(chunk)
                        done += len(chunk)
                        progress(len(chunk))
                if done != size:
                    raise Incomplete(f"{done} of {size} bytes came.")
                break
            except httpx2.TransportError:
                if attempt == _ATTEMPTS - 1:
                    raise
        out.flush()
        os.fsync(out.fileno())
