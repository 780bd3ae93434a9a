"""A stub of AWS: prepared answers, at once, over connections that stay open.

It is a process of its own, so that its CPU is not measured.

Usage: python -m benchmarks.stub
Prints its port on stdout, and ends when its stdin is closed. `GET /requests` returns the number of
AWS requests so far.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.answers import answer, http

# Takes method, path and query, headers and body, like `answers.answer`.
type Answering = Callable[[str, str, Mapping[str, str], bytes], bytes]

COUNT_PATH: Final = "/requests"


class _Server:
    """Answers requests, and counts them."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a connection until the client closes it."""
        while head := await _head(reader):
            first, *rest = head.decode().split("\r\n")
            method, url, _ = first.split(" ")
            pairs = (line.partition(":") for line in rest)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            if headers.get("expect") == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if url == COUNT_PATH:
                writer.write(http("200 OK", str(self._requests).encode()))
            else:
                self._requests += 1
                writer.write(self._answer(method, url, headers, body))
            await writer.drain()
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The request line and headers; empty if the client has closed the connection."""
    try:
        return (await reader.readuntil(b"\r\n\r\n"))[:-4]
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def serve(answer: Answering) -> None:
    """Answers requests until stdin is closed."""
    server = await asyncio.start_server(_Server(answer).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(answer))
