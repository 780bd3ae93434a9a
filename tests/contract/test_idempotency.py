"""Creations that are repeated with an `Idempotency-Key`, with the unmodified SDK."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest

from files_api.service.files import MAX_INLINE_BYTES
from tests.contract.calls import CONTENT, NEW_FILE, NEW_UPLOAD
from tests.contract.project import Project


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_racing_and_repeated_creations_make_one_file(project: Project, key: dict[str, str]) -> None:
    def create(_: int) -> openai.types.FileObject:
        return project.client.files.create(
            file=("a.txt", b"abc"), purpose="user_data", extra_headers=key
        )

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(create, range(8)))

    assert made[0] == create(0)
    assert all(each == made[0] for each in made)
    assert [each.id for each in project.client.files.list()] == [made[0].id]
    assert project.client.files.content(made[0].id).read() == b"abc"
    # The blob check deletes what the others have sent.
    assert f"files/{project.name}/{made[0].id}" in project.objects()
    assert project.records.usage(project.name).files == 1


def test_a_creation_whose_answer_was_lost_is_repeated_by_the_sdk(
    project: Project, key: dict[str, str]
) -> None:
    lost: list[httpx2.Response] = []

    class Losing(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = super().handle_request(request)
            if lost:
                return answer
            answer.read()
            lost.append(answer)
            raise httpx2.ReadError("The connection broke.")

    with httpx2.Client(transport=Losing(), timeout=60) as http:
        client = project.client.with_options(http_client=http)
        file = client.files.create(file=("a.txt", b"abc"), purpose="user_data", extra_headers=key)

    assert lost[0].json()["id"] == file.id
    assert [each.id for each in project.client.files.list()] == [file.id]


def test_direct_uploads_and_uploads_are_made_once(project: Project) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/files", NEW_FILE),
        ("/files", NEW_FILE | {"bytes": 6_000_000, "part_size": 5_242_880}),
        ("/uploads", NEW_UPLOAD),
    ]
    for path, body in bodies:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        first, again = (project.http.post(path, json=body, headers=key).json() for _ in range(2))
        for answer in (first, again):
            if "upload" in answer:
                answer["upload"].pop("url", None)  # signed anew
        assert first == again, path
        reused = project.http.post(path, json=body | {"filename": "b"}, headers=key)
        assert (reused.status_code, reused.json()["error"]["code"]) == (
            400,
            "idempotency_key_reused",
        )
    assert len(project.items()) == 2 * len(bodies)  # each with what its key has made


def test_a_repeated_direct_upload_takes_the_bytes_once(
    project: Project, key: dict[str, str]
) -> None:
    first, again = (
        project.http.post("/files", json=NEW_FILE, headers=key).json() for _ in range(2)
    )

    assert project.put(again) == 200
    assert project.put(first) == 412

    assert project.client.files.retrieve(first["id"]).status == "processed"
    assert project.client.files.content(first["id"]).read() == CONTENT
    assert project.http.post("/files", json=NEW_FILE, headers=key).json()["id"] == first["id"]


@pytest.mark.parametrize("text", ["", "k" * 256])
def test_a_key_of_another_length_is_refused(project: Project, text: str) -> None:
    answer = project.http.post("/files", json=NEW_FILE, headers={"Idempotency-Key": text})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "Idempotency-Key"


def test_a_key_whose_request_was_refused_is_free(project: Project, key: dict[str, str]) -> None:
    with pytest.raises(openai.APIStatusError):
        project.client.files.create(
            file=b"a" * (MAX_INLINE_BYTES + 1), purpose="user_data", extra_headers=key
        )

    file = project.client.files.create(file=b"a", purpose="user_data", extra_headers=key)
    assert file.bytes == 1
