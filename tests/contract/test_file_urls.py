"""The presigned URL of a file: a GET of the content for a while, and nothing else."""

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest
from openai import OpenAI

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.service.blob_keys import FileBlob
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.model import File
from tests.contract.calls import (
    CONTENT,
    OTHER_ID,
    error,
    forged,
    invalid,
    swapped,
    upload_directly,
)
from tests.contract.conftest import Stored


@pytest.fixture
def url(http: httpx2.Client, store: httpx2.Client) -> str:
    """The presigned URL of a file."""
    file_id = upload_directly(http, store, filename="résumé 日本 100%.txt")
    return str(http.get(f"/files/{file_id}/url").json()["url"])


def test_the_url_is_a_download_that_no_browser_renders(store: httpx2.Client, url: str) -> None:
    answer = store.get(url)

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/octet-stream"
    header = answer.headers["content-disposition"]
    assert header == (
        "attachment; filename=\"r_sum_ __ 100%.txt\"; filename*=UTF-8''"
        "r%C3%A9sum%C3%A9%20%E6%97%A5%E6%9C%AC%20100%25.txt"
    )
    assert unquote(header.partition("UTF-8''")[2], errors="strict") == "résumé 日本 100%.txt"


@pytest.mark.parametrize(
    ("range", "first", "last"),
    [("bytes=0-4", 0, 4), ("bytes=7-", 7, 19), ("bytes=-3", 17, 19), ("bytes=5-99", 5, 19)],
)
def test_the_url_accepts_a_range(
    store: httpx2.Client, url: str, range: str, first: int, last: int
) -> None:
    answer = store.get(url, headers={"Range": range})

    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.headers["accept-ranges"] == "bytes"


def test_the_url_accepts_conditions(store: httpx2.Client, url: str) -> None:
    tag = store.get(url).headers["etag"]

    unchanged = store.get(url, headers={"If-None-Match": tag})
    changed = store.get(url, headers={"If-None-Match": '"other"'})
    refused = store.get(url, headers={"If-Match": '"other"'})
    beyond = store.get(url, headers={"Range": "bytes=20-"})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (changed.status_code, changed.content) == (200, CONTENT)
    assert refused.status_code == 412
    assert beyond.status_code == 416


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


def test_the_url_grants_nothing_else(store: httpx2.Client, url: str, stored: Stored) -> None:
    objects = stored.objects()

    for case, (method, change) in BAD_GETS.items():
        changed = change(url)
        assert (changed, method) != (url, "GET"), case
        assert store.request(method, changed).status_code == 403, case

    assert store.get(url).content == CONTENT
    assert stored.objects() == objects


@pytest.mark.parametrize(("age", "status"), [(55, 200), (61, 403)])
def test_the_url_is_valid_until_it_expires(
    store: httpx2.Client,
    blobs: S3Blobs,
    stored: Stored,
    signed_before: Callable[[int], None],
    age: int,
    status: int,
) -> None:
    key = FileBlob(stored.project, OTHER_ID, direct=False).key
    blobs.put(key, CONTENT)
    signed_before(age)

    assert store.get(blobs.presign_get(key, "a.txt", 60).url).status_code == status


def test_the_url_of_a_deleted_file_is_404(
    http: httpx2.Client, store: httpx2.Client, url: str
) -> None:
    file_id = http.get("/files").json()["data"][0]["id"]
    assert http.delete(f"/files/{file_id}").status_code == 200

    assert store.get(url).status_code == 404


# --- GET /v1/files/{file_id}/url ------------------------------------------------------------------


@pytest.mark.parametrize(("query", "lifetime"), [("", 900), ("60", 60), ("3600", 3600)])
def test_the_url_is_valid_as_long_as_requested(
    http: httpx2.Client, store: httpx2.Client, query: str, lifetime: int
) -> None:
    file_id = upload_directly(http, store)
    before = int(time.time())

    answer = http.get(f"/files/{file_id}/url", params={"expires_in": query} if query else {})

    found = answer.json()
    assert list(found) == ["url", "expires_at"]
    assert before + lifetime <= found["expires_at"] <= time.time() + lifetime
    assert parse_qs(urlsplit(found["url"]).query)["X-Amz-Expires"] == [str(lifetime)]
    assert store.get(found["url"]).content == CONTENT


def test_a_file_sent_in_the_body_has_a_url_too(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI
) -> None:
    file = client.files.create(file=("a.txt", CONTENT), purpose="vision")

    assert store.get(http.get(f"/files/{file.id}/url").json()["url"]).content == CONTENT


@pytest.mark.parametrize("expires_in", ["59", "3601", "0", "-60", "an hour", "", "60.5"])
def test_an_invalid_lifetime_of_a_url_is_named(
    http: httpx2.Client, store: httpx2.Client, expires_in: str
) -> None:
    file_id = upload_directly(http, store)

    answer = http.get(f"/files/{file_id}/url", params={"expires_in": expires_in})

    assert error(answer) == invalid("expires_in")


def test_no_url_outlives_its_file(
    http: httpx2.Client,
    store: httpx2.Client,
    records: DynamoFileRecords,
    blobs: S3Blobs,
    project: str,
) -> None:
    content = bytes(MAX_INLINE_BYTES + 1)
    now = int(time.time())
    file = File(new_id(), len(content), now, "a", "evals", expires_at=now + 100)
    blobs.put(file.blob_key(project), content)
    records.add(project, file)

    answer = http.get(f"/files/{file.id}/url", params={"expires_in": "3600"}).json()
    redirected = http.get(f"/files/{file.id}/content").headers["location"]

    assert answer["expires_at"] == file.expires_at
    for url in (answer["url"], redirected):
        assert 90 <= int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0]) <= 100
        assert store.get(url).content == content


def test_an_expired_file_has_no_url(
    http: httpx2.Client, records: DynamoFileRecords, blobs: S3Blobs, project: str
) -> None:
    file = File(new_id(), len(CONTENT), 1, "a", "evals", expires_at=int(time.time()))
    blobs.put(file.blob_key(project), CONTENT)
    records.add(project, file)

    for path in ("", "/content", "/url"):
        answer = http.get(f"/files/{file.id}{path}")
        assert error(answer) == (404, "invalid_request_error", "id", None)


@pytest.mark.parametrize("file_id", [OTHER_ID, "file-abc123", "%00"])
def test_the_url_of_an_unknown_file_is_404(http: httpx2.Client, file_id: str) -> None:
    answer = http.get(f"/files/{file_id}/url")

    assert error(answer) == (404, "invalid_request_error", "id", None)
