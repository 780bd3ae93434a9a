"""What `DynamoFileRecords` does beyond its port: requests per call, items, racing deletions."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from files_api import invocation
from files_api.aws import file_records
from files_api.aws.events import removed_record
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.table import key
from files_api.service.blob_keys import FileBlob
from files_api.service.errors import RateLimitExceeded
from files_api.service.model import PendingFile
from files_api.service.ports import PageRequest
from files_api.service.purge import RemovedFile, RemovedPendingFile
from tests.adapters.conftest import FILES_TABLE, Hook
from tests.support.moto_stack import Stack
from tests.support.samples import NOW, a_file

LARGE = "x" * 100_000  # longer than any caller's filename: makes an item of 100 KB


@pytest.fixture
def requests(dynamodb: Any, hook: Hook) -> list[str]:
    """The requests that are sent, each by its operation's name."""
    sent: list[str] = []
    hook(
        dynamodb,
        "request-created.dynamodb",
        lambda operation_name, **_: sent.append(operation_name),
    )
    return sent


def page(
    dynamo_files: DynamoFileRecords,
    limit: int,
    purpose: str | None = None,
    after: str | None = None,
) -> list[str]:
    return dynamo_files.page("acme", PageRequest(limit, purpose, after=after), NOW)


@pytest.mark.parametrize("purpose", [None, "assistants"])
@pytest.mark.parametrize("limit", [1, 5, 6])
def test_a_page_costs_one_query(
    dynamo_files: DynamoFileRecords, requests: list[str], limit: int, purpose: str | None
) -> None:
    files = [a_file(age=age) for age in range(5)]
    for file in files:
        dynamo_files.add("acme", file)
    everything = [file.public_json() for file in files]
    assert page(dynamo_files, limit, "none") == []
    assert requests.pop() == "Query"
    requests.clear()

    assert page(dynamo_files, limit, purpose) == everything[:limit]
    assert requests == ["Query"]
    requests.clear()

    assert page(dynamo_files, limit, purpose, after=files[1].id) == everything[2 : 2 + limit]
    assert requests == ["Query"]


def test_a_page_costs_one_query_for_each_megabyte(
    dynamo_files: DynamoFileRecords, requests: list[str]
) -> None:
    files = [a_file(age=age, filename=LARGE) for age in range(25)]
    for file in files:
        dynamo_files.add("acme", file)
    requests.clear()

    assert page(dynamo_files, 25) == [file.public_json() for file in files]
    assert requests == ["Query"] * 3
    requests.clear()

    assert page(dynamo_files, 12) == [file.public_json() for file in files[:12]]
    assert requests == ["Query"] * 2


def test_a_run_of_expired_files_is_read_in_growing_strides(
    dynamo_files: DynamoFileRecords, requests: list[str]
) -> None:
    for age in range(60):
        dynamo_files.add("acme", a_file(age=age, expires_at=NOW - 1))
    live = [a_file(age=100 + age) for age in range(3)]
    for file in live:
        dynamo_files.add("acme", file)
    requests.clear()

    assert page(dynamo_files, 2) == [file.public_json() for file in live[:2]]
    assert requests == ["Query"] * 4  # of 2, 8, 32 and 128 items


def test_a_list_costs_one_query_once_expired_files_are_deleted(
    dynamo_files: DynamoFileRecords, requests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # moto copies the whole table in each transaction, so these are fewer than in DynamoDB.
    monkeypatch.setattr(file_records, "MANY_EXPIRED", 40)
    for age in range(40):
        dynamo_files.add("acme", a_file(age=age, expires_at=NOW - 1))
    live = a_file(age=2_000)
    dynamo_files.add("acme", live)
    told: list[str] = []
    requests.clear()

    def list_files() -> list[str]:
        return dynamo_files.page("acme", PageRequest(2), NOW, lambda: told.append("many"))

    assert list_files() == [live.public_json()]
    assert (len(requests) > 1, told) == (True, ["many"])
    dynamo_files.delete_expired("acme", NOW, NOW + 900)
    requests.clear()

    assert list_files() == [live.public_json()]
    assert (requests, told) == (["Query"], ["many"])


def test_a_second_deletion_of_expired_files_leaves_the_first_alone(
    dynamo_files: DynamoFileRecords, requests: list[str], dynamodb: Any, hook: Hook
) -> None:
    dynamo_files.add("acme", a_file(expires_at=NOW))
    during: list[list[str]] = []

    def second(**_: object) -> None:
        if not during:
            during.append([])
            count = len(requests)
            dynamo_files.delete_expired("acme", NOW, NOW + 900)
            during[0] += requests[count:]

    hook(dynamodb, "before-call.dynamodb.Query", second)

    dynamo_files.delete_expired("acme", NOW, NOW + 900)

    assert during == [["UpdateItem"]]


def test_deletion_of_expired_files_ends_in_time(
    dynamo_files: DynamoFileRecords, requests: list[str]
) -> None:
    dynamo_files.add("acme", a_file(expires_at=NOW))
    requests.clear()
    invocation.begin(SimpleNamespace(get_remaining_time_in_millis=lambda: 5_000))

    dynamo_files.delete_expired("acme", NOW, NOW + 900)

    invocation.begin(None)
    assert "BatchWriteItem" not in requests
    assert requests[-1] == "UpdateItem"  # another run may start at once


def test_each_call_costs_one_request(dynamo_files: DynamoFileRecords, requests: list[str]) -> None:
    file, pending = a_file(), PendingFile(a_file(direct=True), NOW)

    dynamo_files.add("acme", file)
    dynamo_files.get("acme", file.id)
    dynamo_files.delete("acme", file)
    assert requests == ["TransactWriteItems", "GetItem", "TransactWriteItems"]
    requests.clear()

    dynamo_files.add_pending("acme", pending)
    dynamo_files.get_pending("acme", pending.file.id)
    dynamo_files.update_pending("acme", pending)
    dynamo_files.delete_pending("acme", pending.file.id)
    assert requests == ["PutItem", "GetItem", "TransactWriteItems", "TransactWriteItems"]
    requests.clear()

    dynamo_files.add_pending("acme", pending)
    dynamo_files.finalize("acme", pending.file)
    assert requests == ["PutItem", "TransactWriteItems"]


def items(stack: Stack) -> dict[str, dict[str, Any]]:
    """The items of the table but those of counters, by their sort keys."""
    found = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    by_key = {item["SK"]["S"]: dict(item) for item in found}
    return {key: item for key, item in by_key.items() if not key.startswith("USAGE#")}


@pytest.mark.parametrize("direct", [False, True])
def test_items_have_the_public_object_and_the_expiry(
    dynamo_files: DynamoFileRecords, stack: Stack, direct: bool
) -> None:
    file = a_file(direct=direct, expires_at=NOW + 60)
    pending = a_file(direct=direct, status="pending", expires_at=NOW + 60)

    dynamo_files.add("acme", file)
    dynamo_files.add_pending("acme", PendingFile(pending, NOW + 900))

    found = items(stack)
    assert found == {
        sort_key: {
            "PK": {"S": "acme"},
            "SK": {"S": sort_key},
            "public": {"S": each.public_json()},
            **{name: {"N": str(expires_at)} for name in expiry},
            **({"is_direct": {"BOOL": True}} if direct else {}),
        }
        for sort_key, each, expiry, expires_at in [
            # Only the second item of a file has a TTL.
            (f"FILE#{file.id}", file, ["gone_at"], NOW + 60),
            (f"PURPOSE#assistants#{file.id}", file, ["gone_at", "expires_at"], NOW + 60),
            (f"PENDING#{pending.id}", pending, ["expires_at"], NOW + 900),
        ]
    }
    # and the table's stream tells by them what was removed
    removed = {removed_record({"dynamodb": {"OldImage": image}}) for image in found.values()}
    assert removed == {RemovedFile("acme", file), RemovedPendingFile("acme", pending)}


@pytest.mark.parametrize("left", ["FILE#{}", "PURPOSE#assistants#{}"])
def test_leftovers_are_deleted_whichever_item_is_left(
    dynamo_files: DynamoFileRecords, stack: Stack, left: str
) -> None:
    file = a_file(direct=True)
    dynamo_files.add("acme", file)
    for sort_key in items(stack).keys() - {left.format(file.id)}:
        stack.dynamodb.delete_item(TableName=FILES_TABLE, Key=key("acme", sort_key))

    dynamo_files.delete_leftovers({("acme", file)})

    assert items(stack) == {}


def test_owners_of_many_blobs_take_few_requests(
    dynamo_files: DynamoFileRecords, dynamodb: Any, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [a_file() for _ in range(120)]
    for file in files:
        dynamo_files.add("acme", file)
    calls: list[int] = []
    monkeypatch.setattr("files_api.aws.table.time.sleep", lambda _: None)

    def busy(parsed: dict[str, Any], **_: object) -> None:
        if len(calls) == 4:  # DynamoDB has answered a part of the keys only
            items = parsed["Responses"][FILES_TABLE]
            left = [{"PK": item["PK"], "SK": item["SK"]} for item in items[10:]]
            del items[10:]
            parsed["UnprocessedKeys"] = {FILES_TABLE: {"Keys": left}}

    hook(
        dynamodb,
        "provide-client-params.dynamodb.BatchGetItem",
        lambda params, **_: calls.append(len(params["RequestItems"][FILES_TABLE]["Keys"])),
    )
    hook(dynamodb, "after-call.dynamodb.BatchGetItem", busy)
    blobs = {FileBlob("acme", file.id, direct=False) for file in files}

    assert dynamo_files.owned(blobs) == blobs
    assert calls == [100, 20, 100, 20, 10]


# --- Racing deletions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "outcome", "waited"),
    [
        ([("TransactionConflict", "None"), ("None", "TransactionConflict"), ()], True, 2),
        ([("TransactionConflict",) * 2, ("ConditionalCheckFailed", "None")], False, 1),
        ([("ThrottlingError", "None"), ("ProvisionedThroughputExceeded", "None"), ()], True, 2),
        ([("ThrottlingError", "ConditionalCheckFailed")], False, 0),
        ([("TransactionConflict", "None")] * 20, RateLimitExceeded, 19),
        ([("None", "ThrottlingError")] * 20, RateLimitExceeded, 19),
        ([("ValidationError", "None")], ClientError, 0),
    ],
    ids=["wins", "loses", "throttled", "loses throttled", "gives up", "slow", "fails otherwise"],
)
def test_a_deletion_is_retried_while_dynamodb_is_busy(
    answers: list[tuple[str, ...]],
    outcome: bool | type[Exception],
    waited: int,
    dynamodb: Any,
    dynamo_files: DynamoFileRecords,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("files_api.aws.table.time.sleep", waits.append)
    with Stubber(dynamodb) as stub:
        for reasons in answers:
            if reasons:
                stub.add_client_error(
                    "transact_write_items",
                    "TransactionCanceledException",
                    modeled_fields={"CancellationReasons": [{"Code": code} for code in reasons]},
                )
            else:
                stub.add_response("transact_write_items", {})

        if isinstance(outcome, bool):
            assert dynamo_files.delete("acme", a_file()) == outcome
        else:
            with pytest.raises(outcome):
                dynamo_files.delete("acme", a_file())

        stub.assert_no_pending_responses()
    assert len(waits) == waited
    assert all(wait <= 2 for wait in waits)
