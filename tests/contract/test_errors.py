"""Every row of the table of errors, through the gateway."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.keys import Keys
from files_api.service.model import MAX_DIRECT_BYTES, File, Upload
from tests.contract.calls import (
    CONTENT,
    MIB,
    NEW_FILE,
    NEW_UPLOAD,
    complete,
    create_pending,
    error,
    invalid,
    md5,
    missing,
    open_upload,
    presign_part,
    send_part,
)
from tests.contract.conftest import Stored, eventually, raw
from tests.contract.deployed import configured, stage_setting
from tools.local_stack import LocalStack

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
    keys: Keys, connect: Callable[[str], OpenAI], project: str
) -> None:
    reader = connect(keys.create(project, scopes=("files:read",))[1])
    writer = connect(keys.create(project, scopes=("files:write",))[1])
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
class Project:
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
def populated(
    stack: LocalStack,
    keys: Keys,
    records: DynamoFileRecords,
    upload_records: DynamoUploadRecords,
    blobs: S3Blobs,
    dynamodb: Any,
) -> Iterator[Project]:
    name, now = f"errors-{new_id()}", int(time.time())
    stored = Stored(name, records, blobs, dynamodb, stack.outputs["FilesTable"])
    form: dict[str, Any] = {"files": {"file": ("a.txt", CONTENT)}, "data": {"purpose": "batch"}}
    with raw(stack, keys.create(name)[1]) as http, raw(stack, keys.create(new_id())[1]) as other:
        ids = {
            "unknown": new_id(),
            "malformed": "file-abc123",
            "foreign": other.post("/files", **form).json()["id"],
            "foreign_pending": create_pending(other)["id"],
            "foreign_upload": open_upload(other, 3),
            "deleted": http.post("/files", **form).json()["id"],
            "file": http.post("/files", **form).json()["id"],
            "expired_file": new_id(),
            "expired": new_id(),
        }
        assert http.delete(f"/files/{ids['deleted']}").status_code == 200
        file = File(ids["expired_file"], len(CONTENT), 1, "a", "evals", expires_at=now)
        blobs.put(file.blob_key(name), CONTENT)
        records.add(name, file)
        upload = Upload(ids["expired"], 3, now - 3600, "a", "evals", "a/b", expires_at=now)
        upload_records.open(name, upload)
        for state in ("completed", "cancelled", "open"):
            ids[state] = open_upload(http, 3)
        ids["part"] = send_part(http, ids["completed"], b"abc")
        assert complete(http, ids["completed"], [ids["part"]]).status_code == 200
        assert http.post(f"/uploads/{ids['cancelled']}/cancel").status_code == 200
        eventually(lambda: not [key for key in stored.objects() if key.startswith("parts/")])
        ids["pending"] = create_pending(http)["id"]
        before = stored.items(), stored.objects()
        yield Project(http, ids)
        assert (stored.items(), stored.objects()) == before


FILE_CALLS = ["GET /files/{}", "GET /files/{}/content", "GET /files/{}/url", "DELETE /files/{}"]
UPLOAD_CALLS: dict[str, dict[str, Any]] = {
    "POST /uploads/{}/parts": {"json": {"bytes": 3}},
    "POST /uploads/{}/complete": {"json": {"part_ids": [new_id()]}},
    "POST /uploads/{}/cancel": {},
}


@pytest.mark.parametrize("call", [*FILE_CALLS, *UPLOAD_CALLS])
def test_what_is_not_there_is_404(populated: Project, call: str) -> None:
    gone = ["unknown", "malformed"]
    gone += (
        ["foreign_upload"]
        if call in UPLOAD_CALLS
        else ["foreign", "foreign_pending", "deleted", "expired_file"]
    )
    for state in gone:
        answer = populated.call(call.format(f"{{{state}}}"), **UPLOAD_CALLS.get(call, {}))

        assert error(answer) == (404, "invalid_request_error", "id", None), state
        assert populated.ids[state] in answer.json()["error"]["message"]
    answer = populated.call(call.format("%00"), **UPLOAD_CALLS.get(call, {}))
    assert error(answer) == (404, "invalid_request_error", "id", None)


# --- requests that are rejected -----------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A request that is rejected.

    Attributes:
        call: see `Project.call`.
        sent: arguments of the request.
        expected: see `error`.
        words: that the message has.
    """

    call: str
    sent: dict[str, Any]
    expected: tuple[int, Any, Any, Any]
    words: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.call} {self.expected[2]} {self.expected[3]}"


def form(data: object = (), **files: object) -> dict[str, Any]:
    """A form with a purpose."""
    return {"data": {"purpose": "assistants"} | dict(data), "files": files}  # type: ignore[call-overload]


def too_large(param: str) -> tuple[int, str, str, str]:
    return 413, "invalid_request_error", param, "file_too_large"


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {"json": {each: fields[each] for each in fields if each != name}}


FILES, UPLOADS, PARTS = "POST /files", "POST /uploads", "POST /uploads/{open}/parts"
COMPLETE = "POST /uploads/{open}/complete"
FILE = ("a.txt", b"content")
HOUR = {"anchor": "created_at", "seconds": 3600}
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=b"}
JSON_TYPE = {"Content-Type": "application/json"}
NOT_A_BODY = (400, "invalid_request_error", None, None)
OTHER_WAYS = (str(MAX_INLINE_BYTES), "direct upload", "Uploads API")
OTHER_PARTS = ("part", str(MAX_INLINE_BYTES), "JSON", "Uploads API")

CASES = [
    # a required field is missing
    Case(FILES, form(other=FILE), missing("file")),
    Case(FILES, form(file=(None, b"a.txt")), missing("file")),
    Case(FILES, {"files": {"file": FILE}}, missing("purpose")),
    *(Case(FILES, without(NEW_FILE, name), missing(name)) for name in NEW_FILE),
    *(Case(UPLOADS, without(NEW_UPLOAD, name), missing(name)) for name in NEW_UPLOAD),
    Case(PARTS, {"files": {"file": FILE}}, missing("data")),
    Case(PARTS, {"json": {}}, missing("bytes")),
    Case(COMPLETE, {"json": {}}, missing("part_ids")),
    # a field has an invalid value
    *(
        Case("GET /files", {"params": {name: value}}, invalid(name))
        for name, value in {
            "limit": "0",
            "order": "up",
            "after": "file-abc",
            "purpose": "mischief",
        }.items()
    ),
    Case("GET /files", {"params": {"limit": "10001"}}, invalid("limit")),
    Case("GET /files/{file}/url", {"params": {"expires_in": "59"}}, invalid("expires_in")),
    Case("GET /files/{file}/url", {"params": {"expires_in": "3601"}}, invalid("expires_in")),
    Case(FILES, form({"purpose": "mischief"}, file=FILE), invalid("purpose")),
    *(
        Case(FILES, form(expiry, file=FILE), invalid("expires_after"))
        for expiry in (
            {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3599"},
            {"expires_after[seconds]": "3600"},
            {"expires_after": "tomorrow"},
        )
    ),
    *(
        Case(call, {"json": fields | {name: value}}, invalid(name))
        for call, fields, more in (
            (FILES, NEW_FILE, {"sha256": "abc", "filename": None}),
            (UPLOADS, NEW_UPLOAD, {"mime_type": "a/" + "b" * 500_000}),
        )
        for name, value in (
            {"bytes": 0, "purpose": "mischief", "expires_after": HOUR | {"seconds": 3599}} | more
        ).items()
    ),
    Case(UPLOADS, {"json": NEW_UPLOAD | {"bytes": "3"}}, invalid("bytes")),
    Case(PARTS, {"json": {"bytes": 0}}, invalid("bytes")),
    Case(PARTS, {"json": {"bytes": 3, "sha256": "abc"}}, invalid("sha256")),
    # the file or part is empty
    Case(FILES, form(file=("a", b"")), (400, "invalid_request_error", "file", "empty_file")),
    Case(
        PARTS,
        {"files": {"data": ("a", b"")}},
        (400, "invalid_request_error", "data", "empty_file"),
    ),
    # the file is not processed
    *(
        Case(
            f"GET /files/{{pending}}/{what}",
            {},
            (400, "invalid_request_error", "id", "file_not_ready"),
        )
        for what in ("content", "url")
    ),
    # the upload is closed
    *(
        Case(
            f"POST /uploads/{{{state}}}/{call}",
            sent,
            invalid("upload_id"),
            (f"upload is {state}.",),
        )
        for state in ("completed", "cancelled", "expired")
        for call, sent in (
            ("parts", {"files": {"data": ("a", b"abc")}}),
            ("parts", {"json": {"bytes": 3}}),
            ("complete", {"json": {"part_ids": [new_id()]}}),
            ("cancel", {}),
        )
        if (state, call) != ("completed", "complete")  # answered again
    ),
    # parts that are not there
    *(
        Case(COMPLETE, {"json": {"part_ids": bad}}, invalid("part_ids"))
        for bad in ([], [new_id()], ["x"], "x", [1])
    ),
    Case(COMPLETE, {"json": {"part_ids": [new_id()], "md5": "0" * 31}}, invalid("md5")),
    # the body cannot be read
    *(
        Case(call, {"content": content, "headers": headers}, NOT_A_BODY)
        for call in (FILES, PARTS)
        for content, headers in (
            (b"hello", {"Content-Type": "text/plain"}),
            (b"no boundary named", {"Content-Type": "multipart/form-data"}),
            (b"", FORM_TYPE),
            (b"no boundary inside", FORM_TYPE),
            (
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut',
                FORM_TYPE,
            ),
        )
    ),
    *(
        Case(call, {"content": content, "headers": JSON_TYPE}, NOT_A_BODY)
        for call in (FILES, UPLOADS, PARTS, COMPLETE)
        for content in (b"", b"{", b"[]", b"\xff\xfe{}", b"[" * 100_000)
    ),
    # more bytes than the body, one PUT or the deployment accepts
    *(
        Case(FILES, form(file=("a", bytes(size))), too_large("file"), OTHER_WAYS)
        for size in (MAX_INLINE_BYTES + 1, 5 * MIB, 11 * MIB)
    ),
    Case(PARTS, {"files": {"data": ("a", bytes(MAX_INLINE_BYTES + 1))}}, too_large("data")),
    *(  # the gateway has one answer for all calls; it says "file"
        Case(PARTS, {"files": {"data": ("a", bytes(size))}}, too_large("file"), OTHER_PARTS)
        for size in (6 * MIB, 11 * MIB)
    ),
    *(
        Case(call, {"json": fields | {"bytes": size}}, too_large("bytes"), (str(MAX_FILE_BYTES),))
        for call, fields in ((FILES, NEW_FILE), (UPLOADS, NEW_UPLOAD))
        for size in (MAX_FILE_BYTES + 1, 10**30)
    ),
    Case(PARTS, {"json": {"bytes": MAX_DIRECT_BYTES + 1}}, too_large("bytes")),
    # the gateway's own answers
    *(
        Case(
            call,
            {},
            (404, "invalid_request_error", None, "unknown_url"),
            (f"Invalid URL ({call.replace(' /', ' /v1/')})",),
        )
        for call in ("GET /nothing", "PATCH /files", "PUT /files/x", "POST /files/x/y")
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_invalid_request_is_rejected(populated: Project, case: Case) -> None:
    answer = populated.call(case.call, **case.sent)

    assert error(answer) == case.expected
    for word in case.words:
        assert word in answer.json()["error"]["message"]


def test_invalid_completions_are_rejected(http: httpx2.Client) -> None:
    upload, other_upload = open_upload(http, 6), open_upload(http, 3)
    part, other = (send_part(http, upload, content) for content in (b"abc", b"def"))
    foreign, waiting = send_part(http, other_upload, b"def"), presign_part(http, upload, 3)["id"]

    for ids in ([part], [part, part], *([part, bad] for bad in (new_id(), foreign, waiting))):
        assert error(complete(http, upload, ids)) == invalid("part_ids"), ids
    for wrong in ("0" * 32, md5(b"defabc")):
        assert error(complete(http, upload, [part, other], md5=wrong)) == invalid("md5")
    assert complete(http, upload, [part, other], md5=md5(b"abcdef")).status_code == 200
    assert complete(http, other_upload, [foreign]).status_code == 200


def test_a_file_too_large_for_one_put_needs_the_uploads_api(
    http: httpx2.Client, stack: LocalStack
) -> None:
    assert create_pending(http, bytes=MAX_FILE_BYTES)["bytes"] == MAX_FILE_BYTES
    larger = str(6 * MAX_DIRECT_BYTES)
    with (
        configured(stack, "CreateFile", MAX_FILE_BYTES=larger),
        configured(stack, "CreateUpload", MAX_FILE_BYTES=larger),
    ):
        accepted = create_pending(http, bytes=MAX_DIRECT_BYTES)
        rejected = http.post("/files", json=NEW_FILE | {"bytes": MAX_DIRECT_BYTES + 1})
        assert open_upload(http, MAX_DIRECT_BYTES + 1)

    assert accepted["upload"]["method"] == "PUT"
    assert error(rejected) == too_large("bytes")
    message = rejected.json()["error"]["message"]
    assert str(MAX_DIRECT_BYTES) in message
    assert "Uploads API (POST /v1/uploads)" in message


# --- failures -----------------------------------------------------------------------------------


def test_throttled_calls_are_told_when_to_retry(http: httpx2.Client, stack: LocalStack) -> None:
    with (
        stage_setting(stack, "/*/*/throttling/burstLimit", "0", "1000"),
        stage_setting(stack, "/*/*/throttling/rateLimit", "0", "500"),
    ):
        answer = http.get("/files")

    assert error(answer) == (429, "rate_limit_error", None, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) > 0
    assert http.get("/files").status_code == 200


@pytest.mark.parametrize(
    ("function", "change"),
    [
        ("RetrieveFile", {"handler": "nothing.here"}),
        ("RetrieveFile", {"FILES_TABLE": "no-such-table"}),
        ("Authorize", {"KEYS_TABLE": "no-such-table"}),
    ],
    ids=["cannot start", "internal failure", "authorizer"],
)
def test_a_failing_function_is_a_server_error_without_details(
    http: httpx2.Client, stack: LocalStack, function: str, change: dict[str, str]
) -> None:
    with configured(stack, function, **change):
        answer = http.get(f"/files/{new_id()}")  # its key is not in the authorizer's cache yet

    assert answer.status_code == 500
    message = "The server had an error while processing your request. Please retry."
    assert answer.json() == {
        "error": {"message": message, "type": "server_error", "param": None, "code": None}
    }
