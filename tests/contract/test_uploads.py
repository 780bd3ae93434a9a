"""The Uploads API, with the real SDK and by hand."""

import hashlib
import io
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.files import MAX_INLINE_BYTES
from files_api.ids import new_file_id
from files_api.keys import Keys
from tools.local_stack import LocalStack

MIB = 1024**2
LARGE = random.Random(23).randbytes(23 * MIB + 17)
PATIENCE_SECONDS = 30


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def error(answer: httpx2.Response) -> tuple[int, Any, Any, Any]:
    """Status, type, param and code of an error; its message is judged apart."""
    found = answer.json()["error"]
    return answer.status_code, found["type"], found["param"], found["code"]


def invalid(param: str) -> tuple[int, str, str, str]:
    return 400, "invalid_request_error", param, "invalid_value"


def eventually_none(look: Callable[[], list[str]]) -> None:
    """Looks, again and again but not for ever, until there is nothing to see."""
    last = time.monotonic() + PATIENCE_SECONDS
    while seen := look():
        assert time.monotonic() < last, seen


def keys(stack: LocalStack, prefix: str) -> list[str]:
    """The objects under a prefix."""
    found = stack.client("s3").list_objects_v2(Bucket=stack.outputs["FilesBucket"], Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def part_items(stack: LocalStack, project: str, upload_id: str) -> list[str]:
    """The items of an upload's parts."""
    found = stack.client("dynamodb").query(
        TableName=stack.outputs["FilesTable"],
        KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
        ExpressionAttributeValues={
            ":project": {"S": project},
            ":prefix": {"S": f"M#{upload_id}#"},
        },
    )
    return [item["SK"]["S"] for item in found["Items"]]


def open_upload(client: OpenAI, size: int) -> str:
    return client.uploads.create(
        bytes=size, filename="é 日本.bin", mime_type="application/octet-stream", purpose="user_data"
    ).id


def put_part(http: httpx2.Client, upload_id: str, content: bytes, sha256: str = "") -> str:
    """Sends a part by presigned URL; returns its id."""
    asked = {"bytes": len(content)} | ({"sha256": sha256} if sha256 else {})
    answer = http.post(f"/uploads/{upload_id}/parts", json=asked)
    assert answer.status_code == 200, answer.text
    part = answer.json()
    assert put(part["upload"], content) == 200
    assert isinstance(part["id"], str)
    return part["id"]


def put(upload: dict[str, Any], content: bytes) -> int:
    """PUTs to a presigned URL; returns the status."""
    answer = httpx2.put(upload["url"], content=content, headers=upload["headers"], timeout=60)
    return answer.status_code


def complete(http: httpx2.Client, upload_id: str, ids: list[str], **more: str) -> httpx2.Response:
    return http.post(f"/uploads/{upload_id}/complete", json={"part_ids": ids, **more})


# --- the SDK ------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_path", [True, False], ids=["path", "bytes"])
def test_the_sdk_uploads_in_chunks(
    client: OpenAI, stack: LocalStack, project: str, tmp_path: Path, as_path: bool
) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(LARGE)

    if as_path:
        upload = client.uploads.upload_file_chunked(
            file=path,
            mime_type="application/octet-stream",
            purpose="assistants",
            part_size=4 * MIB,
            md5=md5(LARGE),
        )
    else:
        upload = client.uploads.upload_file_chunked(
            file=LARGE,
            filename="big.bin",
            bytes=len(LARGE),
            mime_type="application/octet-stream",
            purpose="assistants",
            part_size=4 * MIB,
        )

    assert upload.file is not None
    assert (upload.status, upload.object) == ("completed", "upload")
    assert upload.expires_at == upload.created_at + 3600
    assert client.files.retrieve(upload.file.id) == upload.file
    assert [*client.files.list()] == [upload.file]
    assert (upload.file.status, upload.file.bytes) == ("processed", len(LARGE))
    assert (upload.file.filename, upload.file.purpose) == ("big.bin", "assistants")
    assert client.files.content(upload.file.id).read() == LARGE
    eventually_none(lambda: keys(stack, f"parts/{project}/"))
    assert part_items(stack, project, upload.id) == []


@pytest.mark.anyio
async def test_the_async_sdk_uploads_in_chunks(async_client: AsyncOpenAI, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(LARGE)

    upload = await async_client.uploads.upload_file_chunked(
        file=path,
        mime_type="application/octet-stream",
        purpose="assistants",
        part_size=4 * MIB,
    )

    assert upload.file is not None
    content = await async_client.files.content(upload.file.id)
    assert (upload.file.status, content.content) == ("processed", LARGE)


def test_the_sdk_uploads_part_by_part(client: OpenAI) -> None:
    upload = client.uploads.create(
        bytes=10,
        filename="../é 日本.txt",
        mime_type="text/plain",
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (upload.status, upload.bytes, upload.file) == ("pending", 10, None)
    assert (upload.filename, upload.purpose) == ("é 日本.txt", "batch")
    first = client.uploads.parts.create(upload.id, data=b"world")
    second = client.uploads.parts.create(upload.id, data=io.BytesIO(b"hello"))
    assert (first.object, first.upload_id) == ("upload.part", upload.id)
    assert [*client.files.list()] == []

    done = client.uploads.complete(
        upload.id, part_ids=[second.id, first.id], md5=md5(b"helloworld")
    )

    assert done.file is not None
    assert done == client.uploads.complete(upload.id, part_ids=[second.id, first.id])
    assert client.files.content(done.file.id).read() == b"helloworld"
    assert done.file.expires_at == done.file.created_at + 3600
    assert client.files.delete(done.file.id).deleted
    assert client.uploads.complete(upload.id, part_ids=[second.id, first.id]).file is None


def test_a_cancelled_upload_leaves_nothing(
    client: OpenAI, http: httpx2.Client, stack: LocalStack, project: str
) -> None:
    upload = open_upload(client, 6)
    part = client.uploads.parts.create(upload, data=b"abc").id
    put_part(http, upload, b"def")
    assert len(keys(stack, f"parts/{project}/{upload}/")) == 2

    assert client.uploads.cancel(upload).status == "cancelled"

    assert part_items(stack, project, upload) == []
    eventually_none(lambda: keys(stack, f"parts/{project}/"))
    assert error(complete(http, upload, [part])) == invalid("upload_id")
    assert [*client.files.list()] == []


# --- presigned parts ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_parts_of_any_size_in_any_order_by_either_way_are_one_file(
    client: OpenAI, http: httpx2.Client, stack: LocalStack, project: str, seed: int
) -> None:
    chance = random.Random(seed)
    near = [1, 1000, 4 * MIB, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 6 * MIB, 10 * MIB + 3]
    contents = [chance.randbytes(chance.choice(near)) for _ in range(chance.randint(1, 6))]
    upload = open_upload(client, sum(map(len, contents)))
    ids: dict[int, str] = {}
    for n in chance.sample(range(len(contents)), len(contents)):
        content = contents[n]
        if len(content) <= MAX_INLINE_BYTES and chance.random() < 0.5:
            ids[n] = client.uploads.parts.create(upload, data=content).id
        else:
            digest = hashlib.sha256(content).hexdigest() if chance.random() < 0.5 else ""
            ids[n] = put_part(http, upload, content, digest)
    whole = b"".join(contents)

    answer = complete(http, upload, [ids[n] for n in range(len(contents))], md5=md5(whole).upper())

    assert answer.status_code == 200, answer.text
    file = answer.json()["file"]
    assert (file["status"], file["bytes"]) == ("processed", len(whole))
    assert client.files.content(file["id"]).read() == whole
    eventually_none(lambda: keys(stack, f"parts/{project}/{upload}/"))


def test_a_presigned_part_is_told_like_any_other_and_taken_once(
    client: OpenAI, http: httpx2.Client
) -> None:
    upload = open_upload(client, 6)
    before = int(time.time())

    part = http.post(f"/uploads/{upload}/parts", json={"bytes": 6}).json()

    link = part["upload"]
    assert part == {
        "id": part["id"],
        "object": "upload.part",
        "created_at": part["created_at"],
        "upload_id": upload,
        "upload": {
            "method": "PUT",
            "url": link["url"],
            "headers": {"Content-Type": "application/octet-stream", "If-None-Match": "*"},
            "expires_at": link["expires_at"],
        },
    }
    assert before + 900 <= link["expires_at"] <= time.time() + 900
    assert error(complete(http, upload, [part["id"]])) == invalid("part_ids")
    assert put(link, b"abcdefg") == 403
    assert put(link, b"abcdef") == 200
    assert put(link, b"ABCDEF") == 412
    file = complete(http, upload, [part["id"]]).json()["file"]
    assert client.files.content(file["id"]).read() == b"abcdef"


# --- what takes longer --------------------------------------------------------------------------


@pytest.mark.parametrize("right", [True, False])
def test_what_takes_longer_than_a_call_is_finished_after_it(
    client: OpenAI, http: httpx2.Client, stack: LocalStack, project: str, right: bool
) -> None:
    # The MD5 of more than 128 MiB is not taken while a caller waits.
    content = random.Random(1).randbytes(65 * MIB)
    upload = open_upload(client, 2 * len(content))
    ids = [put_part(http, upload, content) for _ in range(2)]

    answer = complete(http, upload, ids, md5=md5(2 * content) if right else "0" * 32).json()

    assert (answer["status"], answer["file"]["status"]) == ("completed", "uploaded")
    file_id = answer["file"]["id"]
    wanted = "processed" if right else "error"
    file = client.files.wait_for_processing(file_id, poll_interval=0.2, max_wait_seconds=30)
    details = {} if right else {"status_details": "The md5 does not match the content."}
    assert file.to_dict() == answer["file"] | {"status": wanted} | details
    again = complete(http, upload, ids).json()
    assert again == answer | {"file": answer["file"] | {"status": wanted} | details}
    if right:
        assert client.files.content(file_id).read() == 2 * content
    else:
        with pytest.raises(openai.BadRequestError) as caught:
            client.files.content(file_id)
        assert (caught.value.param, caught.value.code) == ("id", "file_not_ready")
        assert [*client.files.list()] == []
    assert client.files.delete(file_id).deleted
    eventually_none(lambda: keys(stack, f"parts/{project}/") + keys(stack, f"files/{project}/"))


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["parts", "complete", "cancel"])
def test_an_upload_that_is_not_there_or_anothers_is_404(
    client: OpenAI, http: httpx2.Client, connect: Callable[[str], OpenAI], keys: Keys, call: str
) -> None:
    theirs = open_upload(connect(keys.create("stranger")[1]), 3)
    bodies: dict[str, Any] = {
        "parts": {"bytes": 3},
        "complete": {"part_ids": [new_file_id()]},
        "cancel": None,
    }

    for upload_id in (theirs, new_file_id(), "upload_abc123"):
        answer = http.post(f"/uploads/{upload_id}/{call}", json=bodies[call])

        assert error(answer) == (404, "invalid_request_error", "id", None)
        assert upload_id in answer.json()["error"]["message"]


def test_a_part_of_another_upload_is_no_part(client: OpenAI, http: httpx2.Client) -> None:
    mine, other = open_upload(client, 3), open_upload(client, 3)
    part = client.uploads.parts.create(other, data=b"abc").id

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
def test_an_upload_that_cannot_be_is_refused(
    http: httpx2.Client, change: dict[str, Any], status: int, param: str, code: str | None
) -> None:
    asked = {"bytes": 3, "filename": "a", "mime_type": "a/b", "purpose": "batch"}

    answer = http.post("/uploads", json=asked | change)

    wanted = code or "invalid_value"
    assert error(answer) == (status, "invalid_request_error", param, wanted)


@pytest.mark.parametrize("field", ["bytes", "filename", "mime_type", "purpose"])
def test_an_upload_of_which_something_is_missing_is_refused(
    http: httpx2.Client, field: str
) -> None:
    asked = {"bytes": 3, "filename": "a", "mime_type": "a/b", "purpose": "batch"}
    del asked[field]

    assert error(http.post("/uploads", json=asked)) == (400, "invalid_request_error", field, None)


def test_parts_that_cannot_be_are_refused(client: OpenAI, http: httpx2.Client) -> None:
    parts = f"/uploads/{open_upload(client, 3)}/parts"

    def told(**sent: Any) -> tuple[int, Any, Any, Any]:
        return error(http.post(parts, **sent))

    assert told(files={"data": ("a", b"")}) == (400, "invalid_request_error", "data", "empty_file")
    assert told(files={"file": ("a", b"x")}) == (400, "invalid_request_error", "data", None)
    assert told(content=b"abc") == (400, "invalid_request_error", None, None)
    assert told(json=[]) == (400, "invalid_request_error", None, None)
    assert told(json={}) == (400, "invalid_request_error", "bytes", None)
    assert told(json={"bytes": 0}) == invalid("bytes")
    assert told(json={"bytes": 3, "sha256": "abc"}) == invalid("sha256")
    too_large = (413, "invalid_request_error", "bytes", "file_too_large")
    assert told(json={"bytes": 5 * 1024 * MIB + 1}) == too_large
    too_large = (413, "invalid_request_error", "data", "file_too_large")
    assert told(files={"data": ("a", bytes(MAX_INLINE_BYTES + 1))}) == too_large


def test_completions_that_cannot_be_are_refused(client: OpenAI, http: httpx2.Client) -> None:
    upload = open_upload(client, 6)
    part = client.uploads.parts.create(upload, data=b"abc").id
    other = client.uploads.parts.create(upload, data=b"def").id

    def told(**sent: Any) -> tuple[int, Any, Any, Any]:
        return error(http.post(f"/uploads/{upload}/complete", json=sent))

    assert told() == (400, "invalid_request_error", "part_ids", None)
    for bad in ([], [part, part], [part], [part, new_file_id()], [part, "x"], "x", [1]):
        assert told(part_ids=bad) == invalid("part_ids")
    for bad in ("0" * 32, "0" * 31, md5(b"defabc")):
        assert told(part_ids=[part, other], md5=bad) == invalid("md5")
    assert complete(http, upload, [part, other], md5=md5(b"abcdef")).status_code == 200
    assert error(http.post(f"/uploads/{upload}/cancel")) == invalid("upload_id")
    assert error(http.post(f"/uploads/{upload}/parts", json={"bytes": 1})) == invalid("upload_id")


def test_uploads_need_the_scope_to_write(
    keys: Keys, connect: Callable[[str], OpenAI], client: OpenAI, project: str
) -> None:
    reader = connect(keys.create(project, scopes=("files:read",))[1])
    upload = open_upload(client, 3)
    part = client.uploads.parts.create(upload, data=b"abc").id
    forbidden: list[Callable[[], object]] = [
        lambda: open_upload(reader, 3),
        lambda: reader.uploads.parts.create(upload, data=b"abc"),
        lambda: reader.uploads.complete(upload, part_ids=[part]),
        lambda: reader.uploads.cancel(upload),
    ]

    for call in forbidden:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            call()
        assert caught.value.code == "insufficient_permissions"
    assert client.uploads.complete(upload, part_ids=[part]).status == "completed"
