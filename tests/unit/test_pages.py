"""Web pages, from a folder that these tests make up."""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from files_api.api import openapi
from files_api.api.pages import Pages
from files_api.service.lifetimes import Lifetimes
from files_api.service.limits import Limits

CONTEXT = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")
CONSOLE = b"<!doctype html><title>Files</title>"
SCRIPT = b'alert("here")'
ETAG = f'"{hashlib.sha256(CONSOLE).hexdigest()[:32]}"'


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "console").mkdir()
    (tmp_path / "console.html").write_bytes(CONSOLE)
    (tmp_path / "console" / "list.js").write_bytes(SCRIPT)
    document = openapi.encoded({"openapi": "3.1.1", "components": {"schemas": {"Purpose": {}}}})
    (tmp_path / "openapi.json").write_bytes(document)
    routes = {"/": "console.html", "/console/{file}": None, "/openapi.json": None}
    limits = Limits(("batch", "evals"), 7, Lifetimes(least=3600, most=86_400))
    return Pages(lambda: ("https://bucket.example", limits), lambda: "", tmp_path, routes)


def get(
    pages: Pages, file: str | None = None, path: str = "/dev/", page: str = "/", **headers: str
) -> Any:
    """The answer to a GET of a file of the console; of a page without one."""
    event = {
        "resource": "/console/{file}" if file else page,
        "pathParameters": {"file": file} if file else None,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"path": path, "requestId": "a-request"},
    }
    answer = pages(event, CONTEXT)
    assert answer["headers"]["x-request-id"] == "a-request"
    return answer


def content(answer: dict[str, Any]) -> bytes:
    body: str = answer["body"]
    return base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()


def test_page_is_served_with_its_type_and_checked_at_each_visit(pages: Pages) -> None:
    answer = get(pages)

    assert answer["statusCode"] == 200
    assert content(answer) == CONSOLE
    assert answer["headers"] | {"Content-Security-Policy": ""} == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-cache",
        "ETag": ETAG,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": "",
        "x-request-id": "a-request",
    }


def test_policy_allows_own_scripts_and_the_bucket_alone(pages: Pages) -> None:
    policy = get(pages)["headers"]["Content-Security-Policy"]

    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' https://bucket.example"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


def test_file_of_the_folder_is_served_by_its_path(pages: Pages) -> None:
    answer = get(pages, "list.js")

    assert content(answer) == SCRIPT
    assert answer["headers"]["Content-Type"] == "text/javascript; charset=utf-8"


def test_settings_are_those_of_the_deployment(pages: Pages) -> None:
    answer = get(pages, "settings.json")

    assert answer["headers"]["Content-Type"] == "application/json"
    assert json.loads(content(answer)) == {
        "purposes": ["batch", "evals"],
        "max_file_bytes": 7,
        "min_lifetime": 3600,
        "max_lifetime": 86_400,
    }


def test_openapi_document_has_the_bounds_of_the_deployment(pages: Pages) -> None:
    answer = get(pages, page="/openapi.json")

    assert answer["headers"]["Content-Type"] == "application/json"
    described = json.loads(content(answer))
    assert described["openapi"] == "3.1.1"
    schemas = described["components"]["schemas"]
    assert schemas["Purpose"]["enum"] == ["batch", "evals"]
    assert (schemas["FileBytes"]["minimum"], schemas["FileBytes"]["maximum"]) == (1, 7)
    seconds = schemas["LifetimeSeconds"]
    assert (seconds["minimum"], seconds["maximum"]) == (3600, 86_400)


def test_unchanged_file_is_not_sent_again(pages: Pages) -> None:
    for known in (ETAG, f'W/{ETAG}, "another"'):
        answer = get(pages, If_None_Match=known)
        assert (answer["statusCode"], answer["body"]) == (304, "")
        assert answer["headers"]["ETag"] == ETAG

    assert get(pages, If_None_Match='"another"')["statusCode"] == 200


def test_file_is_compressed_for_those_who_take_it(pages: Pages) -> None:
    answer = get(pages, Accept_Encoding="gzip, br")

    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert gzip.decompress(content(answer)) == CONSOLE
    assert "Content-Encoding" not in get(pages, Accept_Encoding="br")["headers"]


@pytest.mark.parametrize("file", ["nothing.js", "../console.html", "{file}", ".", "list.JS"])
def test_unknown_file_is_answered_as_an_unknown_route(pages: Pages, file: str) -> None:
    answer = get(pages, file)

    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"] == {
        "message": f"Invalid URL (GET /console/{file})",
        "type": "invalid_request_error",
        "param": None,
        "code": "unknown_url",
    }


def test_address_of_the_stage_leads_to_the_page(pages: Pages) -> None:
    answer = get(pages, path="/dev")

    assert (answer["statusCode"], answer["headers"]["Location"]) == (308, "/dev/")
