"""Bytes on their way, kept on disk: memory does not grow with them."""

import asyncio
import io
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from files_api_client.proxy.errors import ProxyError
from files_api_client.source import FileChanged

FLUSH_SIZE = 1024**2
_CHUNK_SIZE = 256 * 1024


class Spool:
    """A temporary file without a name: it is gone when the proxy ends, however it ends.

    Args:
        folder: where it is; None for the system's folder for temporary files.

    Attributes:
        size: how many bytes it has.
    """

    def __init__(self, folder: Path | None) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - see `close`
        except OSError as error:
            raise _full(error) from None
        self.size = 0
        self._waiting = bytearray()
        self._written = 0
        self._ended = False
        self._grows = threading.Condition()  # also a lock, since the file has one position

    def add(self, chunk: bytes) -> None:
        """Takes a chunk, which `flush` writes."""
        self._waiting += chunk
        self.size += len(chunk)

    async def flush(self, least: int = 0) -> None:
        """Writes what waits, if it is that much. Raises ProxyError if the disk is full."""
        if len(self._waiting) > least:
            waiting, self._waiting = self._waiting, bytearray()
            try:
                await asyncio.to_thread(self._write, waiting)
            except OSError as error:
                raise _full(error) from None

    def end(self) -> None:
        """Says that nothing comes any more, to whoever waits for it."""
        with self._grows:
            self._ended = True
            self._grows.notify_all()

    def read(self, offset: int, size: int, expected: int) -> bytes:
        """Bytes from `offset` on, once they are written. To be called from a thread.

        Args:
            offset: of the first byte.
            size: how many.
            expected: how many bytes the spool is to have in the end. Those at the end are given
                away only when there are no others behind them.

        Raises FileChanged if there are more or fewer bytes in the end.
        """
        until = min(offset + size, expected)
        with self._grows:
            self._grows.wait_for(
                lambda: self._ended or (self._written >= until and until < expected)
            )
            if self._ended and self._written != expected:
                raise FileChanged(f"{self._written} bytes came, not {expected}.")
            self._file.seek(offset)
            return self._file.read(until - offset) or b""

    async def chunks(self) -> AsyncIterator[bytes]:
        """All bytes, from the first one on."""
        await self.flush()
        self.end()
        for offset in range(0, self.size, _CHUNK_SIZE):
            yield await asyncio.to_thread(self.read, offset, _CHUNK_SIZE, self.size)

    def close(self) -> None:
        self._file.close()

    def _write(self, content: bytearray) -> None:
        with self._grows, memoryview(content) as view:
            self._file.seek(self._written)
            done = 0
            while done < len(view):
                done += self._file.write(view[done:])
            self._written += done
            self._grows.notify_all()


class Content:
    """A spool as a file of a known size, which can be read while it still arrives.

    Args:
        spool: has the bytes, or will have them.
        size: how many.
    """

    def __init__(self, spool: Spool, size: int) -> None:
        self._spool = spool
        self._size = size
        self._position = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        """As a file. Raises FileChanged if the spool gets another size."""
        size = self._size if size < 0 else size
        chunk = self._spool.read(self._position, size, self._size)
        self._position += len(chunk)
        return chunk


def _full(error: OSError) -> ProxyError:
    return ProxyError(507, f"The proxy cannot keep the body on its disk: {error.strerror}.")
