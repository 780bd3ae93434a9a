"""HTTP: from an API Gateway event to a call, and from its result or error to an answer."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from files_api.api import documents
from files_api.api.audit import log_made
from files_api.api.function import Event, Function
from files_api.observability import logger
from files_api.service.errors import (
    ApiError,
    InsufficientPermissions,
    InternalError,
    InvalidValue,
    MalformedBody,
    UnsupportedEncoding,
)
from files_api.service.filenames import content_disposition
from files_api.service.quota import Quota
from files_api.service.terms import Terms

# What pages of another origin may read of an answer, besides its body.
_EXPOSED_HEADERS = "ETag, Content-Range, Accept-Ranges, x-request-id, Retry-After"
_MAX_IDEMPOTENCY_KEY = 255  # characters
_encoded = json.JSONEncoder(ensure_ascii=False).encode


class Request:
    """A call.

    Source: Amazon API Gateway, "Input format of a Lambda function for proxy integration".

    Attributes:
        project: the project of the caller's key; the call sees nothing of any other.
        scopes: what the key permits.
        terms: the project's own quota and the caller's idempotency key.
        method: the call's method.
        query: the query string; a repeated parameter has its last value.
    """

    def __init__(self, event: Event) -> None:
        caller = event["requestContext"]["authorizer"]
        self._event = event
        self._headers = headers(event)
        self.method: str = event["httpMethod"]
        self.project: str = caller["project"]
        self.scopes: list[str] = caller["scopes"].split()
        files, size = caller.get("max_files"), caller.get("max_bytes")  # the gateway makes text
        quota = Quota(files and int(files), size and int(size))
        self.terms = Terms(quota, self._idempotency_key())
        self.query: dict[str, str] = event.get("queryStringParameters") or {}

    def _idempotency_key(self) -> str | None:
        """What the caller sends as `Idempotency-Key`, if anything. Raises InvalidValue."""
        key = self._headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= _MAX_IDEMPOTENCY_KEY:
            raise InvalidValue("Idempotency-Key", "must have 1 to 255 characters.")
        return key

    def header(self, name: str) -> str:
        """The value of a header (`name` in lower case); "" if it is absent."""
        return self._headers.get(name, "")

    @property
    def media_type(self) -> str:
        """The body's media type, in lower case and without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, in UTF-8. Raises MalformedBody, UnsupportedEncoding."""
        try:
            found = documents.loads(self.body.decode("utf-8-sig"))
        except UnicodeDecodeError:
            found = None
        if not isinstance(found, dict):
            raise MalformedBody("The body is not a JSON object.")
        return found

    @property
    def body(self) -> bytes:
        """The body as sent. Raises MalformedBody, UnsupportedEncoding."""
        encoding = self.header("content-encoding").strip().lower()
        if encoding not in ("", "identity"):
            raise UnsupportedEncoding("Content-Encoding", encoding)
        text: str = self._event.get("body") or ""
        try:
            return b64decode(text) if self._event.get("isBase64Encoded") else text.encode()
        except ValueError:
            raise MalformedBody("The body cannot be decoded.") from None


@dataclass(slots=True)
class Response:
    """An answer. `body` is text, or bytes that are sent as they are."""

    body: str | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def attachment(
    filename: str, content: bytes, etag: str, span: tuple[int, int] | None = None
) -> Response:
    """The answer that offers `content` as a download; no browser renders it, whatever it is.

    Args:
        filename: the name that it is offered under.
        content: all of it.
        etag: of all of it.
        span: the first and the last byte to send; None for all.
    """
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition(filename),
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    if span is None:
        return Response(content, headers=headers)
    first, last = span
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers)


def redirect(url: str) -> Response:
    """The answer that sends a client to another URL, this once."""
    return Response("", 302, {"Location": url, "Cache-Control": "no-store"})


class Answering[Service](Function[Service]):
    """A function that answers HTTP.

    Args:
        compose: makes the service that the function uses; called once, by `start`.
        allowed_origin: finds the origin whose pages may read the answers ("*" for all, "" for
            none); called once, by `start`.
    """

    def __init__(self, compose: Callable[[], Service], allowed_origin: Callable[[], str]) -> None:
        super().__init__(compose)
        self._allowed_origin = cache(allowed_origin)

    def start(self) -> Service:
        """The service; the first call composes it."""
        self._allowed_origin()
        return super().start()

    def answer(self, event: Event, response: Response) -> dict[str, Any]:
        """What the gateway gets: the answer, with the id of the request.

        It names the allowed origin whatever the caller's is, so every caller gets the same answer.
        """
        body = response.body
        headers = response.headers | {"x-request-id": event["requestContext"]["requestId"]}
        if origin := self._allowed_origin():
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        return {
            "statusCode": response.status,
            "headers": headers,
            "body": body if isinstance(body, str) else b64encode(body).decode(),
            "isBase64Encoded": isinstance(body, bytes),
        }


class Api[Service](Answering[Service]):
    """A function that serves one route.

    Args:
        compose, allowed_origin: see `Answering`.

    Attributes:
        methods: the route's methods.
        path: the route's path.
        scope: the scope that a key needs.
    """

    def __init__(self, compose: Callable[[], Service], allowed_origin: Callable[[], str]) -> None:
        super().__init__(compose, allowed_origin)
        self.methods: tuple[str, ...] = ()
        self.path = self.scope = ""

    def get(self, path: str, *, scope: str, head: bool = False) -> Callable[..., Any]:
        """Serves GET on `path`, and HEAD if wanted, to keys that have the `scope`."""
        return self._route(("GET", "HEAD") if head else ("GET",), path, scope)

    def post(self, path: str, *, scope: str) -> Callable[..., Any]:
        """Serves POST on `path` to keys that have the `scope`."""
        return self._route(("POST",), path, scope)

    def delete(self, path: str, *, scope: str) -> Callable[..., Any]:
        """Serves DELETE on `path` to keys that have the `scope`."""
        return self._route(("DELETE",), path, scope)

    def _route(self, methods: tuple[str, ...], path: str, scope: str) -> Callable[..., Any]:
        def register[F: Callable[..., Any]](function: F) -> F:
            self.methods, self.path, self.scope, self._function = methods, path, scope, function
            return function

        return register

    def handle(self, event: Event) -> dict[str, Any]:
        """Answers every event, whatever the function does."""
        return self.answer(event, self._respond(event))

    def _respond(self, event: Event) -> Response:
        subject = {
            "request_id": event["requestContext"]["requestId"],
            "route": f"{event['httpMethod']} {self.path}",
        }
        try:
            request = Request(event)
            subject["project"] = request.project
            if self.scope not in request.scopes:
                raise InsufficientPermissions(self.scope)
            result = self._function(self.start(), request, **(event["pathParameters"] or {}))
            if isinstance(result, Response):
                return result
            log_made(event, result)
            return _json(result)
        except ApiError as error:
            return failure(error)
        except Exception:
            logger().exception("Unhandled error", extra=subject)
            return failure(InternalError())


def headers(event: Event) -> dict[str, str]:
    """The headers of an event, by their names in lower case."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def failure(error: ApiError) -> Response:
    """The answer that tells an error."""
    response = _json(error.public(), error.status)
    response.headers.update(error.headers)
    return response


def _json(value: object, status: int = 200) -> Response:
    return Response(_encoded(value), status)
