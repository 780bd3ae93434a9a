"""The content of files of any size: through the SDK, by redirect and by a presigned URL."""

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from openai import AsyncOpenAI

from files_api.service.blob_keys import FileBlob
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.media_types import of_name
from files_api.service.model import File
from tests.contract.calls import (
    CONTENT,
    MIB,
    NAMES,
    OTHER_ID,
    error,
    forged,
    offered_name,
    processed,
    random_file,
    sha256_of,
    swapped,
)
from tests.contract.project import Project


def url_of(project: Project, file_id: str, **query: Any) -> Any:
    return project.http.get(f"/files/{file_id}/url", params=query).json()


def signed_seconds(url: str) -> int:
    """How long a presigned URL is valid."""
    return int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0])


# --- content ------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("size", [100_000, 6 * MIB, 40 * MIB], ids="{:,}".format)
async def test_a_direct_upload_of_any_size_comes_back_whole(
    project: Project, async_client: AsyncOpenAI, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "big.bin"
    sha256 = random_file(path, size)
    file = project.create_pending(filename="big.bin", bytes=size, sha256=sha256)

    with path.open("rb") as source:
        assert project.put(file, source) == 200

    assert project.client.files.wait_for_processing(file["id"]).to_dict() == processed(file)
    assert [each.to_dict() for each in project.client.files.list()] == [processed(file)]
    assert sha256_of(project.client, file["id"]) == sha256
    assert project.client.files.content(file["id"]).read() == path.read_bytes()
    assert (await async_client.files.content(file["id"])).content == path.read_bytes()
    digest = hashlib.sha256()
    async with async_client.files.with_streaming_response.content(file["id"]) as answer:
        async for chunk in answer.iter_bytes(MIB):
            digest.update(chunk)
    assert digest.hexdigest() == sha256


@pytest.mark.parametrize("more", [0, 1])
def test_only_content_too_large_for_an_answer_is_redirected(project: Project, more: int) -> None:
    content = hashlib.shake_256(b"content").digest(MAX_INLINE_BYTES + more)
    file = project.create_pending(filename=f"../{NAMES[3]}", bytes=len(content))
    assert project.put(file, content) == 200

    answer = project.http.get(f"/files/{file['id']}/content")

    if not more:
        assert (answer.status_code, answer.content) == (200, content)
        return
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["cache-control"] == "no-store"
    location = answer.headers["location"]
    assert signed_seconds(location) == 900
    whole = project.store.get(location)
    assert whole.content == content
    assert whole.headers["content-type"] == "application/octet-stream"
    assert offered_name(whole) == file["filename"] == NAMES[3]
    part = project.client.files.with_raw_response.content(
        file["id"], extra_headers={"Range": f"bytes={MIB}-{MIB + 9}"}
    )
    assert (part.status_code, part.content) == (206, content[MIB : MIB + 10])


@pytest.mark.parametrize("size", [5, MAX_INLINE_BYTES + 1])
def test_the_head_of_content_of_any_size_is_that_of_its_bytes(project: Project, size: int) -> None:
    content = hashlib.shake_256(b"head").digest(size)
    file = project.create_pending(filename="a.txt", bytes=size)
    assert project.put(file, content) == 200

    answer = project.http.head(f"/files/{file['id']}/content")
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["cache-control"] == "no-store"
    url = answer.headers["location"]
    head, got = project.store.head(url), project.client.files.content(file["id"]).response
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == size
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["accept-ranges"] == "bytes"
    assert project.store.get(url).status_code == 403, "the URL is for HEAD alone"

    assert project.http.head(f"/files/{OTHER_ID}/content").status_code == 404


def test_small_content_accepts_a_range(project: Project) -> None:
    file = project.client.files.create(file=CONTENT, purpose="user_data")
    path = f"/files/{file.id}/content"
    whole = project.http.get(path)
    tag = whole.headers["etag"]
    assert (whole.content, whole.headers["accept-ranges"]) == (CONTENT, "bytes")

    for asked, first, last in (("0-4", 0, 4), ("7-", 7, 19), ("-3", 17, 19), ("5-99", 5, 19)):
        for condition in ({}, {"If-Range": tag}):
            answer = project.http.get(path, headers={"Range": f"bytes={asked}"} | condition)
            assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
            assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
            assert answer.headers["etag"] == tag
    for headers in ({"Range": "bytes=4-3"}, {"Range": "bytes=0-1", "If-Range": '"other"'}):
        answer = project.http.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (200, CONTENT)
    beyond = project.http.get(path, headers={"Range": "bytes=20-"})
    assert error(beyond) == (416, "invalid_request_error", None, "invalid_range")
    assert beyond.headers["content-range"] == f"bytes */{len(CONTENT)}"
    part = project.client.files.with_raw_response.content(
        file.id, extra_headers={"Range": "bytes=2-3"}
    )
    assert (part.status_code, part.content) == (206, CONTENT[2:4])


# --- GET /v1/files/{file_id}/url ------------------------------------------------------------------


@pytest.fixture
def url(project: Project) -> str:
    """The presigned URL of a file."""
    return str(url_of(project, project.upload_directly())["url"])


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_the_url_is_a_download_that_no_browser_renders(project: Project, name: str) -> None:
    file_id = project.upload_directly(filename=name)

    answer = project.store.get(url_of(project, file_id)["url"])

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == of_name(name)
    assert offered_name(answer) == name
    answer.headers["content-disposition"].encode("ascii")


def test_the_url_says_the_media_type_that_was_sent_with_the_file(project: Project) -> None:
    files = project.client.files
    direct = project.upload_directly(filename="a.bin", mime_type="text/markdown; charset=utf-8")
    form = files.create(file=("a.bin", CONTENT, "application/pdf"), purpose="user_data").id
    named = files.create(file=("a.pdf", CONTENT), purpose="user_data").id
    upload_id = project.open_upload(len(CONTENT))  # as text/plain
    part = project.send_part(upload_id, CONTENT)
    uploaded = project.complete(upload_id, [part]).json()["file"]["id"]

    for file_id, media_type in (
        (direct, "text/markdown; charset=utf-8"),
        (form, "application/pdf"),
        (named, "application/pdf"),
        (uploaded, "text/plain"),
    ):
        answer = project.store.get(url_of(project, file_id)["url"])
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"].startswith("attachment")
        content = project.http.get(f"/files/{file_id}/content")
        assert content.headers["content-type"] == "application/octet-stream"


def test_a_media_type_that_is_none_is_refused(project: Project) -> None:
    new = {"filename": "a.bin", "purpose": "user_data", "bytes": 3}

    for mime_type in ("pdf", "text/plain\r\nX: 1", "text/é", "text/plain;" + "x" * 250, 7):
        answer = project.http.post("/files", json=new | {"mime_type": mime_type})
        assert error(answer) == (400, "invalid_request_error", "mime_type", "invalid_value")


def test_the_url_accepts_a_range_and_conditions(project: Project, url: str) -> None:
    store = project.store
    tag = store.get(url).headers["etag"]

    for asked, first, last in (("0-4", 0, 4), ("7-", 7, 19), ("-3", 17, 19), ("5-99", 5, 19)):
        answer = store.get(url, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
        assert answer.headers["accept-ranges"] == "bytes"
    for name, value, status in (
        ("If-None-Match", tag, 304),
        ("If-None-Match", '"other"', 200),
        ("If-Match", '"other"', 412),
        ("Range", "bytes=20-", 416),
    ):
        assert store.get(url, headers={name: value}).status_code == status


BAD_GETS: dict[str, tuple[str, Callable[[str], str]]] = {
    "forged": ("GET", forged),
    "key": ("GET", lambda url: re.sub(r"[0-9a-f-]{36}\?", f"{OTHER_ID}?", url)),
    "expiry": ("GET", lambda url: swapped(url, "Expires=900", "Expires=3600")),
    "type": ("GET", lambda url: swapped(url, "application%2Foctet-stream", "text%2Fhtml")),
    "inline": ("GET", lambda url: swapped(url, "=attachment", "=inline")),
    "unsigned": ("GET", lambda url: url.partition("?")[0]),
    "PUT": ("PUT", str),
    "POST": ("POST", str),
    "HEAD": ("HEAD", str),
    "DELETE": ("DELETE", str),
}


def test_the_url_grants_nothing_else(project: Project, url: str) -> None:
    objects = project.objects()

    for case, (method, change) in BAD_GETS.items():
        changed = change(url)
        assert (changed, method) != (url, "GET"), case
        assert project.store.request(method, changed).status_code == 403, case

    assert project.store.get(url).content == CONTENT
    assert project.objects() == objects


@pytest.mark.parametrize(("age", "status"), [(55, 200), (61, 403)])
def test_the_url_is_valid_until_it_expires(
    project: Project, signed_before: Callable[[int], None], age: int, status: int
) -> None:
    key = FileBlob(project.name, OTHER_ID, direct=False).key
    project.blobs.put(key, CONTENT)
    signed_before(age)

    assert project.store.get(project.blobs.presign_get(key, "a.txt", 60).url).status_code == status


def test_the_url_is_valid_as_long_as_requested(project: Project) -> None:
    file_id = project.client.files.create(file=("a.txt", CONTENT), purpose="vision").id
    before = int(time.time())

    for query, lifetime in (({}, 900), ({"expires_in": 60}, 60), ({"expires_in": 3600}, 3600)):
        found = url_of(project, file_id, **query)

        assert list(found) == ["url", "expires_at"]
        assert before + lifetime <= found["expires_at"] <= time.time() + lifetime
        assert signed_seconds(found["url"]) == lifetime
        assert project.store.get(found["url"]).content == CONTENT
    assert project.client.files.delete(file_id).deleted
    assert project.store.get(found["url"]).status_code == 404


def test_no_url_outlives_its_file(project: Project) -> None:
    content = bytes(MAX_INLINE_BYTES + 1)
    now = int(time.time())
    file = File(new_id(), len(content), now, "a", "evals", expires_at=now + 100)
    project.blobs.put(file.blob_key(project.name), content)
    project.records.add(project.name, file)

    answer = url_of(project, file.id, expires_in=3600)
    redirected = project.http.get(f"/files/{file.id}/content").headers["location"]

    assert answer["expires_at"] == file.expires_at
    for url in (answer["url"], redirected):
        assert 90 <= signed_seconds(url) <= 100
        assert project.store.get(url).content == content
