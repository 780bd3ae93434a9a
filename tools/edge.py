"""The front door: `http://127.0.0.1:PORT/v1/...`, a reverse proxy to the API's stage in MiniStack.

It passes requests and answers on byte for byte, and does what API Gateway and Lambda do and
MiniStack does not: it holds their size limits, and answers in the API's own error form when a
function fails. To a client it is what a custom domain is on AWS: no stage in the path.
"""

import asyncio
import io
import logging
import re
import socket
import threading
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tools import bodies, limits
from tools.gateway_responses import GatewayResponse
from tools.headers import end_to_end

# AWS, "Quotas for configuring and running a REST API in API Gateway": the default and longest.
INTEGRATION_TIMEOUT: Final = 29.0  # seconds
STOP_LIMIT: Final = 5.0  # seconds for requests under way

_LOG: Final = logging.getLogger(__name__)
_NEVER_ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
# MiniStack's own words where a function failed; no function of this API answers like this.
_BARE_MESSAGE: Final = re.compile(rb'\{"message": ?".*"\}', re.DOTALL)


class Edge:
    """The proxy, running in a thread of its own.

    Args:
        listener: a bound TCP socket; belongs to the proxy from now on.
        target: the URL of the API's stage in MiniStack.
        responses: the gateway's answers by type, the defaults included.
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
        """Return when requests are taken."""
        self._listener.listen()
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Finish the requests under way and end."""
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
            server = web.Server(
                self._answer,
                access_log=None,
                auto_decompress=False,
                lingering_time=0,  # `bodies.refuse` does that, and notices when the client leaves
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
        """Pass one request on, or refuse it as the gateway would."""
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
        if status >= HTTPStatus.BAD_REQUEST:
            content = self._completed(request, content)
        return web.Response(status=status, headers=headers, body=content)

    async def _forward(
        self, request: web.BaseRequest, body: bytes
    ) -> tuple[int, CIMultiDict[str], bytes]:
        """Send the request to MiniStack as it came; return its answer as it came."""
        headers = CIMultiDict(end_to_end(request.raw_headers))
        # With `*/*` among the binary media types API Gateway needs no Accept to send bytes as
        # bytes; MiniStack would send their base64.
        headers.setdefault("Accept", "*/*")
        async with self._session.request(
            request.method,
            URL(f"{self._target}{_target_of(request)}", encoded=True),
            headers=headers,
            data=io.BytesIO(body) if body else None,
            allow_redirects=False,
        ) as answer:
            received = CIMultiDict(end_to_end(answer.raw_headers))
            if request.method == "HEAD" and "Content-Length" in answer.headers:
                received["Content-Length"] = answer.headers["Content-Length"]
            return answer.status, received, await answer.read()

    def _own_answer(self, request: web.BaseRequest, kind: str) -> web.StreamResponse:
        """Answer as the gateway does, from the response configured for this type of error."""
        response = self._responses[kind]
        request_id = str(uuid.uuid4())
        context = {
            **_literals(request),
            "requestId": request_id,
            "error.message": HTTPStatus(response.status).phrase,
            "error.responseType": kind,
        }
        headers, body = response.render(context)
        headers["x-amzn-RequestId"] = request_id
        return web.Response(status=response.status, headers=headers, body=body.encode())

    def _completed(self, request: web.BaseRequest, content: bytes) -> bytes:
        """The answer with what MiniStack left literal, if the gateway is who wrote it."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return content
        for response in self._responses.values():
            completed = response.complete(text, _literals(request))
            if completed is not None:
                return completed.encode()
        return content


def _is_failed_function(status: int, content: bytes) -> bool:
    server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return server_error and _BARE_MESSAGE.fullmatch(content) is not None


def _literals(request: web.BaseRequest) -> dict[str, str]:
    """The two `$context` values that MiniStack leaves out; the path has no query."""
    return {"httpMethod": request.method, "path": _target_of(request).partition("?")[0]}


def _target_of(request: web.BaseRequest) -> str:
    """Path and query as sent, with bytes that may not stand in a URL percent-encoded."""
    target = request.raw_path
    if not target.startswith("/"):
        # The whole URL (RFC 9112, section 3.2.2), or the `*` of OPTIONS.
        target = "/" + target.partition("://")[2].partition("/")[2]
    return quote(target.encode("utf-8", "surrogateescape"), safe="%/?:@!$&'()*+,;=-._~[]")
