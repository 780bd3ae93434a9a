"""Uploads that become files, or say why not, when something fails after the call."""

from dataclasses import replace

import httpx2
import pytest
from openai import OpenAI

from files_api.ids import new_file_id
from files_api.intake import new_file
from files_api.model import Part, Pending, Upload, part_key
from files_api.upload_records import DynamoUploadRecords
from tests.contract.calls import MIB, complete, open_upload, put_part
from tests.contract.conftest import Kept, eventually
from tests.contract.deployed import aws, configured, invoke, queued, resource
from tools.local_stack import LocalStack

NOW = 1_780_300_800
LATER = 4_102_444_800
HELLO, WORLD = b"Hello, ", b"world!"


@pytest.fixture
def uploads(stack: LocalStack) -> DynamoUploadRecords:
    """The table, with all rights."""
    return DynamoUploadRecords(stack.client("dynamodb"), stack.outputs["FilesTable"])


def test_an_upload_that_cannot_be_assembled_says_so_in_its_file(
    client: OpenAI, http: httpx2.Client, store: httpx2.Client, stack: LocalStack, kept: Kept
) -> None:
    content = bytes(65 * MIB)
    upload = open_upload(http, 2 * len(content))
    ids = [put_part(http, store, upload, content) for _ in range(2)]

    with configured(stack, "AssembleUpload", FILES_TABLE="no-such-table"):
        # an MD5 of so much is not taken while the caller waits
        file = complete(http, upload, ids, md5="0" * 32).json()["file"]
        assert file["status"] == "uploaded"
        failed = client.files.wait_for_processing(file["id"], poll_interval=0.2)

    assert failed.to_dict() == file | {
        "status": "error",
        "status_details": "It could not be put together.",
    }
    assert [*client.files.list()] == []
    eventually(lambda: not kept.objects())
    assert client.files.delete(file["id"]).deleted
    eventually(lambda: kept.items() == [f"M#{upload}"])


def left(
    uploads: DynamoUploadRecords, kept: Kept, status: str, promise: Pending | None = None
) -> tuple[Upload, list[str]]:
    """An upload that somebody ended and got no further, and the keys of its parts' bytes."""
    upload = Upload(new_file_id(), 13, NOW, "a.txt", "user_data", "text/plain", LATER)
    uploads.open(kept.project, upload)
    parts = [Part(new_file_id(), upload.id, len(each), NOW) for each in (HELLO, WORLD)]
    keys = [part_key(kept.project, upload.id, part.id) for part in parts]
    for part, key, content in zip(parts, keys, (HELLO, WORLD), strict=True):
        kept.blobs.put(key, content)
        uploads.add_part(kept.project, part)
    ended = replace(upload, status=status)
    if promise:
        part_ids = tuple(part.id for part in reversed(parts))
        ended = replace(ended, file_id=promise.file.id, part_ids=part_ids)
    assert uploads.close(kept.project, ended, promise)
    return upload, keys


def test_an_assembly_that_died_is_found_and_done_some_minutes_later(
    client: OpenAI, stack: LocalStack, kept: Kept, uploads: DynamoUploadRecords
) -> None:
    file = replace(new_file("a.txt", "user_data", 13, None, NOW), status="uploaded")
    _, keys = left(uploads, kept, "completed", Pending(file, LATER))

    assert invoke(stack, "RemoveOrphan", queued(stack, keys)) == {"batchItemFailures": []}

    eventually(lambda: client.files.retrieve(file.id).status == "processed")
    assert client.files.content(file.id).read() == WORLD + HELLO
    eventually(lambda: kept.objects() == [file.key(kept.project)])


def test_parts_that_outlived_their_upload_are_found_and_removed_some_minutes_later(
    stack: LocalStack, kept: Kept, uploads: DynamoUploadRecords
) -> None:
    upload, keys = left(uploads, kept, "cancelled")

    assert invoke(stack, "RemoveOrphan", queued(stack, keys[:1])) == {"batchItemFailures": []}

    eventually(lambda: kept.items() == [f"M#{upload.id}"] and not kept.objects())


def test_an_upload_that_goes_takes_its_parts_with_it(
    stack: LocalStack, kept: Kept, uploads: DynamoUploadRecords
) -> None:
    upload, _ = left(uploads, kept, "cancelled")

    kept.remove(f"M#{upload.id}")

    eventually(lambda: not kept.items() and not kept.objects())


def test_bytes_that_no_event_told_of_are_found_some_minutes_later(
    client: OpenAI, stack: LocalStack, kept: Kept
) -> None:
    file = replace(new_file("a.txt", "user_data", 7, None, NOW), status="pending", direct=True)
    key = file.key(kept.project)
    kept.blobs.put(key, HELLO)
    kept.records.promise(kept.project, Pending(file, LATER))

    assert invoke(stack, "RemoveOrphan", queued(stack, [key])) == {"batchItemFailures": []}

    assert [each.id for each in client.files.list()] == [file.id]
    assert client.files.content(file.id).read() == HELLO


def test_what_assembles_may_call_itself_again(stack: LocalStack) -> None:
    role = aws(stack, "iam").list_role_policies(RoleName=resource(stack, "AssembleUploadRole"))
    assert "again" in role["PolicyNames"]
