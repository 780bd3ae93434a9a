"""The presigned PUT of a file or part: accepts the announced bytes once, and nothing else."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import pytest

from files_api.aws.blobs import S3Blobs
from files_api.service.blob_keys import FileBlob
from files_api.service.ids import new_id
from tests.contract.calls import (
    CONTENT,
    OTHER_ID,
    SHA256,
    Json,
    complete,
    create_pending,
    error,
    forged,
    invalid,
    open_upload,
    presign_part,
    put,
    swapped,
)
from tests.contract.conftest import Stored


def moved(url: str, prefix: str) -> str:
    """The URL with another prefix in its key."""
    changed, times = re.subn("/(direct|parts)/", prefix, url)
    assert times == 1, url
    return changed


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    assert name in headers
    return {key: value for key, value in headers.items() if key != name}


type Request = Json  # method, url, headers, content
BAD_PUTS: dict[str, tuple[int, Callable[[Request, str], Request]]] = {
    "forged": (403, lambda r, _: {"url": forged(r["url"])}),
    "key": (403, lambda r, file_id: {"url": swapped(r["url"], file_id, OTHER_ID)}),
    "project": (403, lambda r, _: {"url": moved(r["url"], r"/\1/x")}),
    "prefix": (403, lambda r, _: {"url": moved(r["url"], "/files/")}),
    "expiry": (403, lambda r, _: {"url": swapped(r["url"], "Expires=900", "Expires=3600")}),
    "unsigned": (403, lambda r, _: {"url": r["url"].partition("?")[0]}),
    "POST": (403, lambda _r, _: {"method": "POST"}),
    "GET": (403, lambda _r, _: {"method": "GET"}),
    "HEAD": (403, lambda _r, _: {"method": "HEAD"}),
    "DELETE": (403, lambda _r, _: {"method": "DELETE"}),
    "shorter": (403, lambda _r, _: {"content": CONTENT[:-1]}),
    "longer": (403, lambda _r, _: {"content": CONTENT + b"!"}),
    "empty": (403, lambda _r, _: {"content": b""}),
    "chunked": (403, lambda _r, _: {"content": iter([CONTENT])}),
    "type": (403, lambda r, _: {"headers": r["headers"] | {"Content-Type": "text/html"}}),
    "no type": (403, lambda r, _: {"headers": without(r["headers"], "Content-Type")}),
    "overwrite": (403, lambda r, _: {"headers": without(r["headers"], "If-None-Match")}),
    "no sha": (403, lambda r, _: {"headers": without(r["headers"], "x-amz-checksum-sha256")}),
    "other sha": (
        403,
        lambda r, _: {"headers": r["headers"] | {"x-amz-checksum-sha256": "A" * 43 + "="}},
    ),
    "other bytes": (400, lambda _r, _: {"content": CONTENT[::-1]}),
}


@dataclass(frozen=True)
class Put:
    """A presigned PUT of `CONTENT`.

    Attributes:
        answer: the answer with the presigned PUT.
        file: the id of the file with these bytes; None until they have arrived.
    """

    answer: Json
    file: Callable[[], str | None]


def put_of_a_file(http: httpx2.Client, sha256: str | None = None) -> Put:
    answer = create_pending(http, sha256=sha256)

    def file() -> str | None:
        found = http.get(f"/files/{answer['id']}").json()
        return found["id"] if found["status"] == "processed" else None

    return Put(answer, file)


def put_of_a_part(http: httpx2.Client, sha256: str | None = None) -> Put:
    upload_id = open_upload(http, len(CONTENT))
    answer = presign_part(http, upload_id, len(CONTENT), sha256)

    def file() -> str | None:
        completed = complete(http, upload_id, [answer["id"]])
        if completed.status_code == 200:
            return str(completed.json()["file"]["id"])
        assert error(completed) == invalid("part_ids")
        return None

    return Put(answer, file)


either = pytest.mark.parametrize("presigned", [put_of_a_file, put_of_a_part], ids=["file", "part"])


@either
def test_a_put_accepts_its_bytes_once(
    http: httpx2.Client, store: httpx2.Client, presigned: Callable[[httpx2.Client], Put]
) -> None:
    sent, other = presigned(http), CONTENT[::-1]

    assert put(store, sent.answer) == 200
    assert put(store, sent.answer) == 412
    assert put(store, sent.answer, other) == 412
    content = f"/files/{sent.file()}/content"
    assert http.get(content).content == CONTENT


@either
def test_a_put_of_anything_else_is_rejected(
    http: httpx2.Client,
    store: httpx2.Client,
    stored: Stored,
    presigned: Callable[[httpx2.Client, str], Put],
) -> None:
    put = presigned(http, SHA256.upper())
    expected = {name: put.answer["upload"][name] for name in ("method", "url", "headers")}
    expected["content"] = CONTENT

    for case, (status, change) in BAD_PUTS.items():
        answer = store.request(**expected | change(expected, put.answer["id"]))
        assert (case, answer.status_code, stored.objects()) == (case, status, [])

    assert put.file() is None
    assert store.request(**expected).status_code == 200
    assert http.get(f"/files/{put.file()}/content").content == CONTENT


@pytest.mark.parametrize(("age", "status"), [(895, 200), (901, 403)])
def test_a_put_is_valid_until_it_expires(
    store: httpx2.Client,
    blobs: S3Blobs,
    stored: Stored,
    signed_before: Callable[[int], None],
    age: int,
    status: int,
) -> None:
    signed_before(age)
    key = FileBlob(stored.project, new_id(), direct=True).key
    url = blobs.presign_put(key, len(CONTENT), SHA256, 900)

    answer = store.put(url.url, content=CONTENT, headers=url.headers)

    assert answer.status_code == status
