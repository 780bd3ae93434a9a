"""Functions that no caller waits for: their events, their batches, their failures."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from files_api.api.function import Event
from files_api.api.triggers import BatchTrigger, Trigger, WholeBatchTrigger

type Log = Callable[[], list[dict[str, Any]]]

CONTEXT = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")


@dataclass(frozen=True)
class Work:
    """What a record is about.

    Attributes:
        number: which record.
    """

    number: int

    @property
    def key(self) -> str:
        return f"files/acme/{self.number}"


def read(event: Event) -> Work:
    return Work(int(event["body"]))


def record(number: int) -> dict[str, Any]:
    """A record of a queue."""
    return {"messageId": f"message-{number}", "body": str(number)}


def stream_record(number: int) -> dict[str, Any]:
    """A record of a table's stream."""
    return {"eventID": "e", "dynamodb": {"SequenceNumber": f"{number}"}, "body": str(number)}


class Handler:
    """What a trigger calls.

    Attributes:
        numbers: of the events it was called with, in order.
    """

    def __init__(self, *failing: int) -> None:
        self.numbers: list[int] = []
        self._failing = failing

    def __call__(self, service: str, work: Work) -> None:
        assert service == "the service"
        self.numbers.append(work.number)
        if work.number in self._failing:
            raise ConnectionError(work.number)


def single(handler: Handler) -> Trigger[str, Work]:
    """A trigger that calls the handler with each event."""
    trigger = Trigger(lambda: "the service", read)
    assert trigger.handles(handler) is handler
    return trigger


def batch(handler: Handler) -> BatchTrigger[str, Work]:
    """A trigger that calls the handler with each record of a batch."""
    trigger = BatchTrigger(lambda: "the service", read)
    assert trigger.handles(handler) is handler
    return trigger


def test_event_is_read_and_handled() -> None:
    handler = Handler()

    assert single(handler)({"body": "7"}, None) == {}
    assert handler.numbers == [7]


def test_failed_event_is_raised_so_that_lambda_retries_it() -> None:
    handler = Handler(7)

    with pytest.raises(ConnectionError):
        single(handler)({"body": "7"}, None)

    assert handler.numbers == [7]


def test_every_record_of_a_batch_is_handled(logged: Log) -> None:
    handler = Handler()

    answer = batch(handler)({"Records": [record(n) for n in range(3)]}, None)

    assert answer == {"batchItemFailures": []}
    assert handler.numbers == [0, 1, 2]
    assert logged() == []


@pytest.mark.parametrize(
    ("make", "prefix"), [(record, "message-"), (stream_record, "")], ids=["queue", "stream"]
)
def test_failed_records_are_reported_and_the_others_handled(
    make: Callable[[int], dict[str, Any]], prefix: str, logged: Log
) -> None:
    handler = Handler(1, 3)

    answer = batch(handler)({"Records": [make(n) for n in range(5)]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": f"{prefix}{n}"} for n in (1, 3)]}
    assert handler.numbers == [0, 1, 2, 3, 4]
    for line, number in zip(logged(), (1, 3), strict=True):
        assert (
            line.items()
            >= {
                "level": "ERROR",
                "message": "Record failed and will be retried",
                "exception_name": "ConnectionError",
                "record_id": f"{prefix}{number}",
                "blob_key": f"files/acme/{number}",
                "function_request_id": CONTEXT.aws_request_id,
            }.items()
        )


def test_whole_batch_is_handled_at_once_and_failures_reported(logged: Log) -> None:
    trigger = WholeBatchTrigger(lambda: "the service", read)
    calls: list[list[int]] = []

    @trigger.handles_all
    def handle(service: str, works: list[Work]) -> set[Work]:
        assert service == "the service"
        calls.append([work.number for work in works])
        return {works[1]}

    unreadable = stream_record(7) | {"body": "not a number"}

    answer = trigger({"Records": [*map(stream_record, range(3)), unreadable]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}, {"itemIdentifier": "1"}]}
    assert calls == [[0, 1, 2]]
    assert [line["record_id"] for line in logged()] == ["7", "1"]
    assert logged()[1]["blob_key"] == "files/acme/1"


def test_whole_batch_fails_together_and_names_its_records(logged: Log) -> None:
    trigger = WholeBatchTrigger(lambda: "the service", read)

    @trigger.handles_all
    def handle(service: str, works: list[Work]) -> set[Work]:
        raise ConnectionError

    answer = trigger({"Records": [*map(stream_record, range(2))]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]}
    (line,) = logged()
    assert line["message"] == "Batch failed and will be retried"
    assert line["exception_name"] == "ConnectionError"
    assert line["record_ids"] == ["0", "1"]
    assert line["blob_keys"] == ["files/acme/0", "files/acme/1"]


def test_batch_of_unreadable_records_calls_nothing() -> None:
    trigger = WholeBatchTrigger(lambda: "the service", read)
    trigger.handles_all(lambda *_: pytest.fail("called"))

    answer = trigger({"Records": [stream_record(1) | {"body": "x"}]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_unreadable_record_fails_alone(logged: Log) -> None:
    handler = Handler()
    unreadable = record(1) | {"body": "not a number"}

    answer = batch(handler)({"Records": [record(0), unreadable, record(2)]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert handler.numbers == [0, 2]
    (line,) = logged()
    assert (line["record_id"], line["exception_name"]) == ("message-1", "ValueError")
    assert "blob_key" not in line


def test_batch_whose_service_cannot_be_made_is_retried(logged: Log) -> None:
    def compose() -> str:
        raise KeyError("FILES_TABLE")

    trigger = BatchTrigger(compose, read)
    trigger.handles(Handler())

    assert trigger({"Records": [record(n) for n in range(2)]}, None) == {
        "batchItemFailures": [{"itemIdentifier": f"message-{n}"} for n in range(2)]
    }
    assert [line["record_id"] for line in logged()] == ["message-0", "message-1"]


def test_service_is_made_once_when_first_needed() -> None:
    made: list[object] = []

    def compose() -> object:
        made.append(object())
        return made[-1]

    trigger = Trigger(compose, read)
    used: list[object] = []
    trigger.handles(lambda service, _: used.append(service))
    assert made == []

    for _ in range(2):
        trigger({"body": "1"}, None)

    assert trigger.start() is made[0]
    assert len(made) == 1
    assert used == made * 2
