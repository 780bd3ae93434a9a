"""OpenAI's five calls on files, made with its SDK."""

import asyncio
import hashlib
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.keys import Keys

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DAY = 86_400

NASTY_CONTENTS = {
    "one byte": b"\0",
    "CRLFs around": b"\r\n\r\ncontent\r\n",
    "dashes": b"--\r\n--B--\r\n--",
    "NULs": b"\0" * 4096,
    "all bytes": bytes(range(256)) * 17,
    "not UTF-8": b"\xff\xfe\x80",
    "base64 look-alike": b"aGVsbG8=",
    "the gateway's own answer": b'{"error":{"message":"Invalid URL ($context.httpMethod)"}}',
}
NAMES = {
    "report.pdf": "report.pdf",
    "résumé.pdf": "résumé.pdf",
    "日本語のファイル.txt": "日本語のファイル.txt",
    "👩‍🚀 notes.md": "👩‍🚀 notes.md",
    'say "hi".txt': 'say "hi".txt',
    "100%.txt": "100%.txt",
    "a;b=c.txt": "a;b=c.txt",
    "../../etc/passwd": "passwd",
    "C:\\a\\b.txt": "b.txt",
    "a\nb\x7f.txt": "ab.txt",
    "..": "upload",
    "n" * 300 + ".jsonl": "n" * 249 + ".jsonl",
}


def upload(
    client: OpenAI, content: bytes = b"content", name: str = "a.txt", **fields: object
) -> str:
    fields.setdefault("purpose", "assistants")
    return client.files.create(file=(name, content), **fields).id  # type: ignore[arg-type]


def test_create_returns_exactly_the_file_object(client: OpenAI) -> None:
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


def test_a_file_is_retrieved_listed_and_downloaded_unchanged(client: OpenAI, jsonl: Path) -> None:
    with jsonl.open("rb") as source:
        file = client.files.create(file=source, purpose="fine-tune")

    assert file.filename == "requests.jsonl"
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    assert [*client.files.list()] == [file]
    assert client.files.content(file.id).read() == jsonl.read_bytes()


def test_a_deleted_file_is_gone_for_every_call(client: OpenAI) -> None:
    file_id = upload(client)

    assert client.files.delete(file_id).to_dict() == {
        "id": file_id,
        "object": "file",
        "deleted": True,
    }

    assert [*client.files.list()] == []
    assert [*client.files.list(purpose="assistants")] == []
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file_id):
            call(file_id)


@pytest.mark.anyio
async def test_the_async_client_works_the_same_way(async_client: AsyncOpenAI) -> None:
    files = await asyncio.gather(
        *(
            async_client.files.create(file=(f"{n}.txt", str(n).encode()), purpose="user_data")
            for n in range(5)
        )
    )

    listed = [file async for file in async_client.files.list(limit=2)]
    contents = [(await async_client.files.content(file.id)).content for file in files]
    deleted = [await async_client.files.delete(file.id) for file in files]

    assert sorted(file.id for file in listed) == sorted(file.id for file in files)
    assert contents == [str(n).encode() for n in range(5)]
    assert all(each.deleted for each in deleted)
    assert [file async for file in async_client.files.list()] == []


@pytest.mark.parametrize("content", NASTY_CONTENTS.values(), ids=NASTY_CONTENTS)
def test_content_comes_back_byte_for_byte(client: OpenAI, content: bytes) -> None:
    assert client.files.content(upload(client, content)).read() == content


def test_content_similar_to_the_boundary_survives(http: httpx2.Client) -> None:
    content = b"x--BOUNDARY\r\n\n--BOUNDARY--\r\n-BOUNDARY\r\n--BOUNDAR\r\n --BOUNDARY--\r\n"
    body = (
        b"preamble\r\n--BOUNDARY\r\n"
        b"Content-Disposition: form-data; name=file; filename=a\r\n\r\n"
        + content
        + b'\r\n--BOUNDARY\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvision'
        b"\r\n--BOUNDARY--\r\nepilogue"
    )

    answer = http.post(
        "/files",
        content=body,
        headers={"Content-Type": 'multipart/form-data; boundary="BOUNDARY"'},
    )

    assert http.get(f"/files/{answer.json()['id']}/content").content == content


def test_the_largest_file_in_a_body_comes_back_whole(client: OpenAI) -> None:
    content = random.Random(1).randbytes(MAX_INLINE_BYTES)

    file = client.files.create(file=("big.bin", content), purpose="user_data")

    assert file.bytes == MAX_INLINE_BYTES
    received = client.files.content(file.id).read()
    assert hashlib.sha256(received).digest() == hashlib.sha256(content).digest()


def test_a_chunked_form_with_the_file_first_is_accepted(http: httpx2.Client) -> None:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="node.txt"\r\n',
        b"Content-Type: application/octet-stream\r\n\r\nfrom ",
        b"node\r\n--b\r\nContent-Disposition: form-data; ",
        b'name="purpose"\r\n\r\nassistants\r\n--b--\r\n',
    ]

    answer = http.post(
        "/files", content=iter(parts), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert "Content-Length" not in answer.request.headers
    assert answer.json() | {"id": "", "created_at": 0} == {
        "id": "",
        "object": "file",
        "bytes": 9,
        "created_at": 0,
        "filename": "node.txt",
        "purpose": "assistants",
        "status": "processed",
    }
    assert http.get(f"/files/{answer.json()['id']}/content").content == b"from node"


@pytest.mark.parametrize(("sent", "cleaned"), NAMES.items(), ids=range(len(NAMES)))
def test_a_filename_loses_only_its_path(client: OpenAI, sent: str, cleaned: str) -> None:
    file = client.files.create(file=(sent, b"x"), purpose="assistants")

    assert file.filename == cleaned
    assert client.files.retrieve(file.id).filename == cleaned
    header = client.files.content(file.id).response.headers["content-disposition"]
    assert header.startswith("attachment; filename=")
    assert unquote(header.partition("; filename*=UTF-8''")[2], errors="strict") == cleaned


def test_filename_star_takes_precedence(http: httpx2.Client) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="plain.txt"; '
        b"filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt\r\n\r\nx\r\n"
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n--b--\r\n'
    )

    answer = http.post(
        "/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert answer.json()["filename"] == "naïve €.txt"


def test_bytes_without_a_filename_are_called_upload(client: OpenAI) -> None:
    assert client.files.create(file=b"no name", purpose="assistants").filename == "upload"


def test_content_is_a_download_that_no_browser_renders(http: httpx2.Client, client: OpenAI) -> None:
    file_id = upload(client, b"<script>alert(1)</script>", "résumé.html")

    answer = http.get(f"/files/{file_id}/content")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"r_sum_.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9.html"
    )


def test_expiry_counts_from_the_creation(client: OpenAI) -> None:
    hour = {"anchor": "created_at", "seconds": 3600}

    hour_later = client.files.create(file=b"x", purpose="vision", expires_after=hour)  # type: ignore[arg-type]
    batch = client.files.create(file=b"x", purpose="batch")
    batch_hour = client.files.create(file=b"x", purpose="batch", expires_after=hour)  # type: ignore[arg-type]
    other = client.files.create(file=b"x", purpose="vision")

    assert hour_later.expires_at == hour_later.created_at + 3600
    assert batch.expires_at == batch.created_at + 30 * DAY
    assert batch_hour.expires_at == batch_hour.created_at + 3600
    assert other.expires_at is None
    assert "expires_at" not in other.to_dict()


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_skip_and_repeat_nothing(client: OpenAI, order: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        created = [*pool.map(lambda n: upload(client, name=f"{n}.txt"), range(23))]

    paged = [file.id for file in client.files.list(limit=4, order=order)]  # type: ignore[arg-type]

    assert paged == sorted(created, reverse=order == "desc")


def test_a_page_has_first_id_last_id_and_has_more(http: httpx2.Client, client: OpenAI) -> None:
    first, second, third = (upload(client, name=f"{n}.txt") for n in range(3))

    page = http.get("/files", params={"limit": 2}).json()

    assert [each["id"] for each in page["data"]] == [third, second]
    assert {name: page[name] for name in page if name != "data"} == {
        "object": "list",
        "first_id": third,
        "last_id": second,
        "has_more": True,
    }
    rest = http.get("/files", params={"limit": 2, "after": second}).json()
    assert [each["id"] for each in rest["data"]] == [first]
    assert rest["has_more"] is False
    exact = http.get("/files", params={"limit": 3}).json()
    assert exact["has_more"] is False


def test_an_empty_list_has_all_fields(http: httpx2.Client) -> None:
    assert http.get("/files").json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_a_page_can_start_after_a_deleted_file(client: OpenAI) -> None:
    files = [upload(client, name=f"{n}.txt") for n in range(5)]
    client.files.delete(files[2])

    assert [file.id for file in client.files.list(after=files[2])] == [files[1], files[0]]
    filtered = client.files.list(after=files[2], purpose="assistants", order="asc")
    assert [file.id for file in filtered] == [files[3], files[4]]


def test_a_list_can_be_limited_to_one_purpose(client: OpenAI) -> None:
    batch = upload(client, purpose="batch")
    vision = upload(client, purpose="vision")

    assert [file.id for file in client.files.list(purpose="batch")] == [batch]
    assert [file.id for file in client.files.list(purpose="vision")] == [vision]
    assert [*client.files.list(purpose="fine-tune")] == []
    assert len([*client.files.list()]) == 2


def test_lists_show_changes_at_once(client: OpenAI) -> None:
    for n in range(5):
        file_id = upload(client, name=f"{n}.txt", purpose="evals")
        assert [file.id for file in client.files.list()] == [file_id]
        assert [file.id for file in client.files.list(purpose="evals")] == [file_id]
        client.files.delete(file_id)
        assert [*client.files.list()] == []
        assert [*client.files.list(purpose="evals")] == []


def test_only_one_of_several_racing_deletions_succeeds(client: OpenAI) -> None:
    file_id = upload(client)

    def delete(_: int) -> str:
        try:
            return "deleted" if client.files.delete(file_id).deleted else "odd"
        except openai.NotFoundError:
            return "not found"

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(delete, range(6)))

    assert outcomes == ["deleted", *["not found"] * 5]


def test_a_project_cannot_see_another_projects_files(
    client: OpenAI, connect: Callable[[str], OpenAI], keys: Keys
) -> None:
    mine = upload(client)
    stranger = connect(keys.create("stranger")[1])

    assert [*stranger.files.list()] == []
    assert [*stranger.files.list(after=mine, order="asc")] == []
    for call in (stranger.files.retrieve, stranger.files.content, stranger.files.delete):
        with pytest.raises(openai.NotFoundError, match=mine):
            call(mine)
    assert client.files.content(mine).read() == b"content"


def test_keys_of_one_project_share_its_files(
    client: OpenAI, connect: Callable[[str], OpenAI], keys: Keys, project: str
) -> None:
    mine = upload(client)

    assert connect(keys.create(project)[1]).files.retrieve(mine).id == mine


def test_the_sdk_has_the_request_id(client: OpenAI) -> None:
    file = client.files.create(file=b"x", purpose="assistants")
    assert file._request_id
    with pytest.raises(openai.NotFoundError) as caught:
        client.files.retrieve("01926b5e-0000-7000-8000-000000000000")
    assert caught.value.request_id
    assert caught.value.request_id != file._request_id
