"""From an API Gateway event to a call, and from what it returns or raises to an answer."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from files_api.endpoint import Endpoint
from files_api.errors import ApiError, InsufficientPermissions, InternalError, MalformedBody
from files_api.filenames import content_disposition
from files_api.observability import logger

type Event = Mapping[str, Any]
type Answer = dict[str, Any]


class Request:
    """One call, as API Gateway's proxy integration hands it over ("Input format of a Lambda
    function for proxy integration").

    Attributes:
        project: the project of the key; None of another project's things can be reached with it.
        scopes: what the key may do.
        query: the query string; of a parameter given twice, the last.
    """

    def __init__(self, event: Event) -> None:
        caller = event["requestContext"]["authorizer"]
        self._event = event
        self.project: str = caller["project"]
        self.scopes: list[str] = caller["scopes"].split()
        self.query: dict[str, str] = event.get("queryStringParameters") or {}

    def header(self, name: str) -> str:
        """The header's value, "" where it is absent. `name` in lower case."""
        headers = self._event.get("headers") or {}
        return next((value for key, value in headers.items() if key.lower() == name), "")

    @property
    def media_type(self) -> str:
        """The body's type, in lower case and without options."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def json(self) -> dict[str, Any]:
        """The body, an object in JSON. Raises MalformedBody."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise MalformedBody("The body is not a JSON object.")
        return found

    @property
    def body(self) -> bytes:
        """The body, as sent."""
        text: str = self._event.get("body") or ""
        return b64decode(text) if self._event.get("isBase64Encoded") else text.encode()


@dataclass(slots=True)
class Response:
    """An answer. `body` is text, or bytes to be sent as they are."""

    body: str | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def attachment(filename: str, content: bytes) -> Response:
    """The answer that offers `content` as a download, whatever it is: no browser may render it."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition(filename),
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers)


def redirect(url: str) -> Response:
    """The answer that sends a client elsewhere for now."""
    return Response("", 302, {"Location": url, "Cache-Control": "no-store"})


class Api[Service](Endpoint[Service]):
    """One endpoint: its route, its scope and its function.

    Args:
        compose: makes the service that the function works with; called once, at `start`.
    """

    def __init__(self, compose: Callable[[], Service]) -> None:
        super().__init__(compose)
        self.method = self.path = self.scope = ""

    def get(self, path: str, *, scope: str) -> Callable[..., Any]:
        """Serves GET on `path` to keys that have the `scope`."""
        return self._route("GET", path, scope)

    def post(self, path: str, *, scope: str) -> Callable[..., Any]:
        """Serves POST on `path` to keys that have the `scope`."""
        return self._route("POST", path, scope)

    def delete(self, path: str, *, scope: str) -> Callable[..., Any]:
        """Serves DELETE on `path` to keys that have the `scope`."""
        return self._route("DELETE", path, scope)

    def _route(self, method: str, path: str, scope: str) -> Callable[..., Any]:
        def register[F: Callable[..., Any]](function: F) -> F:
            self.method, self.path, self.scope, self._function = method, path, scope, function
            return function

        return register

    def handler(self, event: Event, _context: object) -> Answer:
        """The Lambda handler: answers every event, whatever the function does."""
        response = self._respond(event)
        response.headers["x-request-id"] = event["requestContext"]["requestId"]
        body = response.body
        return {
            "statusCode": response.status,
            "headers": response.headers,
            "body": body if isinstance(body, str) else b64encode(body).decode(),
            "isBase64Encoded": isinstance(body, bytes),
        }

    def _respond(self, event: Event) -> Response:
        try:
            request = Request(event)
            if self.scope not in request.scopes:
                raise InsufficientPermissions(self.scope)
            result = self._function(self.start(), request, **(event["pathParameters"] or {}))
            return result if isinstance(result, Response) else _json(result)
        except ApiError as error:
            return _failure(error)
        except Exception:
            logger().exception("unhandled", request_id=event["requestContext"]["requestId"])
            return _failure(InternalError())


def _failure(error: ApiError) -> Response:
    return _json(error.public(), error.status)


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status)
