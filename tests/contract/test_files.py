"""OpenAI's five calls on files, made with its SDK."""

import asyncio
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.keys import Keys
from tests.contract.calls import DAY, NAMES, offered_name
from tests.contract.project import Project

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CONTENTS = {
    "one byte": b"\0",
    "CRLFs around": b"\r\n\r\ncontent\r\n",
    "dashes": b"--\r\n--B--\r\n--",
    "all bytes": bytes(range(256)) * 17,
    "base64 look-alike": b"aGVsbG8=",
    "the gateway's own answer": b'{"error":{"message":"Invalid URL ($context.httpMethod)"}}',
    "the most in a body": random.Random(1).randbytes(MAX_INLINE_BYTES),
}
CLEANED = {name: name for name in NAMES} | {
    "../../etc/passwd": "passwd",
    "C:\\a\\b.txt": "b.txt",
    "a\nb\x7f.txt": "ab.txt",
    "..": "upload",
    "n" * 300 + ".jsonl": "n" * 249 + ".jsonl",
}


def upload(client: OpenAI, content: bytes = b"content", name: str = "a.txt", **fields: Any) -> str:
    return client.files.create(file=(name, content), **{"purpose": "assistants"} | fields).id


def ids(client: OpenAI, **query: Any) -> list[str]:
    """The ids of a list, from all its pages."""
    return [file.id for file in client.files.list(**query)]


def test_a_file_is_created_retrieved_listed_and_deleted(client: OpenAI) -> None:
    before = int(time.time())

    file = client.files.create(file=("document.pdf", b"%PDF-1.7"), purpose="assistants")

    assert UUID7.fullmatch(file.id)
    assert before <= file.created_at <= time.time()
    assert file.to_dict() == {
        "id": file.id,
        "object": "file",
        "bytes": 8,
        "created_at": file.created_at,
        "filename": "document.pdf",
        "purpose": "assistants",
        "status": "processed",
    }
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    assert [*client.files.list()] == [file]
    assert client.files.content(file.id).read() == b"%PDF-1.7"
    deleted = {"id": file.id, "object": "file", "deleted": True}
    assert client.files.delete(file.id).to_dict() == deleted
    assert file._request_id
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file.id) as caught:
            call(file.id)
        assert caught.value.request_id not in (None, file._request_id)


@pytest.mark.anyio
async def test_the_async_client_works_the_same_way(async_client: AsyncOpenAI) -> None:
    files = await asyncio.gather(
        *(
            async_client.files.create(file=(f"{n}.txt", str(n).encode()), purpose="user_data")
            for n in range(3)
        )
    )

    listed = [file async for file in async_client.files.list(limit=2)]
    contents = [(await async_client.files.content(file.id)).content for file in files]
    deleted = [await async_client.files.delete(file.id) for file in files]

    assert sorted(file.id for file in listed) == sorted(file.id for file in files)
    assert contents == [str(n).encode() for n in range(3)]
    assert all(each.deleted for each in deleted)
    assert [file async for file in async_client.files.list()] == []


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_content_comes_back_byte_for_byte(client: OpenAI, content: bytes) -> None:
    file = client.files.create(file=content, purpose="evals")

    assert (file.filename, file.bytes) == ("upload", len(content))  # bytes have no name
    assert client.files.content(file.id).read() == content


@pytest.mark.parametrize(("sent", "cleaned"), CLEANED.items(), ids=range(len(CLEANED)))
def test_a_filename_loses_only_its_path(client: OpenAI, sent: str, cleaned: str) -> None:
    file = client.files.create(file=(sent, b"x"), purpose="assistants")

    assert file.filename == cleaned
    assert client.files.retrieve(file.id).filename == cleaned
    answer = client.files.content(file.id).response
    assert offered_name(answer) == cleaned
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


# --- forms of other clients -----------------------------------------------------------------------

PURPOSE = b'Content-Disposition: form-data; name="purpose"\r\n\r\nvision\r\n'
FILE = b'Content-Disposition: form-data; name="file"; filename=node.txt'


@pytest.mark.parametrize(
    ("head", "content", "filename"),
    [
        (FILE, b"x--b\r\n\n--b--\r\n-b\r\n--\r\n --b--\r\n", "node.txt"),
        (FILE + b"\r\nContent-Type: application/octet-stream", b"from node", "node.txt"),
        (FILE + b"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt", b"x", "naïve €.txt"),
    ],
    ids=["content like a boundary", "type of the part", "filename*"],
)
def test_a_chunked_form_with_the_file_first_is_accepted(
    http: httpx2.Client, head: bytes, content: bytes, filename: str
) -> None:
    parts = [
        b"preamble\r\n--b\r\n" + head + b"\r\n\r\n" + content[:3],
        content[3:] + b"\r\n--b\r\n" + PURPOSE[:20],
        PURPOSE[20:] + b"--b--\r\nepilogue",
    ]

    answer = http.post(
        "/files", content=iter(parts), headers={"Content-Type": 'multipart/form-data; boundary="b"'}
    )

    assert "Content-Length" not in answer.request.headers
    file = answer.json()
    assert (file["filename"], file["purpose"], file["bytes"]) == (filename, "vision", len(content))
    assert http.get(f"/files/{file['id']}/content").content == content


def test_expiry_counts_from_the_creation(client: OpenAI) -> None:
    hour: Any = {"anchor": "created_at", "seconds": 3600}

    file = client.files.create(file=b"x", purpose="batch", expires_after=hour)
    other = client.files.create(file=b"x", purpose="batch")

    assert file.expires_at == file.created_at + 3600
    assert other.expires_at == other.created_at + 30 * DAY


# --- lists ----------------------------------------------------------------------------------------


def test_pages_skip_and_repeat_nothing(client: OpenAI) -> None:
    with ThreadPoolExecutor(3) as pool:
        created = [*pool.map(lambda n: upload(client, name=f"{n}.txt"), range(23))]

    assert ids(client, limit=4, order="asc") == sorted(created)
    assert ids(client, limit=4) == sorted(created, reverse=True)


def test_a_page_can_start_after_a_deleted_file(client: OpenAI) -> None:
    files = [upload(client, name=f"{n}.txt") for n in range(5)]
    client.files.delete(files[2])

    assert ids(client, after=files[2]) == [files[1], files[0]]
    assert ids(client, after=files[2], purpose="assistants", order="asc") == [files[3], files[4]]


def test_lists_show_changes_at_once(client: OpenAI) -> None:
    vision = upload(client, purpose="vision")
    for n in range(5):
        file_id = upload(client, name=f"{n}.txt", purpose="evals")
        assert ids(client) == [file_id, vision]
        assert ids(client, purpose="evals") == [file_id]
        assert ids(client, purpose="vision") == [vision]
        client.files.delete(file_id)
        assert ids(client) == [vision]
        assert ids(client, purpose="evals") == []


def test_only_one_of_several_racing_deletions_succeeds(client: OpenAI) -> None:
    file_id = upload(client)

    def delete(_: int) -> str:
        try:
            return "deleted" if client.files.delete(file_id).deleted else "odd"
        except openai.NotFoundError:
            return "not found"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(delete, range(4)))

    assert outcomes == ["deleted", *["not found"] * 3]


# --- projects -------------------------------------------------------------------------------------


def test_only_keys_of_a_project_see_its_files(
    project: Project,
    new_project: Callable[[str], Project],
    connect: Callable[[str], OpenAI],
    keys: Keys,
) -> None:
    mine, stranger = upload(project.client), new_project("stranger").client

    assert connect(keys.create(project.name)[1]).files.retrieve(mine).id == mine
    assert ids(stranger) == []
    assert ids(stranger, after=mine, order="asc") == []
    for call in (stranger.files.retrieve, stranger.files.content, stranger.files.delete):
        with pytest.raises(openai.NotFoundError, match=mine):
            call(mine)
    assert project.client.files.content(mine).read() == b"content"
