"""The edge: `http://127.0.0.1:PORT/v1/...`, a reverse proxy to the API's stage in MiniStack.

It passes on requests and answers byte for byte, and does what API Gateway and Lambda do but
MiniStack does not: it enforces their size limits and, when a function fails, answers in the API's
own error form. Like a custom domain on AWS, it has no stage in its paths.
"""

import asyncio
import io
import logging
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tools.local.gateway import bodies, limits
from tools.local.gateway.responses import GatewayResponse

# AWS, "Quotas for configuring and running a REST API in API Gateway": the default and longest.
INTEGRATION_TIMEOUT: Final = 29.0  # seconds
STOP_LIMIT: Final = 5.0  # seconds for requests in progress

_LOG: Final = logging.getLogger(__name__)
# RFC 9110, section 7.6.1. `Content-Length` and `Host` are set anew for each connection, and
# `Expect` is answered before the body is read.
_HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding"),
        "upgrade",
    )
)
_NEVER_ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
# MiniStack's answer when a function has failed; no function of this API answers like this.
_BARE_MESSAGE: Final = re.compile(rb'\{"message": ?".*"\}', re.DOTALL)


class Edge:
    """The proxy, which runs in a thread of its own.

    Args:
        listener: a bound TCP socket, which the proxy will close.
        target: the URL of the API's stage in MiniStack.
        responses: the gateway's answers by type, including the defaults.
    """

    def __init__(
        self, listener: socket.socket, target: str, responses: Mapping[str, GatewayResponse]
    ) -> None:
        self._listener = listener
        self._target = target
        self._responses = responses
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="edge")
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._session: aiohttp.ClientSession

    def start(self) -> None:
        """Starts the proxy; returns once it accepts requests."""
        self._listener.listen()
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Finishes the requests in progress and ends."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_NEVER_ADDED,
            timeout=aiohttp.ClientTimeout(total=INTEGRATION_TIMEOUT),
        ) as self._session:
            server = _Server(
                self._answer,
                self._unreadable,
                access_log=None,
                auto_decompress=False,
                lingering_time=0,  # `bodies.refuse` lingers, and notices when the client leaves
                logger=_LOG,
                max_field_size=limits.HEADERS,
                max_line_size=limits.HEADERS,
            )
            runner = web.ServerRunner(server, shutdown_timeout=STOP_LIMIT)
            await runner.setup()
            await web.SockSite(runner, self._listener).start()
            self._started.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Passes on a request, or rejects it as the gateway would."""
        body = await bodies.read(request)
        if body is None or not limits.event_fits(request.raw_path, request.raw_headers, body):
            refusal = self._own_answer(request, "REQUEST_TOO_LARGE")
            await bodies.refuse(request, refusal)
            return refusal
        try:
            status, headers, content = await self._forward(request, body)
        except TimeoutError:
            return self._own_answer(request, "INTEGRATION_TIMEOUT")
        except aiohttp.ClientError:
            return self._own_answer(request, "INTEGRATION_FAILURE")
        if _is_failed_function(status, content) or not limits.result_fits(headers, content):
            # Seen on AWS: a result that is too large counts as a failure of the function.
            return self._own_answer(request, "INTEGRATION_FAILURE")
        return web.Response(status=status, headers=headers, body=content)

    def _unreadable(self, request: web.BaseRequest, status: int) -> web.StreamResponse:
        """Rejects a request that is not HTTP, as far as the proxy can tell."""
        answer = self._own_answer(request, "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX", status)
        answer.force_close()
        return answer

    async def _forward(
        self, request: web.BaseRequest, body: bytes
    ) -> tuple[int, CIMultiDict[str], bytes]:
        """Sends the unchanged request to MiniStack; returns the unchanged answer."""
        headers = _end_to_end(request.raw_headers)
        # With `*/*` among the binary media types, API Gateway sends bytes as bytes even without an
        # Accept header; MiniStack would send their base64.
        headers.setdefault("Accept", "*/*")
        async with self._session.request(
            request.method,
            URL(f"{self._target}{_target_of(request)}", encoded=True),
            headers=headers,
            data=io.BytesIO(body) if body else None,
            allow_redirects=False,
        ) as answer:
            received = _end_to_end(answer.raw_headers)
            if request.method == "HEAD" and "Content-Length" in answer.headers:
                received["Content-Length"] = answer.headers["Content-Length"]
            return answer.status, received, await answer.read()

    def _own_answer(
        self, request: web.BaseRequest, kind: str, status: int | None = None
    ) -> web.StreamResponse:
        """Answers as the gateway does, with the response configured for this type of error."""
        response = self._responses[kind]
        status = status or response.status
        request_id = str(uuid.uuid4())
        context = {
            "requestId": request_id,
            "httpMethod": request.method,
            "path": _target_of(request).partition("?")[0],
            "error.message": HTTPStatus(status).phrase,
            "error.responseType": kind,
        }
        headers, body = response.render(context)
        headers["x-amzn-RequestId"] = request_id
        return web.Response(status=status, headers=headers, body=body.encode())


type _OnError = Callable[[web.BaseRequest, int], web.StreamResponse]


class _Server(web.Server):
    """A server that also answers what aiohttp cannot read, or fails to handle, in its own way."""

    def __init__(self, handler: Any, on_error: _OnError, **options: Any) -> None:
        super().__init__(handler, **options)
        self._on_error = on_error
        self._options = options

    def __call__(self) -> web.RequestHandler:
        return _RequestHandler(
            self, self._on_error, loop=asyncio.get_running_loop(), **self._options
        )


class _RequestHandler(web.RequestHandler):
    __slots__ = ("_on_error",)

    def __init__(self, server: _Server, on_error: _OnError, **options: Any) -> None:
        super().__init__(server, **options)
        self._on_error = on_error

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        self.log_debug("Request refused: %s %s", message, exc)
        return self._on_error(request, status)


def _is_failed_function(status: int, content: bytes) -> bool:
    server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return server_error and _BARE_MESSAGE.fullmatch(content) is not None


def _target_of(request: web.BaseRequest) -> str:
    """Path and query as sent; bytes that a URL may not contain are percent-encoded."""
    target = request.raw_path
    if not target.startswith("/"):
        # The whole URL (RFC 9112, section 3.2.2), or the `*` of OPTIONS.
        target = "/" + target.partition("://")[2].partition("/")[2]
    return quote(target.encode("utf-8", "surrogateescape"), safe="%/?:@!$&'()*+,;=-._~[]")


def _end_to_end(raw: Iterable[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    """The headers of a message that are not about its connection, in their order and spelling."""
    return CIMultiDict(
        (name.decode("latin-1"), value.decode("utf-8", "replace"))
        for name, value in raw
        if name.decode("latin-1").lower() not in _HOP_BY_HOP
    )
