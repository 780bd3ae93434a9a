"""The presigned PUT of a file or part: accepts the announced bytes once, and nothing else."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from files_api.service.blob_keys import FileBlob
from files_api.service.ids import new_id
from tests.contract.calls import (
    CONTENT,
    OTHER_ID,
    SHA256,
    Json,
    error,
    forged,
    invalid,
    swapped,
)
from tests.contract.project import Project


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


def put_of_a_file(project: Project, sha256: str | None = None) -> Put:
    answer = project.create_pending(sha256=sha256)

    def file() -> str | None:
        found = project.http.get(f"/files/{answer['id']}").json()
        return found["id"] if found["status"] == "processed" else None

    return Put(answer, file)


def put_of_a_part(project: Project, sha256: str | None = None) -> Put:
    upload_id = project.open_upload(len(CONTENT))
    answer = project.presign_part(upload_id, len(CONTENT), sha256)

    def file() -> str | None:
        completed = project.complete(upload_id, [answer["id"]])
        if completed.status_code == 200:
            return str(completed.json()["file"]["id"])
        assert error(completed) == invalid("part_ids")
        return None

    return Put(answer, file)


either = pytest.mark.parametrize("presigned", [put_of_a_file, put_of_a_part], ids=["file", "part"])


@either
def test_a_put_accepts_its_bytes_once(
    project: Project, presigned: Callable[[Project], Put]
) -> None:
    sent, other = presigned(project), CONTENT[::-1]

    assert project.put(sent.answer) == 200
    assert project.put(sent.answer) == 412
    assert project.put(sent.answer, other) == 412
    content = f"/files/{sent.file()}/content"
    assert project.http.get(content).content == CONTENT


@either
def test_a_put_of_anything_else_is_rejected(
    project: Project, presigned: Callable[[Project, str], Put]
) -> None:
    put = presigned(project, SHA256.upper())
    expected = {name: put.answer["upload"][name] for name in ("method", "url", "headers")}
    expected["content"] = CONTENT

    for case, (status, change) in BAD_PUTS.items():
        answer = project.store.request(**expected | change(expected, put.answer["id"]))
        assert (case, answer.status_code, project.objects()) == (case, status, [])

    assert put.file() is None
    assert project.store.request(**expected).status_code == 200
    assert project.http.get(f"/files/{put.file()}/content").content == CONTENT


@pytest.mark.parametrize(("age", "status"), [(895, 200), (901, 403)])
def test_a_put_is_valid_until_it_expires(
    project: Project, signed_before: Callable[[int], None], age: int, status: int
) -> None:
    signed_before(age)
    key = FileBlob(project.name, new_id(), direct=True).key
    url = project.blobs.presign_put(key, len(CONTENT), SHA256, 900)

    answer = project.store.put(url.url, content=CONTENT, headers=url.headers)

    assert answer.status_code == status
