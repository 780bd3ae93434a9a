"""The presigned PUT of a file or of a part: what was promised, once, and nothing else."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import pytest

from files_api.blobs import S3Blobs
from files_api.ids import new_file_id
from files_api.model import blob_key
from tests.contract.calls import (
    CONTENT,
    OTHER_ID,
    SHA256,
    Json,
    complete,
    error,
    forged,
    invalid,
    open_upload,
    promise,
    promise_part,
    put,
    swapped,
)
from tests.contract.conftest import Kept


def moved(url: str, prefix: str) -> str:
    """The URL with another prefix of its key."""
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


def test_a_put_takes_the_promised_bytes_once(http: httpx2.Client, store: httpx2.Client) -> None:
    other = CONTENT[::-1]
    file = promise(http)

    assert put(store, file) == 200
    assert put(store, file) == 412
    assert put(store, file, other) == 412
    assert http.get(f"/files/{file['id']}/content").content == CONTENT
    assert put(store, file, other) == 412
    assert http.get(f"/files/{file['id']}/content").content == CONTENT


@dataclass(frozen=True)
class Offer:
    """A promise of `CONTENT`, with its SHA-256.

    Attributes:
        promised: the answer that made it, with the presigned PUT.
        file: the id of the file that was made of the bytes; None while there are none.
    """

    promised: Json
    file: Callable[[], str | None]


def offered_file(http: httpx2.Client) -> Offer:
    promised = promise(http, sha256=SHA256.upper())

    def file() -> str | None:
        found = http.get(f"/files/{promised['id']}").json()
        return found["id"] if found["status"] == "processed" else None

    return Offer(promised, file)


def offered_part(http: httpx2.Client) -> Offer:
    upload_id = open_upload(http, len(CONTENT))
    promised = promise_part(http, upload_id, len(CONTENT), SHA256.upper())

    def file() -> str | None:
        answer = complete(http, upload_id, [promised["id"]])
        if answer.status_code == 200:
            return str(answer.json()["file"]["id"])
        assert error(answer) == invalid("part_ids")
        return None

    return Offer(promised, file)


@pytest.mark.parametrize("offered", [offered_file, offered_part], ids=["file", "part"])
def test_a_put_of_anything_else_is_refused(
    http: httpx2.Client,
    store: httpx2.Client,
    kept: Kept,
    offered: Callable[[httpx2.Client], Offer],
) -> None:
    offer = offered(http)
    link = offer.promised["upload"]
    honest = {
        "method": link["method"],
        "url": link["url"],
        "headers": link["headers"],
        "content": CONTENT,
    }

    for case, (status, change) in BAD_PUTS.items():
        answer = store.request(**honest | change(honest, offer.promised["id"]))
        assert (case, answer.status_code, kept.objects()) == (case, status, [])

    assert offer.file() is None
    assert store.request(**honest).status_code == 200
    assert http.get(f"/files/{offer.file()}/content").content == CONTENT


@pytest.mark.parametrize(("age", "status"), [(895, 200), (901, 403)])
def test_a_put_works_until_its_link_expires(
    store: httpx2.Client,
    blobs: S3Blobs,
    kept: Kept,
    signed_before: Callable[[int], None],
    age: int,
    status: int,
) -> None:
    signed_before(age)
    key = blob_key(kept.project, new_file_id(), direct=True)
    link = blobs.put_link(key, len(CONTENT), SHA256, 900)

    answer = store.put(link.url, content=CONTENT, headers=link.headers)

    assert answer.status_code == status
