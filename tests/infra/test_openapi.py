"""The OpenAPI document against the specification, the code and OpenAI's SDK."""

import json
from collections.abc import Iterator
from typing import Any

import openai.types
import openai.types.uploads
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from tests.infra.test_docs import codes, routes, tree
from tests.support.openapi import DOCUMENT, check, errors, resolved
from tests.support.template import ROOT
from tools.openapi.document import document
from tools.openapi.errors import EXAMPLES

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
FILE = {
    "id": "01a204b8-9661-76b7-b12f-3116d21836e5",
    "object": "file",
    "bytes": 1,
    "created_at": 1,
    "filename": "a",
    "purpose": "batch",
    "status": "processed",
}
ID = {"x-request-id": "1"}
JSON = ID | {"content-type": "application/json"}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation, by its route."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_document_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert [*OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_document_is_what_the_code_says() -> None:
    assert document() == DOCUMENT, "docs/openapi.json is out of date: run `make openapi`"


def test_document_in_docs_is_the_one_that_is_served() -> None:
    served = ROOT / "functions" / "pages" / "site" / "openapi.json"
    assert (ROOT / "docs" / "openapi.json").resolve() == served
    assert not served.is_symlink()  # `sam build` copies it


def test_document_has_every_route() -> None:
    assert sorted(route for route, _ in operations()) == sorted(routes())


def test_calls_need_a_key_and_pages_none() -> None:
    for route, operation in operations():
        keyed = operation["security"] != []
        assert keyed == ("/v1/" in route), route
        assert ("401" in operation["responses"]) == keyed, route


def test_document_has_every_error() -> None:
    assert {type(each) for each in EXAMPLES} == set(tree())
    fields = SCHEMAS["ErrorFields"]["properties"]
    assert set(fields["code"]["anyOf"][0]["enum"]) == codes()
    assert set(fields["type"]["enum"]) == {each.type for each in tree()}
    described = {
        example["value"]["error"]["code"]
        for response in DOCUMENT["components"]["responses"].values()
        for example in response["content"]["application/json"]["examples"].values()
    }
    assert described == codes() | {None}


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of the document, by where it is."""
    for route, operation in operations():
        if "requestBody" in operation:
            for media_type, content in operation["requestBody"]["content"].items():
                yield f"{route} {media_type}", content
        for status, response in operation["responses"].items():
            for media_type, content in resolved(response).get("content", {}).items():
                yield f"{route} {status} {media_type}", content


def test_examples_are_true() -> None:
    for where, content in contents():
        for name, example in content.get("examples", {}).items():
            assert errors(content["schema"], example["value"]) == [], f"{where} {name}"
        if where.endswith("application/json") and "/v1/" in where:
            assert content["examples"], where


# --- The check of the contract tests --------------------------------------------------------------


def test_described_answers_pass() -> None:
    path = f"/v1/files/{FILE['id']}"
    check("GET", path, 200, JSON, json.dumps(FILE).encode())
    check("GET", f"{path}/content", 302, ID, b"")
    check("GET", f"{path}/content", 200, ID | {"content-type": "application/octet-stream"}, b"")


@pytest.mark.parametrize(
    ("path", "status", "headers", "changed"),
    [
        ("/v1/files/x", 200, JSON, {"owner": "acme"}),
        ("/v1/files/x", 200, JSON, {"bytes": "1"}),
        ("/v1/files/x", 200, JSON, {"id": "not a UUID"}),
        ("/v1/files/x", 409, JSON, {}),
        ("/v1/files/x", 200, JSON | {"content-type": "text/plain"}, {}),
        ("/v1/files/x", 200, {"content-type": "application/json"}, {}),
        ("/v1/nothing", 200, JSON, {}),
    ],
    ids=["field", "type", "format", "status", "media type", "request id", "route"],
)
def test_other_answers_fail(
    path: str, status: int, headers: dict[str, str], changed: dict[str, Any]
) -> None:
    with pytest.raises(AssertionError):
        check("GET", path, status, headers, json.dumps(FILE | changed).encode())


# --- OpenAI's SDK ---------------------------------------------------------------------------------


def kind(schema: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    """The JSON types that a schema allows."""
    if "$ref" in schema:
        return kind(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return set().union(*(kind(each, definitions) for each in schema["anyOf"]))
    return {schema["type"]}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("FileObject", openai.types.FileObject),
        ("FileDeleted", openai.types.FileDeleted),
        ("UploadObject", openai.types.Upload),
        ("UploadPartObject", openai.types.uploads.UploadPart),
    ],
)
def test_document_and_sdk_agree_on_objects(name: str, model: type[BaseModel]) -> None:
    ours, theirs = SCHEMAS[name], model.model_json_schema()

    assert set(ours["properties"]) == set(theirs["properties"])
    assert set(theirs["required"]) <= set(ours["required"])
    for field, schema in ours["properties"].items():
        expected = kind(theirs["properties"][field], theirs.get("$defs", {}))
        assert kind(schema, SCHEMAS) <= expected, field
