"""The operations of the document, one for each call."""

import re
from typing import Any, Final

from files_api.service.files import MAX_INLINE_BYTES
from tools.openapi import errors
from tools.openapi.calls import Call
from tools.openapi.examples import ANSWERS, BODIES, examples
from tools.openapi.headers import headers, sent
from tools.openapi.schemas import REF, Schema, answer

type Operation = dict[str, Any]

# The forms, by function: the bodies that are none are JSON.
_FORMS: Final = {"create_file": "FileForm", "add_upload_part": "PartForm"}
_REPEATABLE: Final = ("create_file", "create_upload")
_CONTENT: Final = {
    "application/octet-stream": {
        "schema": {"type": "string", "contentMediaType": "application/octet-stream"}
    }
}
_CONTENT_HEADERS: Final = ("ETag", "Accept-Ranges", "Content-Disposition")
_DOWNLOADS: Final[dict[str, Any]] = {
    "200": {
        "description": f"The bytes, if there are at most {MAX_INLINE_BYTES} of them.",
        "headers": headers(*_CONTENT_HEADERS),
        "content": _CONTENT,
    },
    "206": {
        "description": "The requested range of them.",
        "headers": headers(*_CONTENT_HEADERS, "Content-Range"),
        "content": _CONTENT,
    },
    "302": {
        "description": "Where the bytes are, if there are more, or for HEAD.",
        "headers": headers("Location", "Cache-Control"),
    },
}
_PARAMETERS: Final = {"file_id": "The id of a file.", "upload_id": "The id of an upload."}


def operation(call: Call, schemas: dict[str, Schema]) -> Operation:
    """The operation of a call with a key."""
    name = call.function.replace("_", " ")
    found: Operation = {
        "operationId": call.function + ("_head" if call.method == "head" else ""),
        "tags": [call.path.split("/")[2].title()],
        "summary": name.capitalize(),
        "description": call.summary,
        "security": [{"key": [call.scope]}],
        "parameters": _parameters(call, schemas),
    }
    body = _body(call)
    if body:
        found["requestBody"] = {"required": True, "content": body}
    found["responses"] = {
        **_answers(call),
        **{str(status): _error(call, status) for status in _statuses(call, has_body=bool(body))},
    }
    return found


def _parameters(call: Call, schemas: dict[str, Schema]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "string", "format": "uuid"},
        }
        for name in re.findall(r"{(\w+)}", call.path)
    ]
    if call.query:
        fields = schemas[call.query.__name__]["properties"]
        found += [_query_parameter(name, schema) for name, schema in fields.items()]
    if call.function in _REPEATABLE:
        found += sent("Idempotency-Key")
    if call.function == "download_file":
        found += sent("Range", "If-Range")
    return found


def _query_parameter(name: str, schema: Schema) -> dict[str, Any]:
    """A parameter of a query string, where nothing stands for null."""
    inner = {key: value for key, value in schema.items() if key not in ("description", "anyOf")}
    for kind in schema.get("anyOf", []):
        inner |= kind if kind != {"type": "null"} else {}
    if inner.get("default", ...) is None:
        del inner["default"]
    return {"name": name, "in": "query", "description": schema["description"], "schema": inner}


def _body(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = {}
    form = _FORMS.get(call.function)
    if form:
        found["multipart/form-data"] = {"schema": {"$ref": REF.format(model=form)}}
    for name in call.body:
        if name != form:
            found["application/json"] = {
                "schema": {"$ref": REF.format(model=name)},
                "examples": examples(BODIES[name]),
            }
    return found


def _answers(call: Call) -> dict[str, Any]:
    if call.function == "download_file":
        head = call.method == "head"
        return {status: each for status, each in _DOWNLOADS.items() if not head or status == "302"}
    content = {"schema": answer(call.returns), "examples": examples(ANSWERS[call.function])}
    return {
        "200": {
            "description": call.summary,
            "headers": headers(),
            "content": {"application/json": content},
        }
    }


def _statuses(call: Call, *, has_body: bool) -> list[int]:
    """The errors that a call can answer."""
    found = {400, 401, 403, 429, 500}
    if "{" in call.path:
        found.add(404)
    if has_body:
        found |= {413, 415}
    if call.function == "download_file" and call.method == "get":
        found.add(416)
    return sorted(found)


def _error(call: Call, status: int) -> dict[str, Any]:
    if call.method == "head":  # which has no body
        return {"description": errors.name(status), "headers": headers()}
    return {"$ref": f"#/components/responses/{errors.name(status)}"}
