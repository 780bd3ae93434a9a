"""The headers of answers, and those that callers may send."""

from typing import Any, Final

# By name: description, and an example.
_ANSWERS: Final = {
    "x-request-id": ("The id of the request, for questions to the operator.", None),
    "Retry-After": ("Seconds to wait before the next try.", "1"),
    "WWW-Authenticate": ("How to send a key (RFC 6750).", "Bearer"),
    "Location": ("Where the content is: a presigned URL of S3.", None),
    "Content-Disposition": (
        "The file name, as RFC 6266 writes it.",
        "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf",
    ),
    "ETag": ("Changes with the content.", '"d41d8cd98f00b204e9800998ecf8427e"'),
    "Accept-Ranges": ("The content can be requested in parts.", "bytes"),
    "Content-Range": ("Which bytes these are, of how many.", "bytes 0-99/1048576"),
    "Cache-Control": ("The redirect is good once.", "no-store"),
    "Content-Security-Policy": ("What the page may do.", None),
}
REQUESTS: Final = {
    "Idempotency-Key": (
        "For 24 hours, the same key with the same request has the same answer.",
        {"type": "string", "minLength": 1, "maxLength": 255},
    ),
    "Range": (
        "Which bytes to send (RFC 9110, section 14.2), such as `bytes=0-99`.",
        {"type": "string"},
    ),
    "If-Range": ("The ETag by which the range still counts.", {"type": "string"}),
    "If-None-Match": ("The ETag of what the caller has.", {"type": "string"}),
}


def components() -> dict[str, Any]:
    """All headers of answers, by name."""
    return {
        name: {"description": description, "schema": {"type": "string"}}
        | ({"example": example} if example else {})
        | ({"required": True} if name == "x-request-id" else {})
        for name, (description, example) in _ANSWERS.items()
    }


def headers(*names: str) -> dict[str, Any]:
    """References to headers of an answer. Each answer has an `x-request-id`."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", *names)}


def sent(*names: str) -> list[dict[str, Any]]:
    """Headers that callers may send, as parameters."""
    return [
        {"name": name, "in": "header", "description": description, "schema": schema}
        for name, (description, schema) in REQUESTS.items()
        if name in names
    ]
