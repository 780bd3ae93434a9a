"""Every row of the table of errors, through the gateway."""

import json
import time
from collections.abc import Callable

import httpx2
import openai
import pytest
from openai import OpenAI

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.keys import Keys
from tests.contract.calls import MIB, error, invalid
from tests.contract.conftest import Watch
from tests.contract.deployed import configured, stage_setting
from tools.local_stack import LocalStack

FILE = {"file": ("a.txt", b"content")}
ASSISTANTS = {"purpose": "assistants"}


# --- keys ---------------------------------------------------------------------------------------


def test_a_call_without_a_key_is_told_how_to_send_one(http: httpx2.Client) -> None:
    del http.headers["Authorization"]

    answer = http.get("/files")

    assert error(answer) == (401, "invalid_request_error", None, None)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "header",
    ["Bearer sk-unknown", "Bearer", "sk-unknown", "Basic dXNlcjpwYXNz", "Bearer a b"],
)
def test_an_invalid_key_is_rejected(http: httpx2.Client, header: str) -> None:
    answer = http.get("/files", headers={"Authorization": header})

    assert error(answer) == (401, "invalid_request_error", None, "invalid_api_key")
    assert "unknown" not in answer.text


def test_a_revoked_or_expired_key_is_rejected(
    keys: Keys, key_store: DynamoKeyStore, connect: Callable[[str], OpenAI], project: str
) -> None:
    key, revoked = keys.create(project)
    keys.revoke(key.id)
    _, expired = Keys(key_store, clock=lambda: time.time() - 100).create(project, lifetime=99)

    for secret in (revoked, expired):
        with pytest.raises(openai.AuthenticationError) as caught:
            connect(secret).files.list()
        assert caught.value.code == "invalid_api_key"


def test_the_authorizers_answer_for_a_key_is_cached(
    keys: Keys, connect: Callable[[str], OpenAI], project: str
) -> None:
    key, secret = keys.create(project)
    client = connect(secret)
    client.files.list()

    keys.revoke(key.id)

    assert [*client.files.list()] == []  # until AuthorizerTtlSeconds have passed


def test_a_key_permits_only_its_scopes(
    keys: Keys, connect: Callable[[str], OpenAI], client: OpenAI, project: str
) -> None:
    reader = connect(keys.create(project, scopes=("files:read",))[1])
    writer = connect(keys.create(project, scopes=("files:write",))[1])
    file_id = writer.files.create(file=b"x", purpose="assistants").id

    assert reader.files.retrieve(file_id).id == file_id
    forbidden: list[Callable[[], object]] = [
        lambda: reader.files.create(file=b"x", purpose="assistants"),
        lambda: reader.files.delete(file_id),
        lambda: writer.files.list(),
        lambda: writer.files.retrieve(file_id),
        lambda: writer.files.content(file_id),
    ]
    for call in forbidden:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            call()
        assert (caught.value.type, caught.value.param) == ("invalid_request_error", None)
        assert caught.value.code == "insufficient_permissions"
    assert client.files.retrieve(file_id).id == file_id


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file_id",
    [new_id(), "file-abc123", "123e4567-e89b-12d3-a456-426614174000", "%00"],
)
@pytest.mark.parametrize("call", ["GET /files/{}", "GET /files/{}/content", "DELETE /files/{}"])
def test_an_unknown_file_is_404(http: httpx2.Client, call: str, file_id: str) -> None:
    method, path = call.format(file_id).split()

    answer = http.request(method, path)

    assert error(answer) == (404, "invalid_request_error", "id", None)
    if file_id.isprintable() and "%" not in file_id:
        assert file_id in answer.json()["error"]["message"]


def test_missing_fields_are_named(http: httpx2.Client) -> None:
    no_file = http.post("/files", data=ASSISTANTS, files={"other": ("a", b"x")})
    no_purpose = http.post("/files", files=FILE)
    text_file = http.post("/files", files={"file": (None, b"a.txt"), "purpose": (None, b"batch")})

    assert error(no_file) == (400, "invalid_request_error", "file", None)
    assert error(no_purpose) == (400, "invalid_request_error", "purpose", None)
    assert error(text_file) == (400, "invalid_request_error", "file", None)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "10001"},
        {"limit": "ten"},
        {"limit": ""},
        {"order": "up"},
        {"after": "file-abc"},
        {"purpose": "mischief"},
    ],
    ids=str,
)
def test_an_invalid_query_parameter_is_named(http: httpx2.Client, query: dict[str, str]) -> None:
    assert error(http.get("/files", params=query)) == invalid(next(iter(query)))


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3599"},
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "2592001"},
        {"expires_after[anchor]": "last_used_at", "expires_after[seconds]": "3600"},
        {"expires_after[anchor]": "created_at"},
        {"expires_after[seconds]": "3600"},
        {"expires_after": "tomorrow"},
    ],
    ids=str,
)
def test_an_invalid_expiry_is_named(http: httpx2.Client, fields: dict[str, str]) -> None:
    answer = http.post("/files", data=ASSISTANTS | fields, files=FILE)

    assert error(answer) == invalid("expires_after")


def test_an_unknown_purpose_and_an_empty_file_are_named(http: httpx2.Client) -> None:
    assert error(http.post("/files", data={"purpose": "x"}, files=FILE)) == invalid("purpose")
    empty = http.post("/files", data=ASSISTANTS, files={"file": ("a.txt", b"")})
    assert error(empty) == (400, "invalid_request_error", "file", "empty_file")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/form-data", b"no boundary named"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no boundary inside"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut of',
        ),
    ],
    ids=range(5),
)
def test_a_body_that_is_not_a_complete_form_is_rejected(
    http: httpx2.Client, content_type: str, body: bytes
) -> None:
    answer = http.post("/files", content=body, headers={"Content-Type": content_type})

    assert error(answer) == (400, "invalid_request_error", None, None)


@pytest.mark.parametrize("size", [MAX_INLINE_BYTES + 1, 5 * MIB, 11 * MIB])
def test_a_file_too_large_for_the_body_is_told_the_other_ways(
    http: httpx2.Client, size: int
) -> None:
    answer = http.post("/files", data=ASSISTANTS, files={"file": ("big.bin", bytes(size))})

    assert error(answer) == (413, "invalid_request_error", "file", "file_too_large")
    message = answer.json()["error"]["message"]
    assert str(MAX_INLINE_BYTES) in message
    assert "direct upload" in message
    assert "Uploads API" in message


# --- the gateway's own answers ------------------------------------------------------------------


@pytest.mark.parametrize(
    "call", ["GET /nothing", "PATCH /files", "PUT /files/x", "POST /files/x/y"]
)
def test_an_unknown_route_is_named(http: httpx2.Client, stack: LocalStack, call: str) -> None:
    method, path = call.split()

    answer = http.request(method, path)

    assert error(answer) == (404, "invalid_request_error", None, "unknown_url")
    message = answer.json()["error"]["message"]
    assert message == f"Invalid URL ({method} /v1{path})"


def test_throttled_calls_are_told_when_to_retry(http: httpx2.Client, stack: LocalStack) -> None:
    with (
        stage_setting(stack, "/*/*/throttling/burstLimit", "0", "1000"),
        stage_setting(stack, "/*/*/throttling/rateLimit", "0", "500"),
    ):
        answer = http.get("/files")

    assert error(answer) == (429, "rate_limit_error", None, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) > 0
    assert http.get("/files").status_code == 200


SERVER_ERROR = {
    "message": "The server had an error while processing your request. Please retry.",
    "type": "server_error",
    "param": None,
    "code": None,
}


def test_a_function_that_cannot_start_is_a_server_error(
    http: httpx2.Client, stack: LocalStack
) -> None:
    with configured(stack, "ListFiles", handler="nothing.here"):
        answer = http.get("/files")

    assert answer.status_code == 500
    assert answer.json() == {"error": SERVER_ERROR}


def test_an_internal_failure_is_a_server_error_without_details(
    http: httpx2.Client, stack: LocalStack
) -> None:
    with configured(stack, "RetrieveFile", FILES_TABLE="no-such-table"):
        answer = http.get(f"/files/{new_id()}")

    assert answer.status_code == 500
    assert answer.json() == {"error": SERVER_ERROR}


def test_a_failing_authorizer_is_a_server_error(
    http: httpx2.Client, stack: LocalStack, keys: Keys, project: str
) -> None:
    with configured(stack, "Authorize", KEYS_TABLE="no-such-table"):
        answer = http.get("/files", headers={"Authorization": "Bearer sk-not-cached-yet"})

    assert answer.status_code == 500
    assert answer.json() == {"error": SERVER_ERROR}


# --- all errors ---------------------------------------------------------------------------------


def test_every_error_answer_has_the_same_form(http: httpx2.Client, watch: Watch) -> None:
    http.get("/nothing")
    http.get(f"/files/{new_id()}")
    http.get("/files", headers={"Authorization": "Bearer sk-none"})

    assert {status for _, status, _, _ in watch.errors} >= {401, 404}
    for call, status, headers, body in watch.errors:
        found = json.loads(body)
        assert list(found) == ["error"], call
        assert list(found["error"]) == ["message", "type", "param", "code"], call
        assert found["error"]["message"], call
        assert found["error"]["type"] == {429: "rate_limit_error", 500: "server_error"}.get(
            status, "invalid_request_error"
        ), call
        assert status in (400, 401, 403, 404, 413, 429, 500), call
        assert headers["content-type"].startswith("application/json"), call
