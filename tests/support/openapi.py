"""The OpenAPI document, and whether an answer is one that it describes."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jsonschema_rs import Draft202012Validator

from tests.support.template import ROOT

DOCUMENT: Final[dict[str, Any]] = json.loads((ROOT / "docs" / "openapi.json").read_text())
# Of an operation that the document does not have.
_UNKNOWN: Final = {"responses": {"404": {"$ref": "#/components/responses/NotFound"}}}


def operation(method: str, path: str) -> dict[str, Any]:
    """The operation behind a method and the path of a URL."""
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if method.lower() in operations and re.fullmatch(pattern, path):
            found: dict[str, Any] = operations[method.lower()]
            return found
    return _UNKNOWN


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to; anything else as it is."""
    reference = node.get("$ref")
    if not reference:
        return node
    found = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def check(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Fails if an answer is not one that the document describes.

    Args:
        method: of the request.
        path: of the request's URL, still encoded.
        status: of the answer.
        headers: of the answer, whose names may be in any case.
        body: of the answer, if it is JSON.
    """
    call = f"{method} {path}: {status}"
    responses = operation(method, path)["responses"]
    assert str(status) in responses, f"{call} is not in the document"
    response = resolved(responses[str(status)])
    for name, header in response.get("headers", {}).items():
        assert name in headers or not resolved(header).get("required"), f"{call} lacks {name}"
    content = response.get("content")
    if not content:
        return
    media_type = headers["content-type"].partition(";")[0]
    assert media_type in content, f"{call}: {media_type} is not in the document"
    if schema := content[media_type].get("schema"):
        problems = errors(schema, json.loads(body)) if media_type == "application/json" else []
        assert not problems, f"{call}: {problems}"


def errors(schema: dict[str, Any], value: object) -> list[str]:
    """What is wrong with a value, by a schema of the document."""
    found = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{each.instance_path} {each.message}" for each in found]


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = json.loads(schema) | {"components": DOCUMENT["components"]}
    return Draft202012Validator(whole, validate_formats=True)
