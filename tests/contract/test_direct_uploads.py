"""Direct uploads: a promise, its bytes straight to the store, a file."""

import json
import time
from collections.abc import Callable

import httpx2
import openai
import pytest
from openai import OpenAI

from files_api.keys import Keys
from tests.contract.calls import CONTENT, PROMISE, SHA256, error, promise, public, put, uploaded
from tests.contract.conftest import Kept, eventually
from tests.contract.deployed import invoke, object_created
from tools.local_stack import LocalStack

DAY = 86_400


def test_a_promise_answers_the_file_and_where_its_bytes_go(http: httpx2.Client) -> None:
    before = int(time.time())

    file = promise(http, sha256=SHA256)

    link = file.pop("upload")
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
    assert list(link) == ["method", "url", "headers", "expires_at"]
    assert link["method"] == "PUT"
    assert link["url"].startswith("http")
    assert all(isinstance(value, str) for value in link["headers"].values())
    assert before + 900 <= link["expires_at"] <= time.time() + 900


@pytest.mark.parametrize("call", ["{}", "{}/content", "{}/url"])
def test_a_file_is_there_as_soon_as_the_put_has_answered(
    http: httpx2.Client, store: httpx2.Client, call: str
) -> None:
    for _ in range(3):  # the storage event may win or lose
        file_id = uploaded(http, store)

        assert http.get("/files/" + call.format(file_id)).status_code == 200
        assert [each["id"] for each in http.get("/files").json()["data"]] == [file_id]
        listed = http.get("/files", params={"purpose": "user_data"}).json()["data"]
        assert [each["id"] for each in listed] == [file_id]
        assert http.get(f"/files/{file_id}").json()["status"] == "processed"

        assert http.delete(f"/files/{file_id}").status_code == 200


def test_the_storage_event_finishes_an_upload_that_nobody_asks_for(
    http: httpx2.Client, store: httpx2.Client, kept: Kept
) -> None:
    file = promise(http)
    assert put(store, file) == 200

    eventually(lambda: http.get("/files").json()["data"])

    assert http.get("/files").json()["data"] == [public(file)]
    assert sorted(kept.items()) == [f"F#{file['id']}", f"P#user_data#{file['id']}"]


def test_a_storage_event_that_comes_again_changes_nothing(
    http: httpx2.Client, store: httpx2.Client, stack: LocalStack, kept: Kept
) -> None:
    file_id = uploaded(http, store)
    before = http.get(f"/files/{file_id}").json()
    items, objects = kept.items(), kept.objects()

    for _ in range(2):
        assert invoke(stack, "FinalizeUpload", object_created(stack, objects[0])) == {}

    assert http.get(f"/files/{file_id}").json() == before
    assert (kept.items(), kept.objects()) == (items, objects)
    assert http.get(f"/files/{file_id}/content").content == CONTENT


def test_expiry_counts_from_the_promise(http: httpx2.Client) -> None:
    told = promise(http, expires_after={"anchor": "created_at", "seconds": 3600})
    batch = promise(http, purpose="batch")
    untold = promise(http, expires_after=None, sha256=None)

    assert told["expires_at"] == told["created_at"] + 3600
    assert batch["expires_at"] == batch["created_at"] + 30 * DAY
    assert "expires_at" not in untold


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_however_its_type_is_written(http: httpx2.Client, media_type: str) -> None:
    answer = http.post("/files", content=json.dumps(PROMISE), headers={"Content-Type": media_type})

    assert answer.json()["status"] == "pending"


def test_a_pending_file_is_seen_by_its_id_alone(http: httpx2.Client, client: OpenAI) -> None:
    file = promise(http)

    assert client.files.retrieve(file["id"]).to_dict() == public(file) | {"status": "pending"}
    assert [*client.files.list()] == []
    assert [*client.files.list(purpose="user_data")] == []
    for path in ("content", "url"):
        answer = http.get(f"/files/{file['id']}/{path}")
        assert error(answer) == (400, "invalid_request_error", "id", "file_not_ready")
        assert file["id"] in answer.json()["error"]["message"]


# --- whose it is ----------------------------------------------------------------------------------


def test_a_direct_upload_is_its_projects_own(
    http: httpx2.Client, store: httpx2.Client, stranger: OpenAI
) -> None:
    pending, processed = promise(http)["id"], uploaded(http, store)

    assert [*stranger.files.list()] == []
    for file_id in (pending, processed):
        calls: list[Callable[[str], object]] = [
            stranger.files.retrieve,
            stranger.files.content,
            lambda file_id: stranger.get(f"/files/{file_id}/url", cast_to=object),
            stranger.files.delete,
        ]
        for call in calls:
            with pytest.raises(openai.NotFoundError, match=file_id):
                call(file_id)
    assert http.get(f"/files/{pending}").json()["status"] == "pending"
    assert http.get(f"/files/{processed}/content").content == CONTENT


def test_direct_uploads_and_links_need_their_scopes(
    connect: Callable[[str], OpenAI],
    keys: Keys,
    project: str,
    http: httpx2.Client,
    store: httpx2.Client,
) -> None:
    file_id = uploaded(http, store)
    reader = connect(keys.create(project, scopes=("files:read",))[1])
    writer = connect(keys.create(project, scopes=("files:write",))[1])

    assert reader.get(f"/files/{file_id}/url", cast_to=object)
    assert writer.post("/files", body=PROMISE, cast_to=object)
    forbidden: list[Callable[[], object]] = [
        lambda: reader.post("/files", body=PROMISE, cast_to=object),
        lambda: writer.get(f"/files/{file_id}/url", cast_to=object),
    ]
    for call in forbidden:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            call()
        assert (caught.value.type, caught.value.param) == ("invalid_request_error", None)
        assert caught.value.code == "insufficient_permissions"
