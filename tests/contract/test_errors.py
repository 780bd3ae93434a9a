"""Every row of the table of errors, through the gateway."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.keys import Keys
from files_api.service.model import MAX_DIRECT_BYTES, File, Upload
from tests.contract.calls import (
    CONTENT,
    MIB,
    NEW_FILE,
    NEW_UPLOAD,
    OTHER_ID,
    error,
    invalid,
    md5,
)
from tests.contract.conftest import eventually
from tests.contract.deployed import configured, stage_setting
from tests.contract.project import Project
from tools.local.stack import LocalStack

MAX_FILE_BYTES = 512 * MIB  # the template's default

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
    project: Project, keys: Keys, key_store: DynamoKeyStore, connect: Callable[[str], OpenAI]
) -> None:
    key, revoked = keys.create(project.name)
    keys.revoke(key.id)
    _, expired = Keys(key_store, clock=lambda: time.time() - 100).create(project.name, lifetime=99)

    for secret in (revoked, expired):
        with pytest.raises(openai.AuthenticationError) as caught:
            connect(secret).files.list()
        assert caught.value.code == "invalid_api_key"


def test_the_authorizers_answer_for_a_key_is_cached(
    project: Project, keys: Keys, connect: Callable[[str], OpenAI]
) -> None:
    key, secret = keys.create(project.name)
    client = connect(secret)
    client.files.list()

    keys.revoke(key.id)

    assert [*client.files.list()] == []  # until AuthorizerTtlSeconds have passed


def test_a_key_permits_only_its_scopes(
    project: Project, keys: Keys, connect: Callable[[str], OpenAI]
) -> None:
    reader = connect(keys.create(project.name, scopes=("files:read",))[1])
    writer = connect(keys.create(project.name, scopes=("files:write",))[1])
    file_id = writer.files.create(file=b"x", purpose="assistants").id
    assert writer.post("/files", body=NEW_FILE, cast_to=object)
    upload = writer.uploads.create(**NEW_UPLOAD).id  # type: ignore[arg-type]
    part = writer.uploads.parts.create(upload, data=b"abc").id

    forbidden: list[Callable[[], object]] = [
        lambda: reader.files.create(file=b"x", purpose="assistants"),
        lambda: reader.post("/files", body=NEW_FILE, cast_to=object),
        lambda: reader.files.delete(file_id),
        lambda: reader.uploads.create(**NEW_UPLOAD),  # type: ignore[arg-type]
        lambda: reader.uploads.parts.create(upload, data=b"abc"),
        lambda: reader.uploads.complete(upload, part_ids=[part]),
        lambda: reader.uploads.cancel(upload),
        lambda: writer.files.list(),
        lambda: writer.files.retrieve(file_id),
        lambda: writer.files.content(file_id),
        lambda: writer.get(f"/files/{file_id}/url", cast_to=object),
    ]
    for call in forbidden:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            call()
        assert (caught.value.type, caught.value.param) == ("invalid_request_error", None)
        assert caught.value.code == "insufficient_permissions"
    assert writer.uploads.complete(upload, part_ids=[part]).status == "completed"
    assert reader.files.content(file_id).read() == b"x"
    assert reader.get(f"/files/{file_id}/url", cast_to=object)


# --- files and uploads that are not there -------------------------------------------------------


@dataclass(frozen=True)
class Populated:
    """A project with files and uploads in every state, which no rejected request may change.

    Attributes:
        http: calls with its key.
        ids: of its files and uploads, by their state, and of those that it cannot see.
    """

    http: httpx2.Client
    ids: dict[str, str]

    def call(self, call: str, **sent: Any) -> httpx2.Response:
        """Makes the call `METHOD /path/{state of the file or upload}`."""
        method, path = call.format(**self.ids).split()
        return self.http.request(method, path, **sent)


@pytest.fixture(scope="module")
def populated(new_project: Callable[[str], Project]) -> Iterator[Populated]:
    project, other, now = new_project("errors"), new_project("foreign"), int(time.time())
    file = File(new_id(), len(CONTENT), 1, "a", "evals", expires_at=now)
    project.blobs.put(file.blob_key(project.name), CONTENT)
    project.records.add(project.name, file)
    upload = Upload(new_id(), 3, now - 3600, "a", "evals", "a/b", expires_at=now)
    project.upload_records.open(project.name, upload)
    ids = {
        "unknown": new_id(),
        "malformed": "file-abc123",
        "foreign": other.upload_directly(),
        "foreign_pending": other.create_pending()["id"],
        "foreign_upload": other.open_upload(3),
        "expired_file": file.id,
        "expired": upload.id,
        "deleted": project.upload_directly(),
        "file": project.upload_directly(),
        "completed": project.open_upload(3),
        "cancelled": project.open_upload(3),
    }
    assert project.client.files.retrieve(ids["file"]).status == "processed"
    assert project.client.files.delete(ids["deleted"]).deleted
    part = project.send_part(ids["completed"], b"abc")
    assert project.complete(ids["completed"], [part]).status_code == 200
    assert project.client.uploads.cancel(ids["cancelled"]).status == "cancelled"
    eventually(lambda: not [key for key in project.objects() if key.startswith("parts/")])
    eventually(lambda: ids["deleted"] not in "".join(project.items()))
    ids |= {"pending": project.create_pending()["id"], "open": project.open_upload(3)}

    def state() -> list[str]:  # without the expired file, which the TTL may delete at any time
        return [key for key in (*project.items(), *project.objects()) if file.id not in key]

    before = state()
    yield Populated(project.http, ids)
    assert state() == before


FILE_CALLS = ["GET /files/{}", "GET /files/{}/content", "GET /files/{}/url", "DELETE /files/{}"]
UPLOAD_CALLS: dict[str, dict[str, Any]] = {
    "POST /uploads/{}/parts": {"json": {"bytes": 3}},
    "POST /uploads/{}/complete": {"json": {"part_ids": [new_id()]}},
    "POST /uploads/{}/cancel": {},
}


@pytest.mark.parametrize("call", [*FILE_CALLS, *UPLOAD_CALLS])
def test_what_is_not_there_is_404(populated: Populated, call: str) -> None:
    files, uploads = ("foreign", "foreign_pending", "deleted", "expired_file"), ("foreign_upload",)
    for state in ("unknown", "malformed", *(uploads if call in UPLOAD_CALLS else files)):
        answer = populated.call(call.format(f"{{{state}}}"), **UPLOAD_CALLS.get(call, {}))

        assert error(answer) == (404, "invalid_request_error", "id", None), state
        assert populated.ids[state] in answer.json()["error"]["message"]
    answer = populated.call(call.format("%00"), **UPLOAD_CALLS.get(call, {}))
    assert error(answer) == (404, "invalid_request_error", "id", None)


# --- requests that are rejected -----------------------------------------------------------------


def bad(param: str | None, code: str | None = None, status: int = 400) -> tuple[Any, ...]:
    """The error; see `error`."""
    return status, "invalid_request_error", param, code


def form(**files: object) -> dict[str, Any]:
    return {"data": {"purpose": "assistants"}, "files": files}


def body(content: bytes, media_type: str = "application/json") -> dict[str, Any]:
    return {"content": content, "headers": {"Content-Type": media_type}}


FILES, UPLOADS, PARTS = "POST /files", "POST /uploads", "POST /uploads/{open}/parts"
COMPLETE, CLOSED = "POST /uploads/{open}/complete", ("completed", "cancelled", "expired")
FILE = ("a.txt", b"content")
FORM = "multipart/form-data; boundary=b"
CUT = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut'
EARLY = {"expires_after": {"anchor": "created_at", "seconds": 3599}}
OTHER_WAYS = (str(MAX_INLINE_BYTES), "direct upload", "Uploads API")
OTHER_PARTS = ("part", str(MAX_INLINE_BYTES), "JSON", "Uploads API")

# The samples in events/ have each field of each call; these are of each kind.
CASES: list[tuple[str, dict[str, Any], tuple[Any, ...], tuple[str, ...]]] = [
    # a required field is missing
    (FILES, form(file=(None, b"a.txt")), bad("file"), ()),
    (FILES, {"files": {"file": FILE}}, bad("purpose"), ()),
    (FILES, {"json": {"filename": "a", "purpose": "batch"}}, bad("bytes"), ()),
    (UPLOADS, {"json": NEW_FILE}, bad("mime_type"), ()),
    (PARTS, form(file=FILE), bad("data"), ()),
    (PARTS, {"json": {}}, bad("bytes"), ()),
    (COMPLETE, {"json": {}}, bad("part_ids"), ()),
    # a field has an invalid value, or a form has it twice
    ("GET /files", {"params": {"limit": "10001"}}, invalid("limit"), ()),
    ("GET /files", {"params": {"purpose": "mischief"}}, invalid("purpose"), ()),
    ("GET /files/{file}/url", {"params": {"expires_in": "3601"}}, invalid("expires_in"), ()),
    (FILES, form(file=FILE, expires_after=(None, b"soon")), invalid("expires_after"), ()),
    (FILES, form(file=FILE, purpose=(None, b"batch")), invalid("purpose"), ("more than once",)),
    (FILES, {"json": NEW_FILE | EARLY}, invalid("expires_after"), ()),
    (FILES, {"json": NEW_FILE | {"sha256": "abc"}}, invalid("sha256"), ()),
    (UPLOADS, {"json": NEW_UPLOAD | EARLY}, invalid("expires_after"), ()),
    (UPLOADS, {"json": NEW_UPLOAD | {"mime_type": "b" * 500_000}}, invalid("mime_type"), ()),
    (PARTS, {"json": {"bytes": 0}}, invalid("bytes"), ()),
    (COMPLETE, {"json": {"part_ids": []}}, invalid("part_ids"), ()),
    # the file or part is empty, the file is not processed, the upload is closed
    (FILES, form(file=("a", b"")), bad("file", "empty_file"), ()),
    (PARTS, form(data=("a", b"")), bad("data", "empty_file"), ()),
    ("GET /files/{pending}/content", {}, bad("id", "file_not_ready"), ()),
    ("GET /files/{pending}/url", {}, bad("id", "file_not_ready"), ()),
    *(
        (f"POST /uploads/{{{state}}}/{call}", sent, invalid("upload_id"), (f"is {state}.",))
        for state in CLOSED
        for call, sent in (
            ("parts", form(data=FILE)),
            ("parts", {"json": {"bytes": 3}}),
            ("complete", {"json": {"part_ids": [OTHER_ID]}}),
            ("cancel", {}),
        )
        if (state, call) != ("completed", "complete")  # it gets the same answer again
    ),
    # the body cannot be read
    (FILES, body(b"hello", "text/plain"), bad(None), ()),
    (FILES, body(b"no boundary named", "multipart/form-data"), bad(None), ()),
    *((FILES, body(content, FORM), bad(None), ()) for content in (b"", b"no boundary", CUT)),
    (PARTS, body(CUT, FORM), bad(None), ()),
    *((FILES, body(content), bad(None), ()) for content in (b"", b"{", b"[]", b"[" * 100_000)),
    *((call, body(b"{"), bad(None), ()) for call in (UPLOADS, PARTS, COMPLETE)),
    # more bytes than the body, one PUT or the deployment accepts
    *(
        (FILES, form(file=("a", bytes(size))), bad("file", "file_too_large", 413), OTHER_WAYS)
        for size in (MAX_INLINE_BYTES + 1, 5 * MIB, 11 * MIB)
    ),
    (PARTS, form(data=("a", bytes(4_500_001))), bad("data", "file_too_large", 413), ()),
    *(  # the gateway has one answer for all calls; it says "file"
        (PARTS, form(data=("a", bytes(size))), bad("file", "file_too_large", 413), OTHER_PARTS)
        for size in (6 * MIB, 11 * MIB)
    ),
    *(
        (call, {"json": new | {"bytes": size}}, bad("bytes", "file_too_large", 413), (limit,))
        for call, new, size, limit in (
            (FILES, NEW_FILE, MAX_FILE_BYTES + 1, str(MAX_FILE_BYTES)),
            (FILES, NEW_FILE, 10**30, str(MAX_FILE_BYTES)),
            (UPLOADS, NEW_UPLOAD, MAX_FILE_BYTES + 1, str(MAX_FILE_BYTES)),
            (PARTS, {}, MAX_DIRECT_BYTES + 1, str(MAX_DIRECT_BYTES)),
        )
    ),
    # no such call
    *(
        (f"{method} {path}", {}, bad(None, "unknown_url", 404), (f"URL ({method} /v1{path})",))
        for method, path in (
            ("GET", "/nothing"),
            ("PATCH", "/files"),
            ("PUT", "/files/x"),
            ("POST", "/files/x/y"),
        )
    ),
]


@pytest.mark.parametrize(("call", "sent", "expected", "words"), CASES, ids=range(len(CASES)))
def test_an_invalid_request_is_rejected(
    populated: Populated,
    call: str,
    sent: dict[str, Any],
    expected: tuple[Any, ...],
    words: tuple[str, ...],
) -> None:
    answer = populated.call(call, **sent)

    assert error(answer) == expected
    for word in words:
        assert word in answer.json()["error"]["message"]


def test_invalid_completions_are_rejected(project: Project) -> None:
    upload, other_upload = project.open_upload(6), project.open_upload(3)
    part, other = (project.send_part(upload, content) for content in (b"abc", b"def"))
    foreign, waiting = (
        project.send_part(other_upload, b"def"),
        project.presign_part(upload, 3)["id"],
    )

    for ids in ([part], [part, part], *([part, bad] for bad in (new_id(), foreign, waiting))):
        assert error(project.complete(upload, ids)) == invalid("part_ids"), ids
    for wrong in ("0" * 32, md5(b"defabc")):
        assert error(project.complete(upload, [part, other], md5=wrong)) == invalid("md5")
    assert project.complete(upload, [part, other], md5=md5(b"abcdef")).status_code == 200
    assert project.complete(other_upload, [foreign]).status_code == 200


def test_a_file_too_large_for_one_put_comes_in_parts(project: Project) -> None:
    assert project.create_pending(bytes=MAX_FILE_BYTES)["bytes"] == MAX_FILE_BYTES
    larger = str(6 * MAX_DIRECT_BYTES)
    with (
        configured(project.stack, "CreateFile", MAX_FILE_BYTES=larger),
        configured(project.stack, "CreateUpload", MAX_FILE_BYTES=larger),
    ):
        accepted = project.create_pending(bytes=MAX_DIRECT_BYTES)
        in_parts = project.create_pending(bytes=MAX_DIRECT_BYTES + 1)
        with_sha256 = {"bytes": MAX_DIRECT_BYTES + 1, "sha256": "0" * 64}
        rejected = project.http.post("/files", json=NEW_FILE | with_sha256)
        assert project.open_upload(MAX_DIRECT_BYTES + 1)

    assert "url" in accepted["upload"]
    assert (in_parts["upload"]["part_size"], in_parts["upload"]["parts"]) == (64 * 1024**2, 81)
    assert error(rejected) == bad("sha256", "invalid_value")


# --- failures -----------------------------------------------------------------------------------


def test_throttled_calls_are_told_when_to_retry(
    http: httpx2.Client, local_stack: LocalStack
) -> None:
    with (
        stage_setting(local_stack, "/*/*/throttling/burstLimit", "0", "1000"),
        stage_setting(local_stack, "/*/*/throttling/rateLimit", "0", "500"),
    ):
        answer = http.get("/files")

    assert error(answer) == (429, "rate_limit_error", None, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) > 0
    assert http.get("/files").status_code == 200


@pytest.mark.parametrize(
    ("function", "change"),
    [
        ("CancelUpload", {"handler": "nothing.here"}),
        ("CancelUpload", {"FILES_TABLE": "no-such-table"}),
    ],
    ids=["cannot start", "internal failure"],
)
def test_a_failing_function_is_a_server_error_without_details(
    project: Project, function: str, change: dict[str, str]
) -> None:
    with configured(project.stack, function, **change):
        answer = project.http.post(f"/uploads/{new_id()}/cancel")

    assert answer.status_code == 500
    message = "The server had an error while processing your request. Please retry."
    assert answer.json() == {
        "error": {"message": message, "type": "server_error", "param": None, "code": None}
    }


def test_a_key_that_cannot_be_checked_can_be_tried_again(project: Project) -> None:
    # The gateway does not tell a failed authorizer from one that Lambda or DynamoDB throttles. The
    # project's key is not in its cache yet.
    with configured(project.stack, "Authorize", KEYS_TABLE="no-such-table"):
        answer = project.http.get("/files")

    assert error(answer) == (429, "rate_limit_error", None, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "1"
    assert project.http.get("/files").status_code == 200
