"""AWS as far as the calls need it: canned answers, at once, over kept connections.

A process of its own, so that its CPU is not the measured one's.

Usage: python -m benchmarks.stub
Says its port on stdout and ends when its stdin does. `GET /requests` answers how many requests of
AWS there were so far.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.answers import answer, http

# Of the method, the path and query, the headers and the body, as `answers.answer`.
type Answering = Callable[[str, str, Mapping[str, str], bytes], bytes]

COUNT_PATH: Final = "/requests"


class _Server:
    """Answers connections and counts what comes over them."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as long as the client keeps it."""
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
    """The request line and headers; nothing where the client has gone."""
    try:
        return (await reader.readuntil(b"\r\n\r\n"))[:-4]
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def serve(answer: Answering) -> None:
    """Answers until stdin ends."""
    server = await asyncio.start_server(_Server(answer).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(answer))
