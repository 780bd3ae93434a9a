"""Requests for direct uploads that are rejected."""

import json

import httpx2
import pytest

from files_api.service.model import MAX_DIRECT_BYTES
from tests.contract.calls import (
    MIB,
    NEW_FILE,
    SHA256,
    create_pending,
    error,
    invalid,
    open_upload,
)
from tests.contract.conftest import Stored
from tests.contract.deployed import configured
from tools.local_stack import LocalStack

MAX_FILE_BYTES = 512 * MIB  # the template's default


@pytest.mark.parametrize("field", NEW_FILE)
def test_a_missing_field_is_named(http: httpx2.Client, field: str) -> None:
    fields = {name: NEW_FILE[name] for name in NEW_FILE if name != field}

    answer = http.post("/files", json=fields)

    assert error(answer) == (400, "invalid_request_error", field, None)


BAD_FIELDS: dict[str, list[object]] = {
    "bytes": [0, -1, "20", 20.0, 20.5, True, None, [20], {}],
    "sha256": ["", "abc", "g" * 64, SHA256 + "0", f"{SHA256}\n", 7, [SHA256]],
    "purpose": ["mischief", "", None, 7, ["batch"]],
    "filename": [None, 7, ["a"]],
    "expires_after": [
        {"anchor": "created_at", "seconds": 3599},
        {"anchor": "created_at", "seconds": 2_592_001},
        {"anchor": "last_used_at", "seconds": 3600},
        {"anchor": "created_at"},
        {},
        "tomorrow",
        [],
    ],
}


@pytest.mark.parametrize("field", BAD_FIELDS)
def test_an_invalid_field_is_named(http: httpx2.Client, stored: Stored, field: str) -> None:
    for bad in BAD_FIELDS[field]:
        assert error(http.post("/files", json=NEW_FILE | {field: bad})) == invalid(field), bad

    assert stored.nothing()


@pytest.mark.parametrize(("name", "left"), [("\ud800.txt", "txt"), ("a\udfff", "a")], ids=ascii)
def test_lone_surrogates_are_dropped_from_a_filename(
    http: httpx2.Client, name: str, left: str
) -> None:
    answer = http.post(
        "/files",
        content=json.dumps(NEW_FILE | {"filename": name}),
        headers={"Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["filename"]) == (200, left)


@pytest.mark.parametrize("size", [MAX_FILE_BYTES + 1, 6 * 1024**4, 10**30])
def test_a_file_too_large_for_the_stack_is_rejected(http: httpx2.Client, size: int) -> None:
    answer = http.post("/files", json=NEW_FILE | {"bytes": size})

    assert error(answer) == (413, "invalid_request_error", "bytes", "file_too_large")
    assert str(MAX_FILE_BYTES) in answer.json()["error"]["message"]


def test_a_file_too_large_for_one_put_needs_the_uploads_api(
    http: httpx2.Client, stack: LocalStack
) -> None:
    larger = str(6 * MAX_DIRECT_BYTES)
    with (
        configured(stack, "CreateFile", MAX_FILE_BYTES=larger),
        configured(stack, "CreateUpload", MAX_FILE_BYTES=larger),
    ):
        accepted = create_pending(http, bytes=MAX_DIRECT_BYTES)
        rejected = http.post("/files", json=NEW_FILE | {"bytes": MAX_DIRECT_BYTES + 1})
        upload = open_upload(http, MAX_DIRECT_BYTES + 1)

    assert accepted["upload"]["method"] == "PUT"
    assert error(rejected) == (413, "invalid_request_error", "bytes", "file_too_large")
    message = rejected.json()["error"]["message"]
    assert str(MAX_DIRECT_BYTES) in message
    assert "Uploads API (POST /v1/uploads)" in message
    assert upload


def test_the_largest_file_of_the_stack_is_accepted(http: httpx2.Client) -> None:
    assert create_pending(http, bytes=MAX_FILE_BYTES)["bytes"] == MAX_FILE_BYTES


BAD_BODIES = [
    b"",
    b"{",
    b"{'bytes': 20}",
    b"null",
    b"[]",
    b'"text"',
    b"20",
    b"\xff\xfe{}",
    b"[" * 100_000,
    b'{"bytes": ' + b"9" * 5_000 + b"}",
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_body_that_is_not_a_json_object_is_rejected(http: httpx2.Client, body: bytes) -> None:
    answer = http.post("/files", content=body, headers={"Content-Type": "application/json"})

    assert error(answer) == (400, "invalid_request_error", None, None)
