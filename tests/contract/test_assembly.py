"""Assemblies that go on, fail or are resumed after the call."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from files_api.service.blob_keys import PartBlob
from files_api.service.ids import new_id
from files_api.service.intake import created
from files_api.service.model import NewFile, Part, PendingFile, Upload
from files_api.service.objects import UploadStatus
from tests.contract.calls import error, md5
from tests.contract.conftest import eventually
from tests.contract.deployed import aws, configured, invoke, queued, resource
from tests.contract.project import Project
from tools.local.stack import LocalStack

NOW = 1_780_300_800
LATER = 4_102_444_800
HELLO, WORLD = b"Hello, ", b"world!"


def interrupted(
    project: Project,
    status: UploadStatus,
    pending: PendingFile | None = None,
    digest: str | None = None,
) -> tuple[Upload, list[str]]:
    """An upload whose end was interrupted once it was recorded, and the blob keys of its parts."""
    upload = Upload(new_id(), 13, NOW, "a.txt", "user_data", "text/plain", LATER, md5=digest)
    project.upload_records.open(project.name, upload)
    parts = [Part(new_id(), upload.id, len(each), NOW) for each in (HELLO, WORLD)]
    keys = [PartBlob(project.name, upload.id, part.id).key for part in parts]
    for part, key, content in zip(parts, keys, (HELLO, WORLD), strict=True):
        project.blobs.put(key, content)
        project.upload_records.add_part(project.name, part)
    upload = replace(upload, status=status)
    if pending:
        part_ids = tuple(part.id for part in reversed(parts))
        upload = replace(upload, file_id=pending.file.id, part_ids=part_ids)
    assert project.upload_records.close(project.name, upload, pending)
    return upload, keys


def assembling() -> PendingFile:
    """The file of an interrupted completion."""
    return PendingFile(
        replace(created(NewFile("a.txt", "user_data", 13), NOW), status="uploaded"), LATER
    )


@pytest.mark.parametrize(
    ("digest", "variables", "reason"),
    [
        ("0" * 32, {}, "The MD5 does not match the content."),
        (None, {"FILES_TABLE": "no-such-table"}, "The parts could not be assembled."),
    ],
    ids=["wrong MD5", "broken function"],
)
def test_a_failed_assembly_gives_its_file_the_status_error(
    project: Project, digest: str | None, variables: dict[str, str], reason: str
) -> None:
    pending = assembling()
    upload, _ = interrupted(project, "completed", pending, digest)
    file_id = pending.file.id

    broken = configured(project.stack, "AssembleUpload", **variables)
    with broken if variables else nullcontext():
        answer = project.complete(upload.id, [*upload.part_ids]).json()
        failed = project.client.files.wait_for_processing(file_id, poll_interval=0.2)

    assert answer["file"]["status"] == "uploaded"
    file = answer["file"] | {"status": "error", "status_details": reason}
    assert failed.to_dict() == file
    assert project.complete(upload.id, [*upload.part_ids]).json() == answer | {"file": file}
    refused = project.http.get(f"/files/{file_id}/content")
    assert error(refused) == (400, "invalid_request_error", "id", "file_not_ready")
    assert [*project.client.files.list()] == []
    eventually(lambda: not project.objects())
    assert project.client.files.delete(file_id).deleted
    eventually(lambda: project.items() == [f"UPLOAD#{upload.id}"])


def test_an_interrupted_assembly_is_resumed_by_the_blob_check(project: Project) -> None:
    pending = assembling()
    _, keys = interrupted(project, "completed", pending, md5(WORLD + HELLO))

    assert invoke(project.stack, "CheckBlob", queued(project.stack, keys)) == {
        "batchItemFailures": []
    }

    file = project.client.files.wait_for_processing(pending.file.id, poll_interval=0.2)
    assert project.client.files.content(file.id).read() == WORLD + HELLO
    eventually(lambda: project.objects() == [pending.file.blob_key(project.name)])


def test_parts_of_an_ended_upload_are_deleted_by_the_check(project: Project) -> None:
    upload, keys = interrupted(project, "cancelled")

    assert invoke(project.stack, "CheckBlob", queued(project.stack, keys[:1])) == {
        "batchItemFailures": []
    }

    eventually(lambda: project.items() == [f"UPLOAD#{upload.id}"] and not project.objects())


def test_parts_of_a_removed_upload_are_purged(project: Project) -> None:
    upload, _ = interrupted(project, "cancelled")

    project.remove(f"UPLOAD#{upload.id}")

    eventually(project.nothing)


def test_a_missed_storage_event_is_made_up_for_by_the_check(project: Project) -> None:
    file = created(NewFile("a.txt", "user_data", len(HELLO)), NOW)
    file = replace(file, status="pending", direct=True)
    key = file.blob_key(project.name)
    project.blobs.put(key, HELLO)
    project.records.add_pending(project.name, PendingFile(file, LATER))

    assert invoke(project.stack, "CheckBlob", queued(project.stack, [key])) == {
        "batchItemFailures": []
    }

    assert [each.id for each in project.client.files.list()] == [file.id]
    assert project.client.files.content(file.id).read() == HELLO


def test_assemble_upload_may_invoke_itself(local_stack: LocalStack) -> None:
    role = resource(local_stack, "AssembleUploadRole")
    assert "again" in aws(local_stack, "iam").list_role_policies(RoleName=role)["PolicyNames"]
