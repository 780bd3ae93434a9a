"""Requests of the Uploads API that are rejected."""

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.keys import Keys
from tests.contract.calls import MIB, complete, error, invalid, md5, open_upload, send_part


def opened(client: OpenAI) -> str:
    """Opens an upload of three bytes; returns its id."""
    return client.uploads.create(bytes=3, filename="a", mime_type="a/b", purpose="batch").id


@pytest.mark.parametrize("call", ["parts", "complete", "cancel"])
def test_an_unknown_or_foreign_upload_is_404(
    http: httpx2.Client, stranger: OpenAI, call: str
) -> None:
    theirs = opened(stranger)
    bodies: dict[str, Any] = {
        "parts": {"bytes": 3},
        "complete": {"part_ids": [new_id()]},
        "cancel": None,
    }

    for upload_id in (theirs, new_id(), "upload_abc123"):
        answer = http.post(f"/uploads/{upload_id}/{call}", json=bodies[call])

        assert error(answer) == (404, "invalid_request_error", "id", None)
        assert upload_id in answer.json()["error"]["message"]


def test_a_part_of_another_upload_is_rejected(http: httpx2.Client) -> None:
    mine, other = open_upload(http, 3), open_upload(http, 3)
    part = send_part(http, other, b"abc")

    assert error(complete(http, mine, [part])) == invalid("part_ids")
    assert complete(http, other, [part]).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "param", "code"),
    [
        ({"purpose": "mischief"}, 400, "purpose", "invalid_value"),
        ({"bytes": 0}, 400, "bytes", "invalid_value"),
        ({"bytes": "3"}, 400, "bytes", "invalid_value"),
        ({"bytes": 512 * MIB + 1}, 413, "bytes", "file_too_large"),
        ({"bytes": None}, 400, "bytes", "invalid_value"),
        ({"mime_type": "a/" + "b" * 500_000}, 400, "mime_type", "invalid_value"),
        ({"expires_after": {"anchor": "now", "seconds": 3600}}, 400, "expires_after", None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_upload_with_an_invalid_field_is_rejected(
    http: httpx2.Client, change: dict[str, Any], status: int, param: str, code: str | None
) -> None:
    fields = {"bytes": 3, "filename": "a", "mime_type": "a/b", "purpose": "batch"}

    answer = http.post("/uploads", json=fields | change)

    expected = code or "invalid_value"
    assert error(answer) == (status, "invalid_request_error", param, expected)


@pytest.mark.parametrize("field", ["bytes", "filename", "mime_type", "purpose"])
def test_an_upload_with_a_missing_field_is_rejected(http: httpx2.Client, field: str) -> None:
    fields = {"bytes": 3, "filename": "a", "mime_type": "a/b", "purpose": "batch"}
    del fields[field]

    assert error(http.post("/uploads", json=fields)) == (400, "invalid_request_error", field, None)


def test_invalid_parts_are_rejected(http: httpx2.Client) -> None:
    parts = f"/uploads/{open_upload(http, 3)}/parts"

    def outcome(**sent: Any) -> tuple[int, Any, Any, Any]:
        return error(http.post(parts, **sent))

    assert outcome(files={"data": ("a", b"")}) == (
        400,
        "invalid_request_error",
        "data",
        "empty_file",
    )
    assert outcome(files={"file": ("a", b"x")}) == (400, "invalid_request_error", "data", None)
    assert outcome(content=b"abc") == (400, "invalid_request_error", None, None)
    assert outcome(json=[]) == (400, "invalid_request_error", None, None)
    assert outcome(json={}) == (400, "invalid_request_error", "bytes", None)
    assert outcome(json={"bytes": 0}) == invalid("bytes")
    assert outcome(json={"bytes": 3, "sha256": "abc"}) == invalid("sha256")
    too_large = (413, "invalid_request_error", "bytes", "file_too_large")
    assert outcome(json={"bytes": 5 * 1024 * MIB + 1}) == too_large
    too_large = (413, "invalid_request_error", "data", "file_too_large")
    assert outcome(files={"data": ("a", bytes(MAX_INLINE_BYTES + 1))}) == too_large


@pytest.mark.parametrize("size", [6 * MIB, 11 * MIB])
def test_a_part_too_large_for_the_body_is_told_the_other_way(
    http: httpx2.Client, size: int
) -> None:
    parts = f"/uploads/{open_upload(http, size)}/parts"

    answer = http.post(parts, files={"data": ("a", bytes(size))})

    # The gateway has one answer for all calls; it says "file".
    assert error(answer) == (413, "invalid_request_error", "file", "file_too_large")
    message = answer.json()["error"]["message"]
    for word in ("part", str(MAX_INLINE_BYTES), "JSON", "Uploads API"):
        assert word in message


def test_invalid_completions_are_rejected(http: httpx2.Client) -> None:
    upload = open_upload(http, 6)
    part = send_part(http, upload, b"abc")
    other = send_part(http, upload, b"def")

    def outcome(**sent: Any) -> tuple[int, Any, Any, Any]:
        return error(http.post(f"/uploads/{upload}/complete", json=sent))

    assert outcome() == (400, "invalid_request_error", "part_ids", None)
    for bad in ([], [part, part], [part], [part, new_id()], [part, "x"], "x", [1]):
        assert outcome(part_ids=bad) == invalid("part_ids")
    for bad in ("0" * 32, "0" * 31, md5(b"defabc")):
        assert outcome(part_ids=[part, other], md5=bad) == invalid("md5")
    assert complete(http, upload, [part, other], md5=md5(b"abcdef")).status_code == 200
    assert error(http.post(f"/uploads/{upload}/cancel")) == invalid("upload_id")
    assert error(http.post(f"/uploads/{upload}/parts", json={"bytes": 1})) == invalid("upload_id")


def test_uploads_need_the_scope_to_write(
    keys: Keys, connect: Callable[[str], OpenAI], http: httpx2.Client, project: str
) -> None:
    reader = connect(keys.create(project, scopes=("files:read",))[1])
    upload = open_upload(http, 3)
    part = send_part(http, upload, b"abc")
    forbidden: list[Callable[[], object]] = [
        lambda: opened(reader),
        lambda: reader.uploads.parts.create(upload, data=b"abc"),
        lambda: reader.uploads.complete(upload, part_ids=[part]),
        lambda: reader.uploads.cancel(upload),
    ]

    for call in forbidden:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            call()
        assert caught.value.code == "insufficient_permissions"
    assert complete(http, upload, [part]).status_code == 200
