"""The whole document (OpenAPI Specification 3.1)."""

import tomllib
from typing import Any, Final

from tools.openapi import errors, headers
from tools.openapi.calls import calls
from tools.openapi.operations import operation
from tools.openapi.pages import page
from tools.openapi.schemas import schemas
from tools.openapi.template import ROOT

_DESCRIPTION: Final = """\
Upload, list, retrieve, download and delete files, in the form of OpenAI's Files and Uploads API.
Its SDKs work unmodified once their `base_url` points here, with `/v1` at its end.

Times are Unix seconds (UTC), sizes are bytes. Every answer carries an `x-request-id`; every error
has the same form. Purposes, file sizes and lifetimes are those that this deployment accepts.
"""
_TAGS: Final = {
    "Files": "Files, and direct uploads of files of any size.",
    "Uploads": "OpenAI's Uploads API: files that are sent in parts.",
    "Usage": "What a project stores.",
    "Pages": "What people open in a browser. It needs no key.",
}


def document() -> dict[str, Any]:
    """The document, as JSON has it."""
    described = schemas()
    paths: dict[str, dict[str, Any]] = {}
    for call in sorted(calls(), key=lambda call: (not call.scope, call.path)):
        found = operation(call, described) if call.scope else page(call)
        paths.setdefault(call.path, {})[call.method] = found
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Files API",
            "version": project["version"],
            "description": _DESCRIPTION,
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": [{"url": ".", "description": "Where this document is."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: `Authorization: Bearer sk-…`. "
                    "Each call names the scope that the key needs.",
                }
            },
            "schemas": {
                name: schema for name, schema in described.items() if not name.endswith("Query")
            },
            "responses": errors.responses(),
            "headers": headers.components(),
        },
    }
