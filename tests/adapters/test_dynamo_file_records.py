"""What `DynamoFileRecords` does beyond its port: requests per call, items, racing deletions."""

import json

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from files_api.aws.events import removed_record
from files_api.aws.file_records import DynamoFileRecords
from files_api.service.model import PendingFile
from files_api.service.ports import PageRequest
from files_api.service.purge import RemovedFile, RemovedPendingFile
from tests.adapters.conftest import Hook
from tests.support.moto_stack import Stack, physical_name
from tests.support.samples import NOW, a_file

FILES_TABLE = physical_name("FilesTable")
LARGE = "x" * 100_000  # longer than any caller's filename: makes an item of 100 KB


@pytest.fixture
def requests(stack: Stack, hook: Hook) -> list[str]:
    """The requests that are sent, each by its operation's name."""
    sent: list[str] = []
    hook(
        stack.dynamodb,
        "request-created.dynamodb",
        lambda operation_name, **_: sent.append(operation_name),
    )
    return sent


@pytest.fixture
def records(stack: Stack) -> DynamoFileRecords:
    return DynamoFileRecords(stack.dynamodb, FILES_TABLE)


def page(
    records: DynamoFileRecords, limit: int, purpose: str | None = None, after: str | None = None
) -> list[str]:
    return records.page("acme", PageRequest(limit, purpose, after=after), NOW)


@pytest.mark.parametrize("purpose", [None, "assistants"])
@pytest.mark.parametrize("limit", [1, 5, 6, 100])
def test_a_page_costs_one_query(
    records: DynamoFileRecords, requests: list[str], limit: int, purpose: str | None
) -> None:
    files = [a_file(age=age) for age in range(5)]
    for file in files:
        records.add("acme", file)
    everything = [file.public_json() for file in files]
    requests.clear()

    assert page(records, limit, purpose) == everything[:limit]
    assert requests == ["Query"]
    requests.clear()

    assert page(records, limit, purpose, after=files[1].id) == everything[2 : 2 + limit]
    assert requests == ["Query"]


def test_an_empty_page_costs_one_query(records: DynamoFileRecords, requests: list[str]) -> None:
    assert page(records, 100) == []
    assert requests == ["Query"]


def test_a_page_costs_one_query_for_each_megabyte(
    records: DynamoFileRecords, requests: list[str]
) -> None:
    files = [a_file(age=age, filename=LARGE) for age in range(25)]
    for file in files:
        records.add("acme", file)
    requests.clear()

    assert page(records, 25) == [file.public_json() for file in files]
    assert requests == ["Query"] * 3
    requests.clear()

    assert page(records, 12) == [file.public_json() for file in files[:12]]
    assert requests == ["Query"] * 2


def test_a_run_of_expired_files_is_read_in_growing_strides(
    records: DynamoFileRecords, requests: list[str]
) -> None:
    for age in range(60):
        records.add("acme", a_file(age=age, expires_at=NOW - 1))
    live = [a_file(age=100 + age) for age in range(3)]
    for file in live:
        records.add("acme", file)
    requests.clear()

    assert page(records, 2) == [file.public_json() for file in live[:2]]
    assert requests == ["Query"] * 4  # of 2, 8, 32 and 128 items


def test_each_call_on_a_file_costs_one_request(
    records: DynamoFileRecords, requests: list[str]
) -> None:
    file = a_file()

    records.add("acme", file)
    records.get("acme", file.id)
    records.delete("acme", file)

    assert requests == ["TransactWriteItems", "GetItem", "TransactWriteItems"]


def test_each_call_on_a_pending_file_costs_one_request(
    records: DynamoFileRecords, requests: list[str]
) -> None:
    pending = PendingFile(a_file(direct=True), NOW)

    records.add_pending("acme", pending)
    records.get_pending("acme", pending.file.id)
    records.update_pending("acme", pending)
    records.delete_pending("acme", pending.file.id)
    records.add_pending("acme", pending)
    records.finalize("acme", pending.file)

    written = ["PutItem", "GetItem", "TransactWriteItems", "TransactWriteItems"]
    assert requests == [*written, "PutItem", "TransactWriteItems"]


def test_a_pending_file_has_an_item_with_its_own_expiry(
    records: DynamoFileRecords, stack: Stack
) -> None:
    file = a_file(direct=True, status="pending", expires_at=NOW + 60)

    records.add_pending("acme", PendingFile(file, NOW + 900))

    assert stack.dynamodb.scan(TableName=FILES_TABLE)["Items"] == [
        {
            "PK": {"S": "acme"},
            "SK": {"S": f"PENDING#{file.id}"},
            "public": {"S": file.public_json()},
            "expires_at": {"N": str(NOW + 900)},
            "is_direct": {"BOOL": True},
        }
    ]


@pytest.mark.parametrize("left", ["FILE#{}", "PURPOSE#assistants#{}"])
def test_leftovers_are_deleted_whichever_item_is_left(
    records: DynamoFileRecords, stack: Stack, left: str
) -> None:
    file = a_file(direct=True)
    records.add("acme", file)
    for item in stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]:
        if item["SK"]["S"] != left.format(file.id):
            key = {"PK": item["PK"], "SK": item["SK"]}
            stack.dynamodb.delete_item(TableName=FILES_TABLE, Key=key)

    records.delete_leftovers("acme", file)

    assert stack.dynamodb.scan(TableName=FILES_TABLE)["Items"] == []


@pytest.mark.parametrize("direct", [False, True])
def test_a_stream_record_tells_which_file_was_removed(
    records: DynamoFileRecords, stack: Stack, direct: bool
) -> None:
    file = a_file(direct=direct, expires_at=NOW + 60)
    pending = a_file(direct=True, status="pending")
    records.add("acme", file)
    records.add_pending("acme", PendingFile(pending, NOW + 900))

    images = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]

    removed = {
        image["SK"]["S"]: removed_record({"dynamodb": {"OldImage": image}}) for image in images
    }
    assert removed == {
        f"FILE#{file.id}": RemovedFile("acme", file),
        f"PURPOSE#assistants#{file.id}": RemovedFile("acme", file),
        f"PENDING#{pending.id}": RemovedPendingFile("acme", pending),
    }


def test_an_item_has_the_public_object_and_the_expiry(
    records: DynamoFileRecords, stack: Stack
) -> None:
    file = a_file(purpose="batch", expires_at=NOW + 60)

    records.add("acme", file)

    items = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    common = {
        "PK": {"S": "acme"},
        "public": {"S": file.public_json()},
        "expires_at": {"N": str(NOW + 60)},
    }
    assert sorted(items, key=lambda item: item["SK"]["S"]) == [
        common | {"SK": {"S": f"FILE#{file.id}"}},
        common | {"SK": {"S": f"PURPOSE#batch#{file.id}"}},
    ]
    assert json.loads(file.public_json()) == file.public()


class Script:
    """A client with prepared answers to racing deletions."""

    def __init__(self) -> None:
        self.client = botocore.session.Session().create_client(
            "dynamodb",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self._stubber = Stubber(self.client)
        self._stubber.activate()

    def cancels(self, *codes: str) -> None:
        """The transaction is cancelled, for these reasons of its two items."""
        self._stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
        )

    def commits(self) -> None:
        """The transaction goes through."""
        self._stubber.add_response("transact_write_items", {})

    def assert_used_up(self) -> None:
        """Fails if a prepared answer was not asked for."""
        self._stubber.assert_no_pending_responses()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the code waited, without the waiting."""
    waits: list[float] = []
    monkeypatch.setattr("files_api.aws.table.time.sleep", waits.append)
    return waits


def delete(script: Script) -> bool:
    return DynamoFileRecords(script.client, FILES_TABLE).delete("acme", a_file())  # type: ignore[arg-type]


def test_a_deletion_in_conflict_is_retried_and_may_win(script: Script, waits: list[float]) -> None:
    script.cancels("TransactionConflict", "None")
    script.cancels("None", "TransactionConflict")
    script.commits()

    assert delete(script)
    script.assert_used_up()


def test_a_deletion_in_conflict_is_retried_and_may_lose(script: Script, waits: list[float]) -> None:
    script.cancels("TransactionConflict", "TransactionConflict")
    script.cancels("ConditionalCheckFailed", "None")

    assert not delete(script)
    script.assert_used_up()


def test_a_deletion_gives_up_after_six_quick_attempts(script: Script, waits: list[float]) -> None:
    for _ in range(6):
        script.cancels("TransactionConflict", "None")

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        delete(script)

    script.assert_used_up()
    assert len(waits) == 5
    assert sum(waits) < 1


def test_a_deletion_that_fails_otherwise_is_not_retried(script: Script, waits: list[float]) -> None:
    script.cancels("ThrottlingError", "None")

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        delete(script)

    script.assert_used_up()
    assert waits == []
