"""What every `UploadRecords` must do, in memory as on DynamoDB, and what it does there."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.errors import IdempotencyKeyReused
from files_api.service.ids import new_id
from files_api.service.model import (
    PART_LIFETIME_SECONDS,
    TRANSFER_SECONDS,
    Part,
    PendingFile,
    Upload,
)
from files_api.service.ports import FileRecords, UploadRecords
from files_api.service.segments import MAX_PARTS
from files_api.service.terms import REPEATABLE_SECONDS, IdempotencyKey
from tests.adapters.conftest import FILES_TABLE, Hook
from tests.support.moto_stack import Stack
from tests.support.samples import NOW, a_file


def an_upload(**changes: Any) -> Upload:
    upload = Upload(
        id=new_id(NOW * 10**9),
        bytes=6,
        created_at=NOW,
        filename='Fête "日本" 🎉.txt',
        purpose="batch",
        mime_type="text/plain",
        expires_at=NOW + 3600,
        lifetime=7200,
    )
    return replace(upload, **changes)


def a_part(upload: Upload, age: int = 0) -> Part:
    return Part(new_id((NOW - age) * 10**9), upload.id, 3, NOW - age)


def opened(uploads: UploadRecords, parts: int = 0) -> tuple[Upload, list[Part]]:
    """An open upload with parts."""
    upload = an_upload()
    uploads.open("acme", upload)
    added = [a_part(upload, age) for age in range(parts, 0, -1)]
    for part in added:
        uploads.add_part("acme", part)
    return upload, added


def a_pending_file() -> PendingFile:
    file = a_file(status="uploaded")
    return PendingFile(file, NOW + 86_400, assembly_started_at=NOW, md5_checked=True)


def test_an_upload_is_made_once_by_a_key_within_a_day(uploads: UploadRecords) -> None:
    by = IdempotencyKey("ab" * 32, "cd" * 32)
    upload, other = an_upload(), an_upload()
    later = an_upload(created_at=NOW + REPEATABLE_SECONDS)

    assert uploads.open("acme", upload, by)
    assert not uploads.open("acme", other, by)
    assert uploads.get("acme", other.id) is None
    assert uploads.made("acme", by, NOW + REPEATABLE_SECONDS - 1) == upload
    with pytest.raises(IdempotencyKeyReused):
        uploads.made("acme", replace(by, request="ef" * 32), NOW)

    assert uploads.open("acme", later, by)
    assert uploads.made("acme", by, NOW + REPEATABLE_SECONDS) == later


CLOSED: dict[str, Callable[[Upload], Upload]] = {
    "cancelled": lambda upload: replace(upload, status="cancelled"),
    "completed": lambda upload: replace(
        upload, status="completed", file_id=new_id(), part_ids=(new_id(), new_id()), md5="0" * 32
    ),
}


@pytest.mark.parametrize("lifetime", [None, 3600])
def test_an_upload_is_read_by_its_project(uploads: UploadRecords, lifetime: int | None) -> None:
    upload = an_upload(lifetime=lifetime)

    uploads.open("acme", upload)

    assert uploads.get("acme", upload.id) == upload
    for project, upload_id in [("acme", new_id()), ("globex", upload.id), ("acm", upload.id)]:
        assert uploads.get(project, upload_id) is None


def test_parts_are_read_as_written_in_order_of_creation(uploads: UploadRecords) -> None:
    upload = an_upload()
    uploads.open("acme", upload)
    parts = [a_part(upload, age) for age in (3, 1, 2)]
    for part in parts:
        uploads.add_part("acme", part)

    assert uploads.parts("acme", upload.id) == [parts[0], parts[2], parts[1]]
    assert all(uploads.has_part("acme", upload.id, part.id) for part in parts)
    assert uploads.get("acme", upload.id) == upload


def test_an_upload_has_only_its_own_parts(uploads: UploadRecords) -> None:
    upload, (part,) = opened(uploads, 1)
    other, (others,) = opened(uploads, 1)

    assert uploads.parts("acme", other.id) == [others]
    assert uploads.parts("globex", upload.id) == []
    assert uploads.parts("acme", new_id()) == []
    assert not uploads.has_part("acme", other.id, part.id)
    assert not uploads.has_part("globex", upload.id, part.id)


def test_an_unknown_upload_is_neither_extended_nor_closed(uploads: UploadRecords) -> None:
    upload, _ = opened(uploads)

    assert not uploads.extend("globex", upload.id, NOW + 9_999)
    assert not uploads.close("globex", upload)
    assert uploads.get("globex", upload.id) is None
    assert uploads.get("acme", upload.id) == upload


def test_an_extended_upload_has_the_later_expiry(uploads: UploadRecords) -> None:
    upload, parts = opened(uploads, 1)
    longer = replace(upload, expires_at=upload.expires_at + 9)

    assert uploads.extend("acme", upload.id, upload.expires_at + 9)

    assert uploads.get("acme", upload.id) == longer
    assert uploads.parts("acme", upload.id) == parts
    assert uploads.close("acme", replace(longer, status="cancelled"))
    assert uploads.get("acme", upload.id) == replace(longer, status="cancelled")


@pytest.mark.parametrize("closing", CLOSED.values(), ids=CLOSED)
def test_an_upload_is_closed_once_and_not_extended_then(
    uploads: UploadRecords, files: FileRecords, closing: Callable[[Upload], Upload]
) -> None:
    upload, parts = opened(uploads, 1)
    done = closing(upload)
    assert uploads.close("acme", done)

    assert not uploads.extend("acme", upload.id, NOW + 9_999)
    for again in CLOSED.values():
        pending = a_pending_file()
        assert not uploads.close("acme", again(upload), pending)
        assert files.get_pending("acme", pending.file.id) is None
    assert uploads.get("acme", upload.id) == done
    assert uploads.parts("acme", upload.id) == parts


def test_a_completed_upload_has_a_pending_file(uploads: UploadRecords, files: FileRecords) -> None:
    upload, _ = opened(uploads)
    pending = a_pending_file()

    assert uploads.close("acme", CLOSED["completed"](upload), pending)

    assert files.get_pending("acme", pending.file.id) == pending
    assert files.get_pending("globex", pending.file.id) is None
    assert files.finalize("acme", replace(pending.file, status="processed"))


@pytest.mark.parametrize("number", [0, 25, 26])
def test_an_uploads_parts_are_deleted_and_no_others(uploads: UploadRecords, number: int) -> None:
    upload, parts = opened(uploads, number)
    other, others = opened(uploads, 1)

    for _ in range(2):
        uploads.delete_parts("acme", upload.id)

        assert uploads.parts("acme", upload.id) == []
        assert not any(uploads.has_part("acme", upload.id, part.id) for part in parts)
        assert uploads.get("acme", upload.id) == upload
        assert uploads.parts("acme", other.id) == others


# --- DynamoDB -------------------------------------------------------------------------------------


def removable(stack: Stack) -> dict[str, int | None]:
    """When the table's TTL may delete each item, by its kind."""
    return {
        item["SK"]["S"].partition("#")[0]: (
            int(item["expires_at"]["N"]) if "expires_at" in item else None
        )
        for item in stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    }


def test_an_upload_outlives_the_transfer_of_its_last_part(
    dynamo_uploads: DynamoUploadRecords, stack: Stack
) -> None:
    upload, _ = opened(dynamo_uploads, 1)
    part = NOW - 1 + PART_LIFETIME_SECONDS  # its part was made a second before
    assert removable(stack) == {"UPLOAD": NOW + 3600 + TRANSFER_SECONDS, "PART": part}

    dynamo_uploads.extend("acme", upload.id, NOW + 5000)
    assert removable(stack) == {"UPLOAD": NOW + 5000 + TRANSFER_SECONDS, "PART": part}


def test_a_completed_upload_expires_with_its_pending_file(
    dynamo_uploads: DynamoUploadRecords, stack: Stack
) -> None:
    upload, _ = opened(dynamo_uploads)
    pending = a_pending_file()

    dynamo_uploads.close("acme", CLOSED["completed"](upload), pending)

    assert removable(stack) == {"UPLOAD": pending.expires_at, "PENDING": pending.expires_at}


def test_an_extension_in_conflict_with_a_write_is_retried(
    dynamo_uploads: DynamoUploadRecords, dynamodb: Any, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, _ = opened(dynamo_uploads)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    def conflict(parsed: dict[str, Any], http_response: Any, **_: object) -> None:
        if len(waits) < 3:
            http_response.status_code = 400
            parsed["ResponseMetadata"]["HTTPStatusCode"] = 400
            parsed["Error"] = {"Code": "TransactionConflictException", "Message": "…"}

    hook(dynamodb, "after-call.dynamodb.UpdateItem", conflict)

    assert dynamo_uploads.extend("acme", upload.id, NOW + 9_000)
    assert dynamo_uploads.get("acme", upload.id) == replace(upload, expires_at=NOW + 9_000)
    assert len(waits) == 3


def test_an_upload_with_the_most_parts_fits_into_one_item(
    dynamo_uploads: DynamoUploadRecords,
) -> None:
    upload = an_upload(filename="🎉" * 255, mime_type="🎉" * 255)
    dynamo_uploads.open("acme", upload)
    done = replace(
        upload,
        status="completed",
        file_id=new_id(),
        part_ids=tuple(new_id() for _ in range(MAX_PARTS)),
        md5="0" * 32,
    )

    assert dynamo_uploads.close("acme", done, a_pending_file())

    assert dynamo_uploads.get("acme", upload.id) == done


def test_parts_are_read_from_every_page(
    dynamo_uploads: DynamoUploadRecords, dynamodb: Any, hook: Hook
) -> None:
    upload, parts = opened(dynamo_uploads, 3)
    starts: list[str | None] = []

    def one_each(params: dict[str, Any], **_: object) -> None:
        start = params.get("ExclusiveStartKey")
        starts.append(start and start["SK"]["S"])
        params["Limit"] = 1

    hook(dynamodb, "provide-client-params.dynamodb.Query", one_each)

    assert dynamo_uploads.parts("acme", upload.id) == parts
    assert starts[:3] == [None, *(f"PART#{upload.id}#{part.id}" for part in parts[:2])]


def test_unprocessed_deletions_are_sent_with_the_next_batch(
    dynamo_uploads: DynamoUploadRecords, dynamodb: Any, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, _ = opened(dynamo_uploads, 60)
    sizes = []
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    def throttled(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        """The table takes no more than ten of a batch."""
        requests = params["RequestItems"][FILES_TABLE]
        sizes.append(len(requests))
        context["left"] = requests[10:]
        params["RequestItems"] = {FILES_TABLE: requests[:10]}

    def leaves(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if context["left"]:
            parsed["UnprocessedItems"] = {FILES_TABLE: context["left"]}

    hook(dynamodb, "provide-client-params.dynamodb.BatchWriteItem", throttled)
    hook(dynamodb, "after-call.dynamodb.BatchWriteItem", leaves)

    dynamo_uploads.delete_parts("acme", upload.id)

    assert dynamo_uploads.parts("acme", upload.id) == []
    assert sizes == [25, 25, 25, 25, 20, 10]
    assert len(waits) == 5


def test_extension_never_shortens_another(uploads: UploadRecords) -> None:
    upload = an_upload()
    uploads.open("acme", upload)

    assert uploads.extend("acme", upload.id, NOW + 20_000)
    assert not uploads.extend("acme", upload.id, NOW + 10_000)

    known = uploads.get("acme", upload.id)
    assert known == replace(upload, expires_at=NOW + 20_000)


def test_parts_are_reserved_up_to_the_bounds_and_released(uploads: UploadRecords) -> None:
    upload = an_upload()  # of 6 bytes
    uploads.open("acme", upload)
    whole, again, half = (replace(a_part(upload), bytes=size) for size in (6, 6, 3))

    assert uploads.reserve_part("acme", whole, NOW) == upload
    assert uploads.reserve_part("acme", again, NOW) is None
    assert uploads.reserve_part("acme", half, upload.expires_at) is None
    assert uploads.reserve_part("acme", half, NOW) == upload
    uploads.release_part("acme", whole)
    assert uploads.reserve_part("acme", again, NOW) == upload
    uploads.close("acme", replace(upload, status="cancelled"))
    uploads.release_part("acme", again)
    assert uploads.reserve_part("acme", replace(half, bytes=1), NOW) is None


def test_part_whose_answer_was_lost_counts_once(uploads: UploadRecords) -> None:
    upload = an_upload()  # of 6 bytes, so it takes 9
    uploads.open("acme", upload)
    first, second = (replace(a_part(upload), bytes=size) for size in (6, 3))

    assert uploads.reserve_part("acme", first, NOW) == upload
    assert uploads.reserve_part("acme", first, NOW) == upload  # the SDK sends it again
    assert uploads.reserve_part("acme", second, NOW) == upload


def test_interrupted_deletion_of_parts_gets_further(
    dynamo_uploads: DynamoUploadRecords, dynamodb: Any, stack: Stack, hook: Hook
) -> None:
    upload = an_upload()
    dynamo_uploads.open("acme", upload)
    for number in range(60):
        part = a_part(upload, number)
        dynamo_uploads.add_part("acme", replace(part, upload_id=upload.id))
    queries = 0

    def fail_on_the_second_page(**_: object) -> None:
        nonlocal queries
        queries += 1
        if queries == 2:
            raise ConnectionError

    # A page of DynamoDB has a megabyte; here it has 50 items.
    hook(
        dynamodb, "provide-client-params.dynamodb.Query", lambda params, **_: params | {"Limit": 50}
    )
    hook(dynamodb, "before-call.dynamodb.Query", fail_on_the_second_page)
    with pytest.raises(ConnectionError):
        dynamo_uploads.delete_parts("acme", upload.id)

    assert len(stack.items(FILES_TABLE)) == 1 + 60 - 50
