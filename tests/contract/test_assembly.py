"""Assemblies that go on, fail or are resumed after the call."""

from dataclasses import replace

import httpx2
import pytest
from openai import OpenAI

from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.blob_keys import PartBlob
from files_api.service.ids import new_id
from files_api.service.intake import created
from files_api.service.model import NewFile, Part, PendingFile, Upload
from tests.contract.calls import complete, error
from tests.contract.conftest import Stored, eventually
from tests.contract.deployed import aws, configured, invoke, queued, resource
from tools.local_stack import LocalStack

NOW = 1_780_300_800
LATER = 4_102_444_800
HELLO, WORLD = b"Hello, ", b"world!"


def interrupted(
    upload_records: DynamoUploadRecords,
    stored: Stored,
    status: str,
    pending: PendingFile | None = None,
    md5: str | None = None,
) -> tuple[Upload, list[str]]:
    """An upload whose end was interrupted once it was recorded, and the blob keys of its parts."""
    upload = Upload(new_id(), 13, NOW, "a.txt", "user_data", "text/plain", LATER, md5=md5)
    upload_records.open(stored.project, upload)
    parts = [Part(new_id(), upload.id, len(each), NOW) for each in (HELLO, WORLD)]
    keys = [PartBlob(stored.project, upload.id, part.id).key for part in parts]
    for part, key, content in zip(parts, keys, (HELLO, WORLD), strict=True):
        stored.blobs.put(key, content)
        upload_records.add_part(stored.project, part)
    upload = replace(upload, status=status)
    if pending:
        part_ids = tuple(part.id for part in reversed(parts))
        upload = replace(upload, file_id=pending.file.id, part_ids=part_ids)
    assert upload_records.close(stored.project, upload, pending)
    return upload, keys


def assembling() -> PendingFile:
    """The file of an interrupted completion."""
    return PendingFile(
        replace(created(NewFile("a.txt", "user_data", 13), NOW), status="uploaded"), LATER
    )


@pytest.mark.parametrize(
    ("md5", "variables", "reason"),
    [
        ("0" * 32, {}, "The MD5 does not match the content."),
        (None, {"FILES_TABLE": "no-such-table"}, "The parts could not be assembled."),
    ],
    ids=["wrong MD5", "broken function"],
)
def test_a_failed_assembly_gives_its_file_the_status_error(
    client: OpenAI,
    http: httpx2.Client,
    stack: LocalStack,
    stored: Stored,
    upload_records: DynamoUploadRecords,
    md5: str | None,
    variables: dict[str, str],
    reason: str,
) -> None:
    pending = assembling()
    upload, _ = interrupted(upload_records, stored, "completed", pending, md5)
    file_id = pending.file.id

    with configured(stack, "AssembleUpload", **variables):
        answer = complete(http, upload.id, [*upload.part_ids]).json()
        failed = client.files.wait_for_processing(file_id, poll_interval=0.2)

    assert answer["file"]["status"] == "uploaded"
    file = answer["file"] | {"status": "error", "status_details": reason}
    assert failed.to_dict() == file
    assert complete(http, upload.id, [*upload.part_ids]).json() == answer | {"file": file}
    refused = http.get(f"/files/{file_id}/content")
    assert error(refused) == (400, "invalid_request_error", "id", "file_not_ready")
    assert [*client.files.list()] == []
    eventually(lambda: not stored.objects())
    assert client.files.delete(file_id).deleted
    eventually(lambda: stored.items() == [f"UPLOAD#{upload.id}"])


def test_an_interrupted_assembly_is_resumed_by_the_blob_check(
    client: OpenAI, stack: LocalStack, stored: Stored, upload_records: DynamoUploadRecords
) -> None:
    pending = assembling()
    _, keys = interrupted(upload_records, stored, "completed", pending)

    assert invoke(stack, "CheckBlob", queued(stack, keys)) == {"batchItemFailures": []}

    file = client.files.wait_for_processing(pending.file.id, poll_interval=0.2)
    assert client.files.content(file.id).read() == WORLD + HELLO
    eventually(lambda: stored.objects() == [pending.file.blob_key(stored.project)])


def test_parts_of_an_ended_upload_are_deleted_by_the_check(
    stack: LocalStack, stored: Stored, upload_records: DynamoUploadRecords
) -> None:
    upload, keys = interrupted(upload_records, stored, "cancelled")

    assert invoke(stack, "CheckBlob", queued(stack, keys[:1])) == {"batchItemFailures": []}

    eventually(lambda: stored.items() == [f"UPLOAD#{upload.id}"] and not stored.objects())


def test_parts_of_a_removed_upload_are_purged(
    stack: LocalStack, stored: Stored, upload_records: DynamoUploadRecords
) -> None:
    upload, _ = interrupted(upload_records, stored, "cancelled")

    stored.remove(f"UPLOAD#{upload.id}")

    eventually(stored.nothing)


def test_a_missed_storage_event_is_made_up_for_by_the_check(
    client: OpenAI, stack: LocalStack, stored: Stored
) -> None:
    file = created(NewFile("a.txt", "user_data", len(HELLO)), NOW)
    file = replace(file, status="pending", direct=True)
    key = file.blob_key(stored.project)
    stored.blobs.put(key, HELLO)
    stored.records.add_pending(stored.project, PendingFile(file, LATER))

    assert invoke(stack, "CheckBlob", queued(stack, [key])) == {"batchItemFailures": []}

    assert [each.id for each in client.files.list()] == [file.id]
    assert client.files.content(file.id).read() == HELLO


def test_assemble_upload_may_invoke_itself(stack: LocalStack) -> None:
    role = aws(stack, "iam").list_role_policies(RoleName=resource(stack, "AssembleUploadRole"))
    assert "again" in role["PolicyNames"]
