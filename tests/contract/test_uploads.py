"""The Uploads API, with the real SDK and by hand."""

import hashlib
import io
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI

from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.model import Upload
from tests.contract.calls import (
    MIB,
    complete,
    error,
    invalid,
    md5,
    open_upload,
    presign_part,
    put,
    put_part,
    random_file,
    send_part,
    sha256_of,
)
from tests.contract.conftest import Stored, eventually

CHUNK = 4 * MIB


def has_only(stored: Stored, upload_id: str, file_id: str) -> bool:
    """Whether the project has nothing but a completed upload and its file."""
    return sorted(stored.items()) == sorted(
        [f"FILE#{file_id}", f"UPLOAD#{upload_id}", f"PURPOSE#user_data#{file_id}"]
    ) and stored.objects() == [f"files/{stored.project}/{file_id}"]


# --- the SDK ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100_000, 6 * MIB, 40 * MIB, 300 * MIB], ids="{:,}".format)
def test_the_sdk_uploads_in_chunks(
    client: OpenAI, stored: Stored, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "big.bin"
    sha256 = random_file(path, size)

    upload = client.uploads.upload_file_chunked(
        file=path, mime_type="application/octet-stream", purpose="user_data", part_size=CHUNK
    )

    assert upload.file is not None
    assert (upload.status, upload.object, upload.bytes) == ("completed", "upload", size)
    file = client.files.wait_for_processing(upload.file.id, poll_interval=0.2)
    assert [*client.files.list()] == [file]
    assert file.to_dict() == upload.file.to_dict() | {"status": "processed"}
    assert (file.filename, file.purpose, file.bytes) == ("big.bin", "user_data", size)
    assert sha256_of(client, file.id) == sha256
    eventually(lambda: has_only(stored, upload.id, file.id))


def test_the_sdk_uploads_bytes_in_chunks_with_their_md5(client: OpenAI) -> None:
    content = random.Random(23).randbytes(9 * MIB + 17)

    upload = client.uploads.upload_file_chunked(
        file=content,
        filename="big.bin",
        bytes=len(content),
        mime_type="application/octet-stream",
        purpose="assistants",
        part_size=CHUNK,
        md5=md5(content),
    )

    assert upload.file is not None
    assert client.files.retrieve(upload.file.id) == upload.file
    assert (upload.file.status, upload.file.bytes) == ("processed", len(content))
    assert client.files.content(upload.file.id).read() == content


@pytest.mark.anyio
async def test_the_async_sdk_uploads_in_chunks(async_client: AsyncOpenAI, tmp_path: Path) -> None:
    content = random.Random(24).randbytes(9 * MIB + 17)
    path = tmp_path / "big.bin"
    path.write_bytes(content)

    upload = await async_client.uploads.upload_file_chunked(
        file=path,
        mime_type="application/octet-stream",
        purpose="assistants",
        part_size=CHUNK,
    )

    assert upload.file is not None
    received = await async_client.files.content(upload.file.id)
    assert (upload.file.status, received.content) == ("processed", content)


def test_the_sdk_uploads_part_by_part(client: OpenAI) -> None:
    upload = client.uploads.create(
        bytes=10,
        filename="../é 日本.txt",
        mime_type="text/plain",
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (upload.status, upload.bytes, upload.file) == ("pending", 10, None)
    assert upload.expires_at == upload.created_at + 3600
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


# --- parts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planned:
    """A part to add.

    Attributes:
        size: in bytes.
        way: "body" for the request body, if the part fits into it; "URL" for a presigned URL; "URL
            with sha256".
    """

    size: int
    way: str


# A part under 5 MiB is merged with its neighbours, a larger one copied.
SIZES = st.one_of(
    st.integers(1, 1000),
    st.integers(5 * MIB - 2, 5 * MIB + 2),
    st.sampled_from([MAX_INLINE_BYTES, 4 * MIB, 6 * MIB, 10 * MIB + 3]),
)
PARTS = st.lists(
    st.builds(Planned, SIZES, st.sampled_from(["body", "URL", "URL with sha256"])),
    min_size=1,
    max_size=5,
)


@given(
    sent=PARTS.flatmap(lambda parts: st.permutations([*enumerate(parts)])), unwanted=st.booleans()
)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking an example would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_parts_of_any_size_sent_in_any_order_become_one_file(
    client: OpenAI,
    http: httpx2.Client,
    store: httpx2.Client,
    stored: Stored,
    sent: Sequence[tuple[int, Planned]],
    unwanted: bool,
) -> None:
    upload = open_upload(http, sum(part.size for _, part in sent))
    ids: dict[int, str] = {}
    contents: dict[int, bytes] = {}
    for place, part in sent:
        content = contents[place] = random.Random(place).randbytes(part.size)
        if part.way == "body" and part.size <= MAX_INLINE_BYTES:
            ids[place] = send_part(http, upload, content)
        else:
            digest = hashlib.sha256(content).hexdigest() if "sha256" in part.way else None
            ids[place] = put_part(http, store, upload, content, digest)
    if unwanted:
        send_part(http, upload, b"not completed")
    whole = b"".join(contents[place] for place in sorted(contents))

    answer = complete(http, upload, [ids[place] for place in sorted(ids)], md5=md5(whole).upper())

    assert answer.status_code == 200, answer.text
    file = answer.json()["file"]
    assert (file["status"], file["bytes"]) == ("processed", len(whole))
    assert sha256_of(client, file["id"]) == hashlib.sha256(whole).hexdigest()
    eventually(lambda: not [each for each in stored.objects() if each.startswith("parts/")])
    assert not [each for each in stored.items() if each.startswith("PART#")]


def test_a_presigned_part_is_a_part_with_a_url_to_use_once(
    client: OpenAI, http: httpx2.Client, store: httpx2.Client
) -> None:
    upload = open_upload(http, 6)
    before = int(time.time())

    part = presign_part(http, upload, 6)

    url = part["upload"]
    assert part == {
        "id": part["id"],
        "object": "upload.part",
        "created_at": part["created_at"],
        "upload_id": upload,
        "upload": {
            "method": "PUT",
            "url": url["url"],
            "headers": {"Content-Type": "application/octet-stream", "If-None-Match": "*"},
            "expires_at": url["expires_at"],
        },
    }
    assert before + 900 <= url["expires_at"] <= time.time() + 900
    assert error(complete(http, upload, [part["id"]])) == invalid("part_ids")
    assert put(store, part, b"abcdefg") == 403
    assert put(store, part, b"abcdef") == 200
    assert put(store, part, b"ABCDEF") == 412
    file = complete(http, upload, [part["id"]]).json()["file"]
    assert client.files.content(file["id"]).read() == b"abcdef"


# --- ends ---------------------------------------------------------------------------------------


def test_a_cancelled_upload_leaves_nothing(
    client: OpenAI, http: httpx2.Client, store: httpx2.Client, stored: Stored
) -> None:
    upload = open_upload(http, 6)
    part = send_part(http, upload, b"abc")
    put_part(http, store, upload, b"def")
    presign_part(http, upload, 3)
    assert len(stored.objects()) == 2

    assert client.uploads.cancel(upload).status == "cancelled"

    assert stored.items() == [f"UPLOAD#{upload}"]
    eventually(lambda: not stored.objects())
    assert error(complete(http, upload, [part])) == invalid("upload_id")
    assert [*client.files.list()] == []


def test_an_expired_upload_accepts_nothing(
    http: httpx2.Client, upload_records: DynamoUploadRecords, stored: Stored
) -> None:
    now = int(time.time())
    upload = Upload(new_id(), 3, now - 3600, "a", "evals", "a/b", expires_at=now)
    upload_records.open(stored.project, upload)

    for answer in (
        http.post(f"/uploads/{upload.id}/parts", files={"data": ("a", b"abc")}),
        http.post(f"/uploads/{upload.id}/parts", json={"bytes": 3}),
        complete(http, upload.id, [new_id()]),
        http.post(f"/uploads/{upload.id}/cancel"),
    ):
        assert error(answer) == invalid("upload_id")
        assert answer.json()["error"]["message"] == "Invalid 'upload_id': the upload is expired."
    eventually(lambda: not stored.objects())


@pytest.mark.parametrize("last", ["upload", "parts"])
def test_an_upload_removed_by_the_ttl_leaves_nothing(
    http: httpx2.Client, store: httpx2.Client, stored: Stored, last: str
) -> None:
    upload = open_upload(http, 9)
    send_part(http, upload, b"abc")
    put_part(http, store, upload, b"def")
    presign_part(http, upload, 3)
    assert len(stored.objects()) == 2

    for sort_key in sorted(stored.items(), reverse=last == "parts"):
        stored.remove(sort_key)  # as the table's TTL does in any order

    eventually(stored.nothing)


# --- assembly after the call --------------------------------------------------------------------


@pytest.mark.parametrize("right", [True, False])
def test_a_long_assembly_is_finished_after_the_call(
    client: OpenAI, http: httpx2.Client, store: httpx2.Client, stored: Stored, right: bool
) -> None:
    # The MD5 of more than 128 MiB is not checked while the caller waits.
    content = random.Random(1).randbytes(65 * MIB)
    upload = open_upload(http, 2 * len(content))
    ids = [put_part(http, store, upload, content) for _ in range(2)]

    answer = complete(http, upload, ids, md5=md5(2 * content) if right else "0" * 32).json()

    assert (answer["status"], answer["file"]["status"]) == ("completed", "uploaded")
    file_id = answer["file"]["id"]
    wanted = "processed" if right else "error"
    file = client.files.wait_for_processing(file_id, poll_interval=0.2, max_wait_seconds=30)
    details = {} if right else {"status_details": "The MD5 does not match the content."}
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
    eventually(lambda: not stored.objects())
