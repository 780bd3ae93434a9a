"""The content of files of any size: with the SDK, and by the redirect of large files."""

import hashlib
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.service.files import MAX_INLINE_BYTES
from tests.contract.calls import MIB, create_pending, processed, put, random_file, sha256_of


@pytest.mark.anyio
@pytest.mark.parametrize("size", [100_000, 6 * MIB, 40 * MIB, 300 * MIB], ids="{:,}".format)
async def test_a_file_of_any_size_comes_back_whole(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    async_client: AsyncOpenAI,
    tmp_path: Path,
    size: int,
) -> None:
    path = tmp_path / "big.bin"
    sha256 = random_file(path, size)
    file = create_pending(http, filename="big.bin", bytes=size, sha256=sha256)

    with path.open("rb") as source:
        assert put(store, file, source) == 200

    assert client.files.wait_for_processing(file["id"]).to_dict() == processed(file)
    assert [each.to_dict() for each in client.files.list()] == [processed(file)]
    assert sha256_of(client, file["id"]) == sha256
    digest = hashlib.sha256()
    async with async_client.files.with_streaming_response.content(file["id"]) as async_answer:
        async for chunk in async_answer.iter_bytes(MIB):
            digest.update(chunk)
    assert digest.hexdigest() == sha256


@pytest.mark.anyio
async def test_the_sdk_can_read_a_large_file_in_one_piece(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, async_client: AsyncOpenAI
) -> None:
    content = random.Random(3).randbytes(6 * MIB)
    file = create_pending(http, bytes=len(content))
    assert put(store, file, content) == 200

    assert client.files.content(file["id"]).read() == content
    assert (await async_client.files.content(file["id"])).content == content


@pytest.mark.parametrize("more", [0, 1])
def test_only_content_too_large_for_an_answer_is_redirected(
    http: httpx2.Client, store: httpx2.Client, more: int
) -> None:
    content = bytes(MAX_INLINE_BYTES + more)
    file = create_pending(http, bytes=len(content))
    assert put(store, file, content) == 200
    before = int(time.time())

    answer = http.get(f"/files/{file['id']}/content")

    if not more:
        assert (answer.status_code, answer.content) == (200, content)
    else:
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert store.get(answer.headers["location"]).content == content
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert before <= signed.timestamp() <= time.time()
        assert query["X-Amz-Expires"] == ["900"]


def test_a_redirected_request_can_have_a_range(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI
) -> None:
    content = random.Random(4).randbytes(5 * MIB)
    file = create_pending(http, bytes=len(content))
    assert put(store, file, content) == 200

    part = client.files.with_raw_response.content(
        file["id"], extra_headers={"Range": f"bytes={MIB}-{MIB + 9}"}
    )

    assert (part.status_code, part.content) == (206, content[MIB : MIB + 10])


NAMES = ["plain.txt", "résumé.pdf", "日本語.txt", "👩‍🚀 notes.md", 'say "hi".txt', "a;b=c&d?#+.txt"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_redirected_download_has_the_filename(
    http: httpx2.Client, store: httpx2.Client, name: str
) -> None:
    content = bytes(MAX_INLINE_BYTES + 1)
    file = create_pending(http, filename="../" + name, bytes=len(content))
    assert put(store, file, content) == 200

    answer = store.head(http.get(f"/files/{file['id']}/content").headers["location"])
    whole = store.get(http.get(f"/files/{file['id']}/content").headers["location"])

    assert file["filename"] == name
    assert answer.status_code == 403  # the URL is presigned for GET
    assert whole.headers["content-type"] == "application/octet-stream"
    header = whole.headers["content-disposition"]
    assert header.startswith("attachment; filename=")
    assert unquote(header.partition("; filename*=UTF-8''")[2], errors="strict") == name
