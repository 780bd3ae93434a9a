"""Reads request bodies up to the gateway's size limit."""

import asyncio
import contextlib
from typing import Final

from aiohttp import web

from tools.local.gateway import limits

LINGER_LIMIT: Final = 10.0  # seconds


async def read(request: web.BaseRequest) -> bytes | None:
    """The whole body; None as soon as it exceeds what the gateway accepts."""
    if (request.content_length or 0) > limits.BODY:
        return None
    if _asks_first(request) and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limits.BODY:
            return None
    return bytes(body)


async def refuse(request: web.BaseRequest, answer: web.StreamResponse) -> None:
    """Answers before the whole body has arrived, and discards the rest of it for a while.

    A client may send its whole body before it reads the answer. If the connection were closed at
    once, such a client would see a broken connection instead of the answer.
    """
    await answer.prepare(request)
    await answer.write_eof()
    if not _asks_first(request):
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(LINGER_LIMIT):
                async for _ in request.content.iter_any():
                    pass


def _asks_first(request: web.BaseRequest) -> bool:
    """Whether the client waits for permission to send its body."""
    return request.headers.get("Expect", "").lower() == "100-continue"
