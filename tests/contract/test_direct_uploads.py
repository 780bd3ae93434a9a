"""Direct uploads: a pending file, whose bytes are PUT straight to S3, becomes a file."""

import json

import pytest

from tests.contract.calls import (
    CONTENT,
    NEW_FILE,
    processed,
)
from tests.contract.conftest import eventually
from tests.contract.deployed import invoke, object_created
from tests.contract.project import Project


@pytest.mark.parametrize("call", ["{}", "{}/content", "{}/url"])
def test_a_file_can_be_used_as_soon_as_the_put_has_answered(project: Project, call: str) -> None:
    for _ in range(2):  # the storage event may be handled before or after the call
        file_id = project.upload_directly()

        assert project.http.get("/files/" + call.format(file_id)).status_code == 200
        assert [each["id"] for each in project.http.get("/files").json()["data"]] == [file_id]
        listed = project.http.get("/files", params={"purpose": "user_data"}).json()["data"]
        assert [each["id"] for each in listed] == [file_id]
        assert project.http.get(f"/files/{file_id}").json()["status"] == "processed"

        assert project.http.delete(f"/files/{file_id}").status_code == 200


def test_the_storage_event_finalizes_a_file_without_any_call(project: Project) -> None:
    file = project.create_pending()
    assert project.put(file) == 200

    eventually(lambda: project.http.get("/files").json()["data"])

    assert project.http.get("/files").json()["data"] == [processed(file)]
    assert sorted(project.items()) == [f"FILE#{file['id']}", f"PURPOSE#user_data#{file['id']}"]


def test_a_repeated_storage_event_changes_nothing(project: Project) -> None:
    file_id = project.upload_directly()
    before = project.http.get(f"/files/{file_id}").json()
    items, objects = project.items(), project.objects()

    for _ in range(2):
        assert (
            invoke(project.stack, "FinalizeFile", object_created(project.stack, objects[0])) == {}
        )

    assert project.http.get(f"/files/{file_id}").json() == before
    assert (project.items(), project.objects()) == (items, objects)
    assert project.http.get(f"/files/{file_id}/content").content == CONTENT


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
    project: Project, media_type: str, sent: str, kept: str
) -> None:
    content = json.dumps(NEW_FILE | {"filename": sent})

    answer = project.http.post("/files", content=content, headers={"Content-Type": media_type})

    assert (answer.json()["status"], answer.json()["filename"]) == ("pending", kept)


def test_a_pending_file_is_found_by_id_but_not_listed(project: Project) -> None:
    file = project.create_pending()

    found = project.client.files.retrieve(file["id"])
    assert found.to_dict() == processed(file) | {"status": "pending"}
    assert [*project.client.files.list()] == []
    assert [*project.client.files.list(purpose="user_data")] == []
