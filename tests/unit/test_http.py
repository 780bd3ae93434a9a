"""From an API Gateway event to a call and back, by routes that these tests make up."""

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from files_api import composition
from files_api.api.http import Api, Request, Response, attachment, redirect
from files_api.aws.blobs import S3Blobs
from files_api.service.errors import InvalidValue, MalformedBody
from files_api.service.intake import Intake
from files_api.service.limits import Limits
from tests.fakes.records import MemoryFileRecords
from tests.support.functions import load_app
from tests.support.samples import PURPOSES
from tests.support.template import ROOT

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
CONTEXT = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")

type Log = Callable[[], list[dict[str, Any]]]


def event(**changes: Any) -> dict[str, Any]:
    context = {
        "authorizer": {"project": "acme", "scopes": "files:read files:write"},
        "requestId": REQUEST_ID,
    }
    return {
        "headers": {},
        "queryStringParameters": None,
        "pathParameters": None,
        "requestContext": context,
        "body": None,
        "isBase64Encoded": False,
    } | changes


def allowed(scopes: str) -> dict[str, Any]:
    return event(
        requestContext={
            "authorizer": {"project": "acme", "scopes": scopes},
            "requestId": REQUEST_ID,
        }
    )


def answer_to(
    payload: dict[str, Any], function: Callable[..., Any], service: object = None
) -> dict[str, Any]:
    api = Api(lambda: service)
    api.get("/v1/things/{thing_id}", scope="files:read")(function)
    return api(payload, CONTEXT)


def test_route_gets_its_service_request_and_path_parameters() -> None:
    def show(service: str, request: Request, thing_id: str) -> dict[str, Any]:
        return {"service": service, "project": request.project, "thing": thing_id}

    answer = answer_to(event(pathParameters={"thing_id": "é"}), show, "the service")

    assert answer == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "x-request-id": REQUEST_ID},
        "body": '{"service": "the service", "project": "acme", "thing": "é"}',
        "isBase64Encoded": False,
    }


def test_service_is_made_once_when_first_needed() -> None:
    made: list[object] = []

    def compose() -> object:
        made.append(object())
        return made[-1]

    api = Api(compose)

    @api.get("/v1/things", scope="files:read")
    def show(service: object, request: Request) -> dict[str, bool]:
        return {"same": service is made[0]}

    assert made == []
    for _ in range(2):
        assert json.loads(api(event(), CONTEXT)["body"]) == {"same": True}
    assert api.start() is made[0]
    assert len(made) == 1


def test_function_knows_its_route() -> None:
    api = Api(lambda: None)

    for route, method in ((api.get, "GET"), (api.post, "POST"), (api.delete, "DELETE")):
        route("/v1/things", scope="files:write")(lambda *_: {})
        assert (api.method, api.path, api.scope) == (method, "/v1/things", "files:write")


# --- Requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_header_is_found_in_any_case(name: str) -> None:
    request = Request(event(headers={"Accept": "*/*", name: "text/plain"}))

    assert request.header("content-type") == "text/plain"


@pytest.mark.parametrize("headers", [None, {}, {"Accept": "*/*"}])
def test_absent_header_is_empty(headers: dict[str, str] | None) -> None:
    assert Request(event(headers=headers)).header("content-type") == ""


@pytest.mark.parametrize(
    ("body", "encoded", "expected"),
    [
        (base64.b64encode(bytes(range(256))).decode(), True, bytes(range(256))),
        ("plain é", False, "plain é".encode()),
        (None, False, b""),
        ("", True, b""),
    ],
)
def test_body_is_the_bytes_that_were_sent(body: str | None, encoded: bool, expected: bytes) -> None:
    assert Request(event(body=body, isBase64Encoded=encoded)).body == expected


def test_absent_query_is_empty() -> None:
    assert Request(event()).query == {}
    assert Request(event(queryStringParameters={"a": "1"})).query == {"a": "1"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/json", "application/json"),
        ("Application/JSON ; charset=utf-8", "application/json"),
        ("multipart/form-data; boundary=x", "multipart/form-data"),
        ("", ""),
    ],
)
def test_media_type_has_no_parameters(header: str, expected: str) -> None:
    assert Request(event(headers={"content-type": header})).media_type == expected
    assert Request(event()).media_type == ""


@pytest.mark.parametrize("encoded", [False, True])
def test_json_body_is_the_object_that_was_sent(encoded: bool) -> None:
    body = '{"filename": "é", "bytes": 3, "expires_after": null}'
    sent = base64.b64encode(body.encode()).decode() if encoded else body

    assert Request(event(body=sent, isBase64Encoded=encoded)).json() == {
        "filename": "é",
        "bytes": 3,
        "expires_after": None,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
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
    sent = base64.b64encode(body).decode()

    with pytest.raises(MalformedBody) as refused:
        Request(event(body=sent, isBase64Encoded=True)).json()

    assert refused.value.public()["error"] == {
        "message": "The body is not a JSON object.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


# --- Scopes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scopes", ["", "files:write", "files:reader", "files:", "FILES:READ"])
def test_key_without_the_scope_is_rejected_at_once(scopes: str) -> None:
    def never(service: object, request: Request) -> None:
        raise AssertionError("called")

    answer = answer_to(allowed(scopes), never)

    assert answer["statusCode"] == 403
    assert answer["headers"]["x-request-id"] == REQUEST_ID
    assert json.loads(answer["body"]) == {
        "error": {
            "message": "This API key lacks the scope 'files:read'.",
            "type": "invalid_request_error",
            "param": None,
            "code": "insufficient_permissions",
        }
    }


@pytest.mark.parametrize("scopes", ["files:read", "files:write files:read"])
def test_key_with_the_scope_is_accepted(scopes: str) -> None:
    assert answer_to(allowed(scopes), lambda *_: {})["statusCode"] == 200


# --- Answers --------------------------------------------------------------------------------------


def test_bytes_are_sent_as_they_are() -> None:
    answer = answer_to(event(), lambda *_: attachment("é.bin", bytes(range(256))))

    assert answer == {
        "statusCode": 200,
        "headers": {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment; filename=\"_.bin\"; filename*=UTF-8''%C3%A9.bin",
            "X-Content-Type-Options": "nosniff",
            "x-request-id": REQUEST_ID,
        },
        "body": base64.b64encode(bytes(range(256))).decode(),
        "isBase64Encoded": True,
    }


def test_answer_has_the_given_status_and_headers() -> None:
    answer = answer_to(event(), lambda *_: Response("", 302, {"Location": "https://a.test/"}))

    assert answer == {
        "statusCode": 302,
        "headers": {"Location": "https://a.test/", "x-request-id": REQUEST_ID},
        "body": "",
        "isBase64Encoded": False,
    }


def test_redirect_is_temporary_and_not_cached() -> None:
    answer = answer_to(event(), lambda *_: redirect("https://a.test/?b=c%2F"))

    assert answer == {
        "statusCode": 302,
        "headers": {
            "Location": "https://a.test/?b=c%2F",
            "Cache-Control": "no-store",
            "x-request-id": REQUEST_ID,
        },
        "body": "",
        "isBase64Encoded": False,
    }


def test_answers_do_not_share_headers() -> None:
    first, second = (answer_to(event(), lambda *_: {}) for _ in range(2))
    first["headers"]["X-Other"] = "1"

    assert "X-Other" not in second["headers"]


def test_api_error_is_answered_in_its_form_and_not_logged(logged: Log) -> None:
    def refuse(service: object, request: Request) -> None:
        raise InvalidValue("limit", "not “10”.")

    answer = answer_to(event(), refuse)

    assert answer == {
        "statusCode": 400,
        "headers": {"Content-Type": "application/json", "x-request-id": REQUEST_ID},
        "body": '{"error": {"message": "Invalid \'limit\': not “10”.", '
        '"type": "invalid_request_error", "param": "limit", "code": "invalid_value"}}',
        "isBase64Encoded": False,
    }
    assert logged() == []


# --- Unhandled errors -----------------------------------------------------------------------------

SERVER_ERROR = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json", "x-request-id": REQUEST_ID},
    "body": '{"error": {"message": "The server had an error while processing your request. '
    'Please retry.", "type": "server_error", "param": null, "code": null}}',
    "isBase64Encoded": False,
}


def test_unhandled_error_is_answered_without_its_details(logged: Log) -> None:
    def fail(service: object, request: Request) -> None:
        raise RuntimeError("the table is on fire")

    payload = event(headers={"Authorization": "Bearer sk-secret"}, body='filename="private.pdf"')
    assert answer_to(payload, fail) == SERVER_ERROR

    (line,) = logged()
    assert (line["level"], line["message"]) == ("ERROR", "Unhandled error")
    assert line["exception_name"] == "RuntimeError"
    assert "the table is on fire" in line["exception"]
    assert "test_http.py" in line["exception"]
    for private in ("sk-secret", "private.pdf"):
        assert private not in json.dumps(line)


def test_unhandled_error_is_logged_with_its_request(logged: Log) -> None:
    def fail(service: object, request: Request, thing_id: str) -> None:
        raise RuntimeError

    payload = event(pathParameters={"thing_id": "private.pdf"})
    assert answer_to(payload, fail) == SERVER_ERROR

    (line,) = logged()
    assert line["request_id"] == REQUEST_ID
    assert line["project"] == "acme"
    assert line["route"] == "GET /v1/things/{thing_id}"
    assert line["function_request_id"] == CONTEXT.aws_request_id
    assert "private.pdf" not in json.dumps(line)


def test_aws_error_is_logged_without_file_name_key_or_content(
    logged: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = boto3.Session("testing", "testing", region_name="eu-central-1")
    s3 = account.client("s3")
    limits = Limits(PURPOSES, max_file_bytes=1_000_000)
    intake = Intake(MemoryFileRecords(), S3Blobs(s3, "a-bucket"), limits)
    monkeypatch.setattr(composition, "intake", lambda: intake)
    sample = ROOT / "events" / "create_file" / "success_file_first.json"
    payload = json.loads(sample.read_text())

    with Stubber(s3) as stub:
        stub.add_client_error("put_object", "NoSuchBucket", "The bucket does not exist", 404)
        assert load_app("create_file").lambda_handler(payload, CONTEXT) == SERVER_ERROR
        stub.assert_no_pending_responses()

    (line,) = logged()
    assert line["exception_name"] == "NoSuchBucket"
    assert (line["route"], line["project"]) == ("POST /v1/files", "acme")
    assert line["request_id"] == REQUEST_ID
    assert line["function_request_id"] == CONTEXT.aws_request_id
    for private in ("handbook.pdf", "sk-example", "%PDF", payload["body"][:40]):
        assert private not in json.dumps(line)


def test_service_that_cannot_be_made_is_a_server_error(logged: Log) -> None:
    def compose() -> None:
        raise KeyError("FILES_TABLE")

    api = Api(compose)
    api.get("/v1/things", scope="files:read")(lambda *_: {})

    assert api(event(), CONTEXT) == SERVER_ERROR
    assert [line["exception_name"] for line in logged()] == ["KeyError"]


def test_event_without_an_authorizer_is_a_server_error(logged: Log) -> None:
    def never(service: object, request: Request) -> None:
        raise AssertionError("called")

    payload = event(requestContext={"requestId": REQUEST_ID})

    assert answer_to(payload, never) == SERVER_ERROR
    (line,) = logged()
    assert (line["request_id"], line["exception_name"]) == (REQUEST_ID, "KeyError")
