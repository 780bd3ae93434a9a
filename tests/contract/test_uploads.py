"""The Uploads API, with the real SDK and by hand."""

import hashlib
import io
import random
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.service.files import MAX_INLINE_BYTES
from tests.contract.calls import (
    MIB,
    error,
    invalid,
    md5,
    random_file,
    sha256_of,
)
from tests.contract.conftest import eventually
from tests.contract.project import Project

CHUNK = 4 * MIB


def has_only(project: Project, upload_id: str, file_id: str) -> bool:
    """Whether the project has nothing but a completed upload and its file."""
    return sorted(project.items()) == sorted(
        [f"FILE#{file_id}", f"UPLOAD#{upload_id}", f"PURPOSE#user_data#{file_id}"]
    ) and project.objects() == [f"files/{project.name}/{file_id}"]


# --- the SDK ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100_000, 6 * MIB, 40 * MIB, 300 * MIB], ids="{:,}".format)
def test_the_sdk_uploads_in_chunks(project: Project, tmp_path: Path, size: int) -> None:
    path = tmp_path / "big.bin"
    sha256 = random_file(path, size)

    upload = project.client.uploads.upload_file_chunked(
        file=path,
        mime_type="application/octet-stream",
        purpose="user_data",
        part_size=CHUNK,
    )

    assert upload.file is not None
    assert (upload.status, upload.object, upload.bytes) == ("completed", "upload", size)
    # So many bytes are not assembled while the caller waits.
    assert upload.file.status == ("uploaded" if size > 128 * MIB else "processed")
    file = project.client.files.wait_for_processing(upload.file.id, poll_interval=0.2)
    assert [*project.client.files.list()] == [file]
    assert file.to_dict() == upload.file.to_dict() | {"status": "processed"}
    assert (file.filename, file.purpose, file.bytes) == ("big.bin", "user_data", size)
    assert sha256_of(project.client, file.id) == sha256
    eventually(lambda: has_only(project, upload.id, file.id))


@pytest.mark.anyio
async def test_both_sdks_upload_bytes_and_paths_in_chunks(
    client: OpenAI, async_client: AsyncOpenAI, tmp_path: Path
) -> None:
    content = random.Random(23).randbytes(5 * MIB + 17)
    path = tmp_path / "big.bin"
    path.write_bytes(content)
    asked: dict[str, Any] = {
        "mime_type": "application/octet-stream",
        "purpose": "assistants",
        "part_size": CHUNK,
        "md5": md5(content),
    }
    named: dict[str, Any] = {"file": content, "filename": "big.bin", "bytes": len(content)}

    for upload in (
        client.uploads.upload_file_chunked(**asked, **named),
        await async_client.uploads.upload_file_chunked(**asked, **named),
        await async_client.uploads.upload_file_chunked(**asked, file=path),
    ):
        assert upload.file is not None
        assert client.files.retrieve(upload.file.id) == upload.file
        assert (upload.file.status, upload.file.filename) == ("processed", "big.bin")
        assert client.files.content(upload.file.id).read() == content


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


# A part under 5 MiB is merged with its neighbours, a larger one copied.
@pytest.mark.parametrize(
    "sizes",
    [
        [1],
        [1000, MAX_INLINE_BYTES, 1, 4 * MIB, 7],
        [5 * MIB - 1, 5 * MIB, 5 * MIB + 1],
        [3, 10 * MIB + 3, 4 * MIB, 6 * MIB, 2],
    ],
    ids=str,
)
def test_parts_of_any_size_sent_in_any_order_become_one_file(
    project: Project, sizes: list[int]
) -> None:
    chance = random.Random(str(sizes))
    contents = [chance.randbytes(size) for size in sizes]
    whole = b"".join(contents)
    upload = project.open_upload(len(whole))
    ids: dict[int, str] = {}
    for number, place in enumerate(chance.sample(range(len(sizes)), len(sizes))):
        content = contents[place]
        if number % 3 == 0 and len(content) <= MAX_INLINE_BYTES:
            ids[place] = project.send_part(upload, content)
        else:
            sha256 = hashlib.sha256(content).hexdigest() if number % 2 else None
            ids[place] = project.put_part(upload, content, sha256)
    if again := whole[: min(13, len(whole) // 2)]:
        project.send_part(upload, again)  # and leave it out

    answer = project.complete(upload, [ids[place] for place in sorted(ids)], md5=md5(whole).upper())

    assert answer.status_code == 200, answer.text
    file = answer.json()["file"]
    assert (file["status"], file["bytes"]) == ("processed", len(whole))
    assert sha256_of(project.client, file["id"]) == hashlib.sha256(whole).hexdigest()
    eventually(lambda: has_only(project, upload, file["id"]))


# --- ends ---------------------------------------------------------------------------------------


def test_a_cancelled_upload_leaves_nothing(project: Project) -> None:
    upload = project.open_upload(6)
    part = project.send_part(upload, b"abc")
    project.put_part(upload, b"def")
    project.presign_part(upload, 3)
    assert len(project.objects()) == 2

    assert project.client.uploads.cancel(upload).status == "cancelled"

    assert project.items() == [f"UPLOAD#{upload}"]
    eventually(lambda: not project.objects())
    assert error(project.complete(upload, [part])) == invalid("upload_id")
    assert [*project.client.files.list()] == []


@pytest.mark.parametrize("last", ["upload", "parts"])
def test_an_upload_removed_by_the_ttl_leaves_nothing(project: Project, last: str) -> None:
    upload = project.open_upload(9)
    project.send_part(upload, b"abc")
    project.put_part(upload, b"def")
    project.presign_part(upload, 3)
    assert len(project.objects()) == 2

    for sort_key in sorted(project.items(), reverse=last == "parts"):
        project.remove(sort_key)  # as the table's TTL does in any order

    eventually(project.nothing)
