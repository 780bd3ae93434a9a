"""From an API Gateway event to a call and back, by routes that these tests make up."""

import base64
import json
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from files_api.api.http import Api, Request, Response, attachment, redirect
from files_api.service.errors import InvalidValue, MalformedBody

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
CONTEXT = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")
JSON = {"Content-Type": "application/json", "x-request-id": REQUEST_ID}

type Log = Callable[[], list[dict[str, Any]]]


def event(scopes: str = "files:read files:write", **changes: Any) -> dict[str, Any]:
    context = {"authorizer": {"project": "acme", "scopes": scopes}, "requestId": REQUEST_ID}
    return {
        "headers": {},
        "queryStringParameters": None,
        "pathParameters": None,
        "httpMethod": "GET",
        "requestContext": context,
        "body": None,
        "isBase64Encoded": False,
    } | changes


def answer_to(
    payload: dict[str, Any],
    function: Callable[..., Any],
    service: object = None,
    allowed_origin: str = "",
) -> dict[str, Any]:
    api = Api(lambda: service, lambda: allowed_origin)
    api.get("/v1/things/{thing_id}", scope="files:read")(function)
    return api(payload, CONTEXT)


def answer(body: str, status: int = 200, headers: dict[str, str] = JSON) -> dict[str, Any]:
    """The whole answer of a function."""
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def never(service: object, request: Request) -> None:
    raise AssertionError("called")


def test_route_gets_its_service_request_and_path_parameters() -> None:
    def show(service: str, request: Request, thing_id: str) -> dict[str, Any]:
        return {"service": service, "project": request.project, "thing": thing_id}

    payload = event("files:read", pathParameters={"thing_id": "é"})

    assert answer_to(payload, show, "the service") == answer(
        '{"service": "the service", "project": "acme", "thing": "é"}'
    )


def test_function_knows_its_route() -> None:
    api = Api(lambda: None, lambda: "")

    for route, method in ((api.get, "GET"), (api.post, "POST"), (api.delete, "DELETE")):
        route("/v1/things", scope="files:write")(lambda *_: {})
        assert (api.methods, api.path, api.scope) == ((method,), "/v1/things", "files:write")


@pytest.mark.parametrize("origin", ["https://app.example", "*"])
def test_answers_and_errors_name_the_allowed_origin_whatever_was_sent(origin: str) -> None:
    payload = event("files:read", headers={"Origin": "https://elsewhere.example"})

    for result in ({}, Response("", 302), object()):  # the last one is an error: it is no JSON
        returned = partial(lambda result, *_, **__: result, result)
        headers = answer_to(payload, returned, allowed_origin=origin)["headers"]
        exposed = headers["Access-Control-Expose-Headers"].split(", ")
        assert headers["Access-Control-Allow-Origin"] == origin
        assert {"ETag", "Content-Range", "x-request-id", "Retry-After"} <= set(exposed)


# --- Requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "value", "media_type"),
    [
        (None, "", ""),
        ({"Accept": "*/*"}, "", ""),
        ({"Accept": "*/*", "content-type": "text/plain"}, "text/plain", "text/plain"),
        ({"CONTENT-TYPE": "a/b; boundary=x"}, "a/b; boundary=x", "a/b"),
        ({"Content-Type": "A/JSON ; charset=utf-8"}, "A/JSON ; charset=utf-8", "a/json"),
    ],
)
def test_header_is_found_in_any_case_and_empty_if_absent(
    headers: dict[str, str] | None, value: str, media_type: str
) -> None:
    request = Request(event(headers=headers))

    assert (request.header("content-type"), request.media_type) == (value, media_type)


def test_query_is_empty_if_absent() -> None:
    assert Request(event()).query == {}
    assert Request(event(queryStringParameters={"a": "1"})).query == {"a": "1"}


def encoded(body: bytes) -> dict[str, Any]:
    return event(body=base64.b64encode(body).decode(), isBase64Encoded=True)


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (encoded(bytes(range(256))), bytes(range(256))),
        (encoded(b""), b""),
        (event(body="plain é"), "plain é".encode()),
        (event(), b""),
    ],
)
def test_body_is_the_bytes_that_were_sent(payload: dict[str, Any], body: bytes) -> None:
    assert Request(payload).body == body


def test_json_body_is_the_object_that_was_sent() -> None:
    body = '{"filename": "é", "bytes": 3, "expires_after": null}'

    for payload in (event(body=body), encoded(body.encode())):
        assert Request(payload).json() == {"filename": "é", "bytes": 3, "expires_after": None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": 1',
        b'{"a": 1} x',
        b"\xff\xfe{",
        b'"text"',
        b"[]",
        b"null",
        b"5",
        b'{"bytes": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
    ],
)
def test_body_other_than_a_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody, match=r"^The body is not a JSON object\.$"):
        Request(encoded(body)).json()


@pytest.mark.parametrize("scopes", ["", "files:write", "files:reader", "files:", "FILES:READ"])
def test_key_without_the_scope_is_rejected_at_once(scopes: str) -> None:
    assert answer_to(event(scopes), never) == answer(
        '{"error": {"message": "This API key lacks the scope \'files:read\'.", '
        '"type": "invalid_request_error", "param": null, "code": "insufficient_permissions"}}',
        403,
    )


# --- Answers --------------------------------------------------------------------------------------


def test_bytes_are_sent_as_they_are() -> None:
    content = bytes(range(256))

    assert answer_to(event(), lambda *_: attachment("é.bin", content, '"tag"')) == {
        "statusCode": 200,
        "headers": {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment; filename=\"_.bin\"; filename*=UTF-8''%C3%A9.bin",
            "X-Content-Type-Options": "nosniff",
            "Accept-Ranges": "bytes",
            "ETag": '"tag"',
            "x-request-id": REQUEST_ID,
        },
        "body": base64.b64encode(content).decode(),
        "isBase64Encoded": True,
    }


def test_redirect_is_temporary_and_not_cached() -> None:
    url = "https://a.test/?b=c%2F"

    assert answer_to(event(), lambda *_: redirect(url)) == answer(
        "", 302, {"Location": url, "Cache-Control": "no-store", "x-request-id": REQUEST_ID}
    )


def test_answers_do_not_share_headers() -> None:
    first, second = (answer_to(event(), lambda *_: {}) for _ in range(2))
    first["headers"]["X-Other"] = "1"

    assert "X-Other" not in second["headers"]


def test_api_error_is_answered_in_its_form_and_not_logged(logged: Log) -> None:
    def refuse(service: object, request: Request) -> None:
        raise InvalidValue("limit", "not “10”.")

    assert answer_to(event(), refuse) == answer(
        '{"error": {"message": "Invalid \'limit\': not “10”.", '
        '"type": "invalid_request_error", "param": "limit", "code": "invalid_value"}}',
        400,
    )
    assert logged() == []


# --- Unhandled errors -----------------------------------------------------------------------------

SERVER_ERROR = answer(
    '{"error": {"message": "The server had an error while processing your request. '
    'Please retry.", "type": "server_error", "param": null, "code": null}}',
    500,
)


def test_unhandled_error_is_logged_with_its_request_alone(logged: Log) -> None:
    def fail(service: object, request: Request, thing_id: str) -> None:
        raise RuntimeError("the table is on fire")

    payload = event(
        headers={"Authorization": "Bearer sk-secret"},
        body='filename="private.pdf"',
        pathParameters={"thing_id": "private.pdf"},
    )
    assert answer_to(payload, fail) == SERVER_ERROR

    (line,) = logged()
    assert (
        line.items()
        >= {
            "level": "ERROR",
            "message": "Unhandled error",
            "exception_name": "RuntimeError",
            "request_id": REQUEST_ID,
            "project": "acme",
            "route": "GET /v1/things/{thing_id}",
            "function_request_id": CONTEXT.aws_request_id,
        }.items()
    )
    assert "the table is on fire" in line["exception"]
    assert "test_http.py" in line["exception"]
    for private in ("sk-secret", "private.pdf"):
        assert private not in json.dumps(line)


def test_service_that_cannot_be_made_is_a_server_error(logged: Log) -> None:
    def compose() -> None:
        raise KeyError("FILES_TABLE")

    api = Api(compose, lambda: "")
    api.get("/v1/things", scope="files:read")(lambda *_: {})

    assert api(event(), CONTEXT) == SERVER_ERROR
    assert [line["exception_name"] for line in logged()] == ["KeyError"]


def test_event_without_an_authorizer_is_a_server_error(logged: Log) -> None:
    payload = event(requestContext={"requestId": REQUEST_ID})

    assert answer_to(payload, never) == SERVER_ERROR
    (line,) = logged()
    assert (line["request_id"], line["exception_name"]) == (REQUEST_ID, "KeyError")
