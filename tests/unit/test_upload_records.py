"""What every `UploadRecords` promises, in memory as on DynamoDB, and what it costs there."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from files_api.ids import new_file_id
from files_api.model import TRANSFER_SECONDS, Part, Pending, Upload
from files_api.ports import Records, UploadRecords
from files_api.records import DynamoRecords
from files_api.segments import MAX_PARTS
from files_api.upload_records import DynamoUploadRecords
from tests.integration.samples import FILES_TABLE
from tests.moto_stack import Stack
from tests.unit.memory import MemoryRecords
from tests.unit.memory_uploads import MemoryUploadRecords
from tests.unit.samples import NOW, a_file


@pytest.fixture(params=["memory", "dynamodb"])
def records(request: pytest.FixtureRequest) -> Records:
    if request.param == "memory":
        return MemoryRecords()
    return DynamoRecords(request.getfixturevalue("stack").dynamodb, FILES_TABLE)


@pytest.fixture
def uploads(request: pytest.FixtureRequest, records: Records) -> UploadRecords:
    if isinstance(records, MemoryRecords):
        return MemoryUploadRecords(records)
    return DynamoUploadRecords(request.getfixturevalue("stack").dynamodb, FILES_TABLE)


@pytest.fixture
def dynamo(stack: Stack) -> DynamoUploadRecords:
    return DynamoUploadRecords(stack.dynamodb, FILES_TABLE)


def an_upload(**changes: Any) -> Upload:
    upload = Upload(
        id=new_file_id(NOW * 10**9),
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
    return Part(new_file_id((NOW - age) * 10**9), upload.id, 3, NOW - age)


def opened(uploads: UploadRecords, parts: int = 0) -> tuple[Upload, list[Part]]:
    """An open upload with parts."""
    upload = an_upload()
    uploads.open("acme", upload)
    added = [a_part(upload, age) for age in range(parts, 0, -1)]
    for part in added:
        uploads.add_part("acme", part)
    return upload, added


def a_promise() -> Pending:
    return Pending(a_file(status="uploaded"), NOW + 86_400, begun_at=NOW, checked=True)


CLOSED: dict[str, Callable[[Upload], Upload]] = {
    "cancelled": lambda upload: replace(upload, status="cancelled"),
    "completed": lambda upload: replace(
        upload,
        status="completed",
        file_id=new_file_id(),
        part_ids=(new_file_id(), new_file_id()),
        md5="0" * 32,
    ),
}
closed = pytest.mark.parametrize("closing", CLOSED.values(), ids=CLOSED)


@pytest.mark.parametrize("lifetime", [None, 3600])
def test_an_upload_is_read_as_it_was_written(uploads: UploadRecords, lifetime: int | None) -> None:
    upload = an_upload(lifetime=lifetime)

    uploads.open("acme", upload)

    assert uploads.get("acme", upload.id) == upload


def test_an_upload_that_nobody_opened_or_another_did_is_none(uploads: UploadRecords) -> None:
    upload, _ = opened(uploads)

    assert uploads.get("acme", new_file_id()) is None
    assert uploads.get("globex", upload.id) is None
    assert uploads.get("acm", upload.id) is None


def test_parts_are_read_as_they_were_written_by_creation(uploads: UploadRecords) -> None:
    upload = an_upload()
    uploads.open("acme", upload)
    parts = [a_part(upload, age) for age in (3, 1, 2)]
    for part in parts:
        uploads.add_part("acme", part)

    assert uploads.parts("acme", upload.id) == [parts[0], parts[2], parts[1]]
    assert all(uploads.has_part("acme", upload.id, part.id) for part in parts)
    assert uploads.get("acme", upload.id) == upload


def test_an_upload_has_its_own_parts_only(uploads: UploadRecords) -> None:
    upload, (part,) = opened(uploads, 1)
    other, (others,) = opened(uploads, 1)

    assert uploads.parts("acme", other.id) == [others]
    assert uploads.parts("globex", upload.id) == []
    assert uploads.parts("acme", new_file_id()) == []
    assert not uploads.has_part("acme", other.id, part.id)
    assert not uploads.has_part("globex", upload.id, part.id)


@closed
def test_a_closed_upload_is_read_as_it_was_closed_and_takes_no_more(
    uploads: UploadRecords, closing: Callable[[Upload], Upload]
) -> None:
    upload, parts = opened(uploads, 1)
    done = closing(upload)

    assert uploads.close("acme", done)

    assert not uploads.extend("acme", upload.id, NOW + 9_999)
    assert uploads.get("acme", upload.id) == done
    assert uploads.parts("acme", upload.id) == parts


def test_an_upload_that_nobody_opened_is_neither_extended_nor_closed(
    uploads: UploadRecords,
) -> None:
    upload, _ = opened(uploads)

    assert not uploads.extend("globex", upload.id, NOW + 9_999)
    assert not uploads.close("globex", upload)
    assert uploads.get("globex", upload.id) is None
    assert uploads.get("acme", upload.id) == upload


def test_an_upload_is_open_as_long_as_it_was_extended(uploads: UploadRecords) -> None:
    upload, parts = opened(uploads, 1)
    longer = replace(upload, expires_at=upload.expires_at + 9)

    assert uploads.extend("acme", upload.id, upload.expires_at + 9)

    assert uploads.get("acme", upload.id) == longer
    assert uploads.parts("acme", upload.id) == parts
    assert uploads.close("acme", replace(longer, status="cancelled"))
    assert uploads.get("acme", upload.id) == replace(longer, status="cancelled")


@closed
def test_an_upload_is_closed_once(
    uploads: UploadRecords, records: Records, closing: Callable[[Upload], Upload]
) -> None:
    upload, _ = opened(uploads)
    done = closing(upload)
    assert uploads.close("acme", done)

    for again in CLOSED.values():
        promise = a_promise()
        assert not uploads.close("acme", again(upload), promise)
        assert records.pending("acme", promise.file.id) is None
    assert uploads.get("acme", upload.id) == done


def test_a_completed_upload_promises_its_file(uploads: UploadRecords, records: Records) -> None:
    upload, _ = opened(uploads)
    promise = a_promise()

    assert uploads.close("acme", CLOSED["completed"](upload), promise)

    assert records.pending("acme", promise.file.id) == promise
    assert records.pending("globex", promise.file.id) is None
    assert records.keep("acme", replace(promise.file, status="processed"))


def test_a_promise_is_amended_while_it_is_one(records: Records) -> None:
    promise = a_promise()
    broken = replace(
        promise, file=replace(promise.file, status="error", status_details="It broke.")
    )
    assert not records.amend("acme", broken)
    assert records.pending("acme", promise.file.id) is None

    records.promise("acme", promise)
    assert records.amend("acme", broken)
    assert records.pending("acme", promise.file.id) == broken

    # and an error for good
    assert not records.amend("acme", promise)
    assert not records.keep("acme", replace(promise.file, status="processed"))
    assert records.pending("acme", promise.file.id) == broken
    assert records.get("acme", promise.file.id) is None

    assert records.drop("acme", promise.file.id)
    assert not records.amend("acme", promise)
    assert records.pending("acme", promise.file.id) is None


@pytest.mark.parametrize("number", [0, 1, 25, 26, 60])
def test_all_parts_of_an_upload_are_removed_and_no_others(
    uploads: UploadRecords, number: int
) -> None:
    upload, parts = opened(uploads, number)
    other, kept = opened(uploads, 1)

    for _ in range(2):
        uploads.remove_parts("acme", upload.id)

        assert uploads.parts("acme", upload.id) == []
        assert not any(uploads.has_part("acme", upload.id, part.id) for part in parts)
        assert uploads.get("acme", upload.id) == upload
        assert uploads.parts("acme", other.id) == kept


# --- DynamoDB -------------------------------------------------------------------------------------


def removable(stack: Stack) -> dict[str, int | None]:
    """When the table's TTL may remove each item: of an upload, a part, a promise."""
    kinds = {"M1": "upload", "M2": "part", "U1": "promise"}
    return {
        kinds[item["SK"]["S"][0] + str(item["SK"]["S"].count("#"))]: (
            int(item["expires_at"]["N"]) if "expires_at" in item else None
        )
        for item in stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    }


def test_an_upload_goes_by_itself_when_no_part_can_be_on_its_way_any_more(
    dynamo: DynamoUploadRecords, stack: Stack
) -> None:
    upload, _ = opened(dynamo, 1)
    assert removable(stack) == {"upload": NOW + 3600 + TRANSFER_SECONDS, "part": None}

    dynamo.extend("acme", upload.id, NOW + 5000)
    assert removable(stack) == {"upload": NOW + 5000 + TRANSFER_SECONDS, "part": None}


def test_a_completed_upload_stays_as_long_as_the_promise_of_its_file(
    dynamo: DynamoUploadRecords, stack: Stack
) -> None:
    upload, _ = opened(dynamo)
    promise = a_promise()

    dynamo.close("acme", CLOSED["completed"](upload), promise)

    assert removable(stack) == {"upload": promise.expires_at, "promise": promise.expires_at}


def test_an_extension_that_meets_a_transaction_comes_through(
    dynamo: DynamoUploadRecords, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, _ = opened(dynamo)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    def in_the_way(parsed: dict[str, Any], http_response: Any, **_: object) -> None:
        if len(waits) < 3:
            http_response.status_code = 400
            parsed["ResponseMetadata"]["HTTPStatusCode"] = 400
            parsed["Error"] = {"Code": "TransactionConflictException", "Message": "…"}

    stack.dynamodb.meta.events.register("after-call.dynamodb.UpdateItem", in_the_way)

    assert dynamo.extend("acme", upload.id, NOW + 9)
    assert dynamo.get("acme", upload.id) == replace(upload, expires_at=NOW + 9)
    assert len(waits) == 3


def test_an_upload_of_as_many_parts_as_s3_takes_fits_an_item(dynamo: DynamoUploadRecords) -> None:
    upload = an_upload(filename="🎉" * 255, mime_type="🎉" * 255)
    dynamo.open("acme", upload)
    done = replace(
        upload,
        status="completed",
        file_id=new_file_id(),
        part_ids=tuple(new_file_id() for _ in range(MAX_PARTS)),
        md5="0" * 32,
    )

    assert dynamo.close("acme", done, a_promise())

    assert dynamo.get("acme", upload.id) == done


def test_parts_beyond_a_page_are_read(dynamo: DynamoUploadRecords, stack: Stack) -> None:
    upload, parts = opened(dynamo, 3)
    asked = []

    def one_each(params: dict[str, Any], **_: object) -> None:
        asked.append(params.get("ExclusiveStartKey"))
        params["Limit"] = 1

    stack.dynamodb.meta.events.register("provide-client-params.dynamodb.Query", one_each)

    assert dynamo.parts("acme", upload.id) == parts
    assert len(asked) == 3


def test_what_a_batch_leaves_is_removed_with_the_next(
    dynamo: DynamoUploadRecords, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, _ = opened(dynamo, 60)
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

    events = stack.dynamodb.meta.events
    events.register("provide-client-params.dynamodb.BatchWriteItem", throttled)
    events.register("after-call.dynamodb.BatchWriteItem", leaves)

    dynamo.remove_parts("acme", upload.id)

    assert dynamo.parts("acme", upload.id) == []
    assert sizes == [25, 25, 25, 25, 20, 10]
    assert len(waits) == 5
