"""Direct uploads: a pending file, whose bytes are PUT straight to S3, becomes a file."""

import json
import time

import httpx2
import pytest
from openai import OpenAI

from tests.contract.calls import (
    CONTENT,
    DAY,
    NEW_FILE,
    SHA256,
    create_pending,
    error,
    processed,
    put,
    upload_directly,
)
from tests.contract.conftest import Stored, eventually
from tests.contract.deployed import invoke, object_created
from tools.local_stack import LocalStack


def test_the_answer_has_the_pending_file_and_its_url(http: httpx2.Client) -> None:
    before = int(time.time())

    file = create_pending(http, sha256=SHA256)

    put = file.pop("upload")
    assert before <= file["created_at"] <= time.time()
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": len(CONTENT),
        "created_at": file["created_at"],
        "filename": "a.bin",
        "purpose": "user_data",
        "status": "pending",
    }
    assert list(put) == ["method", "url", "headers", "expires_at"]
    assert put["method"] == "PUT"
    assert put["url"].startswith("http")
    assert all(isinstance(value, str) for value in put["headers"].values())
    assert before + 900 <= put["expires_at"] <= time.time() + 900


@pytest.mark.parametrize("call", ["{}", "{}/content", "{}/url"])
def test_a_file_can_be_used_as_soon_as_the_put_has_answered(
    http: httpx2.Client, store: httpx2.Client, call: str
) -> None:
    for _ in range(2):  # the storage event may be handled before or after the call
        file_id = upload_directly(http, store)

        assert http.get("/files/" + call.format(file_id)).status_code == 200
        assert [each["id"] for each in http.get("/files").json()["data"]] == [file_id]
        listed = http.get("/files", params={"purpose": "user_data"}).json()["data"]
        assert [each["id"] for each in listed] == [file_id]
        assert http.get(f"/files/{file_id}").json()["status"] == "processed"

        assert http.delete(f"/files/{file_id}").status_code == 200


def test_the_storage_event_finalizes_a_file_without_any_call(
    http: httpx2.Client, store: httpx2.Client, stored: Stored
) -> None:
    file = create_pending(http)
    assert put(store, file) == 200

    eventually(lambda: http.get("/files").json()["data"])

    assert http.get("/files").json()["data"] == [processed(file)]
    assert sorted(stored.items()) == [f"FILE#{file['id']}", f"PURPOSE#user_data#{file['id']}"]


def test_a_repeated_storage_event_changes_nothing(
    http: httpx2.Client, store: httpx2.Client, stack: LocalStack, stored: Stored
) -> None:
    file_id = upload_directly(http, store)
    before = http.get(f"/files/{file_id}").json()
    items, objects = stored.items(), stored.objects()

    for _ in range(2):
        assert invoke(stack, "FinalizeFile", object_created(stack, objects[0])) == {}

    assert http.get(f"/files/{file_id}").json() == before
    assert (stored.items(), stored.objects()) == (items, objects)
    assert http.get(f"/files/{file_id}/content").content == CONTENT


def test_expiry_counts_from_the_creation_of_the_pending_file(http: httpx2.Client) -> None:
    hour = create_pending(http, expires_after={"anchor": "created_at", "seconds": 3600})
    batch = create_pending(http, purpose="batch")
    other = create_pending(http, expires_after=None, sha256=None)

    assert hour["expires_at"] == hour["created_at"] + 3600
    assert batch["expires_at"] == batch["created_at"] + 30 * DAY
    assert "expires_at" not in other


@pytest.mark.parametrize(
    ("media_type", "sent", "kept"),
    [
        ("application/json; charset=utf-8", "é 日本.txt", "é 日本.txt"),
        ("Application/JSON", "\ud800.txt", "txt"),  # a lone surrogate
        ("application/json", "a\udfff", "a"),
    ],
    ids=ascii,
)
def test_json_of_any_spelling_has_a_filename_that_is_utf_8(
    http: httpx2.Client, media_type: str, sent: str, kept: str
) -> None:
    content = json.dumps(NEW_FILE | {"filename": sent})

    answer = http.post("/files", content=content, headers={"Content-Type": media_type})

    assert (answer.json()["status"], answer.json()["filename"]) == ("pending", kept)


def test_a_pending_file_is_found_by_id_but_not_listed(http: httpx2.Client, client: OpenAI) -> None:
    file = create_pending(http)

    assert client.files.retrieve(file["id"]).to_dict() == processed(file) | {"status": "pending"}
    assert [*client.files.list()] == []
    assert [*client.files.list(purpose="user_data")] == []
    for path in ("content", "url"):
        answer = http.get(f"/files/{file['id']}/{path}")
        assert error(answer) == (400, "invalid_request_error", "id", "file_not_ready")
        assert file["id"] in answer.json()["error"]["message"]
