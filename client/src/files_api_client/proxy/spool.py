"""Bytes on their way, kept on disk: memory does not grow with them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from files_api_client.proxy.errors import ProxyError

FLUSH_SIZE = 1024**2
_CHUNK_SIZE = 256 * 1024


class Spool:
    """A temporary file without a name: it is gone when the proxy ends, however it ends.

    Args:
        folder: where it is; None for the system's folder for temporary files.

    Attributes:
        file: the file.
        size: how many bytes it has.
    """

    def __init__(self, folder: Path | None) -> None:
        try:
            self.file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - see `close`
        except OSError as error:
            raise _full(error) from None
        self.size = 0
        self._waiting = bytearray()

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

    async def chunks(self) -> AsyncIterator[bytes]:
        """All bytes, from the first one on."""
        await self.flush()
        self.file.seek(0)
        while chunk := await asyncio.to_thread(self.file.read, _CHUNK_SIZE):
            yield chunk

    def close(self) -> None:
        self.file.close()

    def _write(self, content: bytearray) -> None:
        view = memoryview(content)
        while view:
            view = view[self.file.write(view) :]


def _full(error: OSError) -> ProxyError:
    return ProxyError(507, f"The proxy cannot keep the body on its disk: {error.strerror}.")
