"""The operations that serve pages, and this document."""

from typing import Any, Final

from files_api.api.pages import MEDIA_TYPES
from tools.openapi import errors
from tools.openapi.calls import Call
from tools.openapi.headers import headers, sent

# By route: operation, summary, media types.
_PAGES: Final[dict[str, tuple[str, str, list[str]]]] = {
    "/": ("get_console", "The console", ["text/html"]),
    "/console/{file}": (
        "get_console_file",
        "A file that the console loads",
        [each for each in MEDIA_TYPES.values() if not each.startswith("text/html")],
    ),
    "/docs": ("get_reference", "The reference", ["text/html"]),
    "/docs/{file}": (
        "get_reference_file",
        "A file that the reference loads",
        [MEDIA_TYPES[".css"], MEDIA_TYPES[".js"]],
    ),
    "/openapi.json": ("get_openapi", "This document", ["application/json"]),
}
_EXAMPLES: Final = {"/console/{file}": "settings.json", "/docs/{file}": "reference.js"}


def page(call: Call) -> dict[str, Any]:
    """The operation of a call without a key."""
    name, summary, types = _PAGES[call.path]
    known = headers("ETag", "Content-Security-Policy")
    found: dict[str, Any] = {
        "200": {
            "description": summary,
            "headers": known,
            "content": {each.partition(";")[0]: {} for each in types},
        },
        "304": {"description": "It has not changed.", "headers": known},
    }
    if call.path == "/":
        found["308"] = {
            "description": "The address of the page has a slash at its end.",
            "headers": headers("Location"),
        }
    statuses = (404, 429, 500) if "{" in call.path else (429, 500)
    return {
        "operationId": name,
        "tags": ["Pages"],
        "summary": summary,
        "security": [],
        "parameters": [*_file(call.path), *sent("If-None-Match")],
        "responses": found
        | {
            str(status): {"$ref": f"#/components/responses/{errors.name(status)}"}
            for status in statuses
        },
    }


def _file(path: str) -> list[dict[str, Any]]:
    """The parameter of a path that has one."""
    if path not in _EXAMPLES:
        return []
    return [
        {
            "name": "file",
            "in": "path",
            "required": True,
            "description": "The name of the file.",
            "schema": {"type": "string"},
            "example": _EXAMPLES[path],
        }
    ]
