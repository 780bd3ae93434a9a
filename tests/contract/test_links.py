"""The presigned GET: a download for a while, and nothing else."""

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest
from openai import OpenAI

from files_api.blobs import S3Blobs
from files_api.files import MAX_INLINE_BYTES
from files_api.ids import new_file_id
from files_api.model import File, blob_key
from files_api.records import DynamoRecords
from tests.contract.calls import CONTENT, OTHER_ID, error, forged, invalid, swapped, uploaded
from tests.contract.conftest import Kept


@pytest.fixture
def link(http: httpx2.Client, store: httpx2.Client) -> str:
    """A presigned GET."""
    file_id = uploaded(http, store, filename="résumé 日本 100%.txt")
    return str(http.get(f"/files/{file_id}/url").json()["url"])


def test_a_link_gives_a_download_that_no_browser_renders(store: httpx2.Client, link: str) -> None:
    answer = store.get(link)

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/octet-stream"
    header = answer.headers["content-disposition"]
    assert header == (
        "attachment; filename=\"r_sum_ __ 100%.txt\"; filename*=UTF-8''"
        "r%C3%A9sum%C3%A9%20%E6%97%A5%E6%9C%AC%20100%25.txt"
    )
    assert unquote(header.partition("UTF-8''")[2], errors="strict") == "résumé 日本 100%.txt"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-4", 0, 4), ("bytes=7-", 7, 19), ("bytes=-3", 17, 19), ("bytes=5-99", 5, 19)],
)
def test_a_link_gives_a_range(
    store: httpx2.Client, link: str, asked: str, first: int, last: int
) -> None:
    answer = store.get(link, headers={"Range": asked})

    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_link_answers_conditions(store: httpx2.Client, link: str) -> None:
    tag = store.get(link).headers["etag"]

    unchanged = store.get(link, headers={"If-None-Match": tag})
    changed = store.get(link, headers={"If-None-Match": '"other"'})
    refused = store.get(link, headers={"If-Match": '"other"'})
    beyond = store.get(link, headers={"Range": "bytes=20-"})

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


def test_a_link_is_good_for_nothing_else(store: httpx2.Client, link: str, kept: Kept) -> None:
    objects = kept.objects()

    for case, (method, change) in BAD_GETS.items():
        url = change(link)
        assert (url, method) != (link, "GET"), case
        assert store.request(method, url).status_code == 403, case

    assert store.get(link).content == CONTENT
    assert kept.objects() == objects


@pytest.mark.parametrize(("age", "status"), [(55, 200), (61, 403)])
def test_a_link_works_until_it_expires(
    store: httpx2.Client,
    blobs: S3Blobs,
    kept: Kept,
    signed_before: Callable[[int], None],
    age: int,
    status: int,
) -> None:
    key = blob_key(kept.project, OTHER_ID, direct=False)
    blobs.put(key, CONTENT)
    signed_before(age)

    assert store.get(blobs.get_link(key, "a.txt", 60).url).status_code == status


def test_a_link_to_a_deleted_file_gives_nothing(
    http: httpx2.Client, store: httpx2.Client, link: str
) -> None:
    file_id = http.get("/files").json()["data"][0]["id"]
    assert http.delete(f"/files/{file_id}").status_code == 200

    assert store.get(link).status_code == 404


# --- GET /v1/files/{file_id}/url ------------------------------------------------------------------


@pytest.mark.parametrize(("query", "lifetime"), [("", 900), ("60", 60), ("3600", 3600)])
def test_a_link_is_good_for_as_long_as_asked(
    http: httpx2.Client, store: httpx2.Client, query: str, lifetime: int
) -> None:
    file_id = uploaded(http, store)
    before = int(time.time())

    answer = http.get(f"/files/{file_id}/url", params={"expires_in": query} if query else {})

    found = answer.json()
    assert list(found) == ["url", "expires_at"]
    assert before + lifetime <= found["expires_at"] <= time.time() + lifetime
    assert parse_qs(urlsplit(found["url"]).query)["X-Amz-Expires"] == [str(lifetime)]
    assert store.get(found["url"]).content == CONTENT


def test_a_link_to_a_plain_upload_works_too(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI
) -> None:
    file = client.files.create(file=("a.txt", CONTENT), purpose="vision")

    assert store.get(http.get(f"/files/{file.id}/url").json()["url"]).content == CONTENT


@pytest.mark.parametrize("expires_in", ["59", "3601", "0", "-60", "an hour", "", "60.5"])
def test_a_bad_lifetime_of_a_link_is_named(
    http: httpx2.Client, store: httpx2.Client, expires_in: str
) -> None:
    file_id = uploaded(http, store)

    answer = http.get(f"/files/{file_id}/url", params={"expires_in": expires_in})

    assert error(answer) == invalid("expires_in")


def test_no_link_outlives_its_file(
    http: httpx2.Client, store: httpx2.Client, records: DynamoRecords, blobs: S3Blobs, project: str
) -> None:
    content = bytes(MAX_INLINE_BYTES + 1)
    now = int(time.time())
    file = File(new_file_id(), len(content), now, "a", "evals", expires_at=now + 100)
    blobs.put(file.key(project), content)
    records.add(project, file)

    told = http.get(f"/files/{file.id}/url", params={"expires_in": "3600"}).json()
    redirected = http.get(f"/files/{file.id}/content").headers["location"]

    assert told["expires_at"] == file.expires_at
    for url in (told["url"], redirected):
        assert 90 <= int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0]) <= 100
        assert store.get(url).content == content


def test_an_expired_file_has_no_link(
    http: httpx2.Client, records: DynamoRecords, blobs: S3Blobs, project: str
) -> None:
    file = File(new_file_id(), len(CONTENT), 1, "a", "evals", expires_at=int(time.time()))
    blobs.put(file.key(project), CONTENT)
    records.add(project, file)

    for path in ("", "/content", "/url"):
        answer = http.get(f"/files/{file.id}{path}")
        assert error(answer) == (404, "invalid_request_error", "id", None)


@pytest.mark.parametrize("file_id", [OTHER_ID, "file-abc123", "%00"])
def test_a_link_to_no_file_is_404(http: httpx2.Client, file_id: str) -> None:
    answer = http.get(f"/files/{file_id}/url")

    assert error(answer) == (404, "invalid_request_error", "id", None)
