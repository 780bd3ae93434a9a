"""The calls that pass through the proxy."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2
from aiohttp import web
from multidict import CIMultiDict

from files_api_client.asynchronous import AsyncClient
from files_api_client.options import DIRECT_LIMIT, PLAIN_LIMIT
from files_api_client.proxy import forms
from files_api_client.proxy.errors import ProxyError
from files_api_client.proxy.spool import FLUSH_SIZE, Content, Spool
from files_api_client.source import FileChanged

_LOG = logging.getLogger(__name__)
# RFC 9110, section 7.6.1. `Host` and `Expect` are answered or set anew for each connection.
_HOP_BY_HOP = frozenset(
    (
        *("connection", "expect", "host", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    )
)
_OF_THE_FORM = frozenset(("content-encoding", "content-length", "content-type"))
# What the storage may be asked with a presigned URL, and what of its answer reaches the client.
_TO_STORAGE = ("range", "if-range", "if-match", "if-none-match", "if-modified-since")
_FROM_STORAGE = (
    *("accept-ranges", "cache-control", "content-disposition", "content-length"),
    *("content-range", "content-type", "etag", "expires", "last-modified"),
)
# As the API accepts it (RFC 6838, "Naming Requirements").
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]{0,99}/[A-Za-z0-9][\w!#$&^.+-]{0,99}", re.ASCII)
_UNKNOWN = ("application/octet-stream",)
_FORMS = re.compile(r"/v1/(?:(files)|uploads/[^/]+/parts)")
_CONTENT = re.compile(r"/v1/files/[^/]+/content")
# Each connection that sends holds a chunk or two in memory.
_SENDING = httpx2.Limits(max_connections=8, max_keepalive_connections=8)
_PASSING = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
# Up to here one PUT, which can go on as bytes arrive. Parts are put together by the storage, which
# may take longer than what their parallel transfer saves.
_ONE_PUT = 1024**3
# How many files are sent while they arrive: slow clients must not hold all connections.
_EARLY = 4
_CONNECT_SECONDS = 10.0


class Calls:
    """Answers calls.

    Args:
        upstream: base URL of the API, which ends with `/v1`.
        folder: where bodies are kept while they are on their way; None for the system's.
        timeout: seconds to wait for a client that sends nothing, or an API that does not answer.
    """

    def __init__(self, upstream: str, folder: Path | None, timeout: float) -> None:
        self._root = upstream.removesuffix("/v1")
        self._folder = folder
        self._seconds = timeout
        wait = httpx2.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS), pool=None)
        self._http = httpx2.AsyncClient(limits=_PASSING, timeout=wait)
        self._uploads = AsyncClient(limits=_SENDING, timeout=wait, direct_limit=_ONE_PUT)
        self._early: set[asyncio.Task[web.Response]] = set()
        self._in_flight: set[asyncio.Task[Any]] = set()

    async def end(self, seconds: float) -> None:
        """Gives the calls in flight so long to end, and ends those that have not."""
        if calls := set(self._in_flight):
            await asyncio.wait(calls, timeout=seconds)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def close(self) -> None:
        await self._http.aclose()
        await self._uploads.aclose()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers a call, whatever happens."""
        if call := asyncio.current_task():
            self._in_flight.add(call)
            call.add_done_callback(self._in_flight.discard)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            path = request.raw_path.partition("?")[0]
            form = _FORMS.fullmatch(path) if request.method == "POST" else None
            if form and request.content_type == "multipart/form-data":
                return await self._take_form(request, "file" if form[1] else "data")
            if request.method in ("GET", "HEAD") and _CONTENT.fullmatch(path):
                return await self._serve_content(request)
            body = self._received(request) if request.can_read_body else None
            return await self._pass_on(request, body)
        except ProxyError as error:
            return error.answer()
        except httpx2.TimeoutException as error:
            kind = type(error).__name__
            said = f"The Files API or its storage did not answer in time: {kind}."
            return ProxyError(504, said).answer()
        except httpx2.TransportError as error:
            kind = type(error).__name__
            said = f"The proxy cannot reach the Files API or its storage: {kind}."
            return ProxyError(502, said).answer()
        except ConnectionError:  # of the client
            raise
        except Exception:
            _LOG.exception("Unhandled error")
            return ProxyError(500, "The proxy had an error. Please retry.").answer()

    async def _take_form(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        with closing(Spool(self._folder)) as body, closing(Spool(self._folder)) as content:
            received = self._received(request)
            async for chunk in received:
                body.add(chunk)
                await body.flush(FLUSH_SIZE)
                if body.size > PLAIN_LIMIT:
                    break
            else:  # the API itself judges every form that it can take
                return await self._pass_on(request, body.chunks(), body.size)
            if request.headers.get("Content-Encoding", "identity") != "identity":
                message = "The body is encoded: send the form as it is."
                raise ProxyError(415, message, "Content-Encoding", "unsupported_encoding")
            return await self._send_on(request, name, _both(body, received), content)

    async def _send_on(
        self, request: web.BaseRequest, name: str, body: AsyncIterator[bytes], content: Spool
    ) -> web.StreamResponse:
        """Sends a large field, if possible already while it arrives."""
        early: asyncio.Task[web.Response] | None = None

        def begin(form: forms.Form, around: int) -> None:
            nonlocal early
            size = (request.content_length or 0) - around
            possible = name == "file" and form.filename is not None and "purpose" in form.texts
            # Under an idempotency key a file cannot be announced again with another size.
            possible = possible and "Idempotency-Key" not in request.headers
            if possible and DIRECT_LIMIT < size <= _ONE_PUT and len(self._early) < _EARLY:
                sending = self._send(request, form, name, Content(content, size))
                early = asyncio.create_task(sending)
                self._early.add(early)
                early.add_done_callback(self._early.discard)

        try:
            form = await forms.read(request.headers["Content-Type"], body, name, content, begin)
            if early is not None:
                # Other fields came behind the file, or the storage did not wait for its bytes:
                # whatever it was, all bytes are here now.
                with suppress(FileChanged, httpx2.TransportError):
                    answer = await early
                    if answer.status < web.HTTPBadRequest.status_code:
                        return answer
            return await self._send(request, form, name, Content(content, content.size))
        finally:
            content.end()
            if early is not None:
                early.cancel()
                await asyncio.gather(early, return_exceptions=True)

    async def _received(self, request: web.BaseRequest) -> AsyncIterator[bytes]:
        """The body, as fast as it comes. Raises ProxyError if the client stops sending it."""
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    chunk = await request.content.readany()
            except TimeoutError:
                message = f"The client has sent nothing for {self._seconds:g} seconds."
                raise ProxyError(408, message) from None
            if not chunk:
                return
            yield chunk

    async def _send(
        self, request: web.BaseRequest, form: forms.Form, name: str, content: Content
    ) -> web.Response:
        """Sends a large field as the client does."""
        if not form.found or (name == "file" and form.filename is None):
            hint = " Send it as a form field with a filename." if name == "file" else ""
            raise ProxyError(400, f"Missing required parameter: '{name}'.{hint}", name)
        fields: dict[str, str] = {}
        if name == "file":
            if "purpose" not in form.texts:
                raise ProxyError(400, "Missing required parameter: 'purpose'.", "purpose")
            fields = {"purpose": form.texts["purpose"]} | forms.wish_to_expire(form.texts)
            if _MEDIA_TYPE.fullmatch(form.media_type) and form.media_type not in _UNKNOWN:
                fields["mime_type"] = form.media_type
        headers = [each for each in _end_to_end(request) if each[0].lower() not in _OF_THE_FORM]
        sent = self._uploads.build_request(
            "POST",
            self._url(request),
            headers=headers,
            data=fields,
            files={name: (form.filename or "part", content, form.media_type or None)},
        )
        answer = await self._uploads.send(sent)
        kept = _kept(answer, without=("content-encoding", "content-length"))
        return web.Response(status=answer.status_code, headers=kept, body=answer.content)

    async def _serve_content(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serves content, also what the API redirects to; the storage never sees the key."""
        sent = httpx2.Request(request.method, self._url(request), headers=_end_to_end(request))
        answer = await self._http.send(sent, stream=True)
        if not answer.has_redirect_location:
            return await _relay(request, answer, _kept(answer))
        await answer.aclose()
        asked = {name: request.headers[name] for name in _TO_STORAGE if name in request.headers}
        place = answer.url.join(answer.headers["location"])
        sent = httpx2.Request(request.method, place, headers=asked)
        stored = await self._http.send(sent, stream=True)
        if stored.status_code not in (200, 206, 304, 412):
            await stored.aclose()
            if stored.status_code == httpx2.codes.RANGE_NOT_SATISFIABLE:
                message = "The range begins behind the end of the content."
                raise ProxyError(416, message, code="invalid_range")
            raise ProxyError(502, f"The storage did not serve the content: {stored.status_code}.")
        headers = CIMultiDict(
            {name: stored.headers[name] for name in _FROM_STORAGE if name in stored.headers}
        )
        headers["x-request-id"] = answer.headers.get("x-request-id", "")
        headers["X-Content-Type-Options"] = "nosniff"
        return await _relay(request, stored, headers)

    async def _pass_on(
        self,
        request: web.BaseRequest,
        body: AsyncIterator[bytes] | None,
        size: int | None = None,
    ) -> web.StreamResponse:
        headers = _end_to_end(request)
        if size is not None:
            headers = [each for each in headers if each[0].lower() != "content-length"]
            headers.append(("Content-Length", str(size)))
        sent = httpx2.Request(request.method, self._url(request), headers=headers, content=body)
        answer = await self._http.send(sent, stream=True)
        return await _relay(request, answer, _kept(answer))

    def _url(self, request: web.BaseRequest) -> str:
        return self._root + request.raw_path


async def _both(head: Spool, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body whose beginning is on disk already."""
    async for chunk in head.chunks():
        yield chunk
    async for chunk in rest:
        yield chunk


def _end_to_end(request: web.BaseRequest) -> list[tuple[str, str]]:
    """The headers that are not about the client's connection."""
    named = {name.strip().lower() for name in request.headers.get("Connection", "").split(",")}
    dropped = _HOP_BY_HOP | named
    return [each for each in request.headers.items() if each[0].lower() not in dropped]


def _kept(answer: httpx2.Response, without: tuple[str, ...] = ()) -> CIMultiDict[str]:
    """The headers of an answer that are not about the proxy's connection."""
    named = {name.strip().lower() for name in answer.headers.get("connection", "").split(",")}
    dropped = _HOP_BY_HOP | named | set(without)
    return CIMultiDict(
        (name, value) for name, value in answer.headers.multi_items() if name.lower() not in dropped
    )


async def _relay(
    request: web.BaseRequest, answer: httpx2.Response, headers: CIMultiDict[str]
) -> web.StreamResponse:
    """Streams an answer as fast as the client takes it."""
    response = web.StreamResponse(
        status=answer.status_code, reason=answer.reason_phrase, headers=headers
    )
    try:
        await response.prepare(request)
        async for chunk in answer.aiter_raw():
            await response.write(chunk)
        await response.write_eof()
    except httpx2.TransportError:  # the answer has begun: to break it off is all that is left
        if request.transport:
            request.transport.abort()
    finally:
        await answer.aclose()
    return response
