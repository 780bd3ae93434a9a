"""The answers that tell errors: those of the tree, and those that the gateway alone gives."""

from collections.abc import Iterator
from http import HTTPStatus
from inspect import getdoc
from typing import Any, Final

from files_api.service import errors
from files_api.service.errors import ApiError
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.objects import ErrorObject
from tools.openapi.headers import headers
from tools.openapi.template import gateway_errors

ID: Final = "01a204b8-9661-76b7-b12f-3116d21836e5"

# One of each class, as callers see it.
EXAMPLES: Final[tuple[ApiError, ...]] = (
    errors.InsufficientPermissions("files:write"),
    errors.StorageLimitExceeded("files", limit=100, used=100, more=1),
    errors.UnknownUrl("GET", "/v1/nothing"),
    errors.FileNotFound(ID),
    errors.UploadNotFound(ID),
    errors.MalformedBody("The body is not a JSON object."),
    errors.MissingField("file", "Send it as a form field with a filename."),
    errors.InvalidValue("limit", "must be at most 10000."),
    errors.UnknownParameter("name"),
    errors.IdempotencyKeyReused(),
    errors.EmptyFile(),
    errors.FileNotReady(ID),
    errors.FileTooLarge.for_request_body(MAX_INLINE_BYTES),
    errors.UnsupportedEncoding("Content-Encoding", "gzip"),
    errors.InvalidRange(1_048_576),
    errors.RateLimitExceeded(),
    errors.InternalError(),
)
# By the gateway's name for the case: what the example is called, and when it is answered.
_GATEWAY: Final = {
    "UNAUTHORIZED": ("MissingKey", "There is no Authorization header."),
    "ACCESS_DENIED": ("InvalidKey", "The key is malformed, unknown, revoked or expired."),
}
_HEADERS: Final = {
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
}


def name(status: int) -> str:
    """The name of the answers with an error's status, such as `NotFound`."""
    return HTTPStatus(status).phrase.title().replace(" ", "")


def responses() -> dict[str, Any]:
    """The answers with errors, by name."""
    found: dict[int, dict[str, Any]] = {}
    for status, kind, when, body in _cases():
        found.setdefault(status, {})[kind] = {"summary": when, "value": body}
    return {
        name(status): {
            "description": " ".join(dict.fromkeys(each["summary"] for each in examples.values())),
            "headers": headers(*_HEADERS.get(status, ())),
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/ErrorObject"},
                    "examples": examples,
                }
            },
        }
        for status, examples in sorted(found.items())
    }


def types() -> list[str]:
    """OpenAI's classes of errors, as far as they are answered."""
    return sorted({body["error"]["type"] for *_, body in _cases()})


def codes() -> list[str]:
    """The codes that an error can have."""
    return sorted({code for *_, body in _cases() if (code := body["error"]["code"])})


def _cases() -> Iterator[tuple[int, str, str, ErrorObject]]:
    """Status, name, when it is answered, body."""
    gateway = gateway_errors()
    for case, (kind, when) in _GATEWAY.items():
        status, body = gateway[case]
        yield status, kind, when, body
    for error in EXAMPLES:
        when = (getdoc(type(error)) or "").partition("\n")[0]
        yield error.status, type(error).__name__, when, error.public()
