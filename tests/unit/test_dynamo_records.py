"""What `DynamoRecords` promises beyond every `Records`: what a page costs, and racing removals."""

import json

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from files_api.model import Pending
from files_api.ports import Query
from files_api.records import DynamoRecords, Removed, removed_file
from tests.integration.samples import FILES_TABLE
from tests.moto_stack import Stack
from tests.unit.samples import NOW, a_file

LARGE = "x" * 100_000  # a name that no caller gets past the door makes an item of 100 KB


class Requests:
    """The requests that a client sends, each by its operation's name."""

    def __init__(self, stack: Stack) -> None:
        self.sent: list[str] = []
        stack.dynamodb.meta.events.register("request-created.dynamodb", self._count)

    def _count(self, operation_name: str, **_: object) -> None:
        self.sent.append(operation_name)


@pytest.fixture
def requests(stack: Stack) -> Requests:
    return Requests(stack)


@pytest.fixture
def records(stack: Stack) -> DynamoRecords:
    return DynamoRecords(stack.dynamodb, FILES_TABLE)


def query(limit: int, purpose: str | None = None, after: str | None = None) -> Query:
    return Query("acme", purpose, limit, True, after, NOW)


@pytest.mark.parametrize("purpose", [None, "assistants"])
@pytest.mark.parametrize("limit", [1, 5, 6, 100])
def test_a_page_costs_one_query(
    records: DynamoRecords, requests: Requests, limit: int, purpose: str | None
) -> None:
    files = [a_file(age=age) for age in range(5)]
    for file in files:
        records.add("acme", file)
    docs = [file.doc() for file in files]
    requests.sent.clear()

    assert records.docs(query(limit, purpose)) == docs[:limit]
    assert requests.sent == ["Query"]
    requests.sent.clear()

    assert records.docs(query(limit, purpose, after=files[1].id)) == docs[2 : 2 + limit]
    assert requests.sent == ["Query"]


def test_an_empty_page_costs_one_query(records: DynamoRecords, requests: Requests) -> None:
    assert records.docs(query(100)) == []
    assert requests.sent == ["Query"]


def test_a_page_costs_one_query_for_each_megabyte(
    records: DynamoRecords, requests: Requests
) -> None:
    files = [a_file(age=age, filename=LARGE) for age in range(25)]
    for file in files:
        records.add("acme", file)
    requests.sent.clear()

    assert records.docs(query(25)) == [file.doc() for file in files]
    assert requests.sent == ["Query"] * 3
    requests.sent.clear()

    assert records.docs(query(12)) == [file.doc() for file in files[:12]]
    assert requests.sent == ["Query"] * 2


def test_a_run_of_expired_files_is_crossed_in_longer_and_longer_strides(
    records: DynamoRecords, requests: Requests
) -> None:
    for age in range(60):
        records.add("acme", a_file(age=age, expires_at=NOW - 1))
    live = [a_file(age=100 + age) for age in range(3)]
    for file in live:
        records.add("acme", file)
    requests.sent.clear()

    assert records.docs(query(2)) == [file.doc() for file in live[:2]]
    assert requests.sent == ["Query"] * 4  # of 2, 8, 32 and 128 items


def test_each_call_but_a_list_costs_one_request(records: DynamoRecords, requests: Requests) -> None:
    file = a_file()

    records.add("acme", file)
    records.get("acme", file.id)
    records.remove("acme", file)

    assert requests.sent == ["TransactWriteItems", "GetItem", "TransactWriteItems"]


def test_each_call_on_a_promise_costs_one_request(
    records: DynamoRecords, requests: Requests
) -> None:
    kept, dropped = a_file(direct=True), a_file(direct=True)

    records.promise("acme", Pending(kept, NOW))
    records.pending("acme", kept.id)
    records.keep("acme", kept)
    records.promise("acme", Pending(dropped, NOW))
    records.drop("acme", dropped.id)

    assert requests.sent == ["PutItem", "GetItem", *["TransactWriteItems", "PutItem"] * 2][:-1]


def test_a_promise_expires_by_itself_and_not_with_its_file(
    records: DynamoRecords, stack: Stack
) -> None:
    file = a_file(direct=True, status="pending", expires_at=NOW + 60)

    records.promise("acme", Pending(file, NOW + 900))

    assert stack.dynamodb.scan(TableName=FILES_TABLE)["Items"] == [
        {
            "PK": {"S": "acme"},
            "SK": {"S": f"U#{file.id}"},
            "doc": {"S": file.doc()},
            "expires_at": {"N": str(NOW + 900)},
            "is_direct": {"BOOL": True},
        }
    ]


@pytest.mark.parametrize("left", ["F#{}", "P#assistants#{}"])
def test_the_rest_of_a_record_goes_whichever_part_is_left(
    records: DynamoRecords, stack: Stack, left: str
) -> None:
    file = a_file(direct=True)
    records.add("acme", file)
    for item in stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]:
        if item["SK"]["S"] != left.format(file.id):
            key = {"PK": item["PK"], "SK": item["SK"]}
            stack.dynamodb.delete_item(TableName=FILES_TABLE, Key=key)

    records.remove_rest("acme", file)

    assert stack.dynamodb.scan(TableName=FILES_TABLE)["Items"] == []


@pytest.mark.parametrize("direct", [False, True])
def test_the_stream_tells_what_an_item_was(
    records: DynamoRecords, stack: Stack, direct: bool
) -> None:
    file, coming = a_file(direct=direct, expires_at=NOW + 60), a_file(direct=True, status="pending")
    records.add("acme", file)
    records.promise("acme", Pending(coming, NOW + 900))

    images = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]

    told = {image["SK"]["S"]: removed_file(image) for image in images}
    assert told == {
        f"F#{file.id}": Removed("acme", file, promised=False),
        f"P#assistants#{file.id}": Removed("acme", file, promised=False),
        f"U#{coming.id}": Removed("acme", coming, promised=True),
    }


def test_an_item_carries_the_public_object_and_when_it_expires(
    records: DynamoRecords, stack: Stack
) -> None:
    file = a_file(purpose="batch", expires_at=NOW + 60)

    records.add("acme", file)

    items = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    common = {"PK": {"S": "acme"}, "doc": {"S": file.doc()}, "expires_at": {"N": str(NOW + 60)}}
    assert sorted(items, key=lambda item: item["SK"]["S"]) == [
        common | {"SK": {"S": f"F#{file.id}"}},
        common | {"SK": {"S": f"P#batch#{file.id}"}},
    ]
    assert json.loads(file.doc()) == file.public()


class Script:
    """A client whose answers to racing removals are written down beforehand."""

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

    def was_followed(self) -> bool:
        """Whether all that was written down has been asked for."""
        self._stubber.assert_no_pending_responses()
        return True


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the code waited, without the waiting."""
    waits: list[float] = []
    monkeypatch.setattr("files_api.table.time.sleep", waits.append)
    return waits


def remove(script: Script) -> bool:
    return DynamoRecords(script.client, FILES_TABLE).remove("acme", a_file())  # type: ignore[arg-type]


def test_a_removal_that_meets_another_looks_again_and_may_win(
    script: Script, waits: list[float]
) -> None:
    script.cancels("TransactionConflict", "None")
    script.cancels("None", "TransactionConflict")
    script.commits()

    assert remove(script)
    assert script.was_followed()


def test_a_removal_that_meets_another_looks_again_and_may_lose(
    script: Script, waits: list[float]
) -> None:
    script.cancels("TransactionConflict", "TransactionConflict")
    script.cancels("ConditionalCheckFailed", "None")

    assert not remove(script)
    assert script.was_followed()


def test_a_removal_gives_up_after_six_conflicts_having_waited_less_than_a_second(
    script: Script, waits: list[float]
) -> None:
    for _ in range(6):
        script.cancels("TransactionConflict", "None")

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        remove(script)

    assert script.was_followed()
    assert len(waits) == 5
    assert sum(waits) < 1


def test_a_removal_that_fails_for_another_reason_is_not_repeated(
    script: Script, waits: list[float]
) -> None:
    script.cancels("ThrottlingError", "None")

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        remove(script)

    assert script.was_followed()
    assert waits == []
