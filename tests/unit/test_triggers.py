"""From an event that no caller waits for to what is due, and what becomes of failures."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from files_api.model import File
from files_api.records import Removed
from files_api.triggers import Event, Trigger, created_blob, queued_blob, removed_item
from tests.unit.samples import NOW

type Log = Callable[[], list[dict[str, Any]]]

KEY = "direct/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c01"


def record(number: int) -> dict[str, Any]:
    """A record of a queue."""
    return {"messageId": f"message-{number}", "body": str(number)}


def stream_record(number: int) -> dict[str, Any]:
    """A record of a table's stream."""
    return {"eventID": "e", "dynamodb": {"SequenceNumber": f"{number}"}, "body": str(number)}


def number(event: Event) -> int:
    return int(event["body"])


class Done:
    """A trigger, and what has been done by it.

    Attributes:
        numbers: of the events, in order.
    """

    def __init__(self, failing: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.numbers: list[int] = []
        self.failing = failing
        self.trigger: Trigger[str, int] = Trigger(lambda: "the service", number)

    def __call__(self, service: str, number: int) -> None:
        assert service == "the service"
        self.numbers.append(number)
        if number in self.failing:
            raise ConnectionError(number)


def test_a_single_event_is_read_and_dealt_with() -> None:
    done = Done()
    assert done.trigger.single(done) is done

    assert done.trigger.handler({"body": "7"}, None) == {}
    assert done.numbers == [7]


def test_a_single_event_that_fails_is_raised_so_that_it_comes_again() -> None:
    done = Done(failing={7})
    done.trigger.single(done)

    with pytest.raises(ConnectionError):
        done.trigger.handler({"body": "7"}, None)


def test_every_record_of_a_batch_is_dealt_with() -> None:
    done = Done()
    assert done.trigger.batch(done) is done

    answer = done.trigger.handler({"Records": [record(n) for n in range(3)]}, None)

    assert answer == {"batchItemFailures": []}
    assert done.numbers == [0, 1, 2]


@pytest.mark.parametrize("make", [record, stream_record])
def test_just_the_records_that_fail_come_again_and_the_others_are_dealt_with(
    make: Callable[[int], dict[str, Any]], logged: Log
) -> None:
    done = Done(failing={1, 3})
    done.trigger.batch(done)

    answer = done.trigger.handler({"Records": [make(n) for n in range(5)]}, None)

    prefix = "message-" if make is record else ""
    assert answer == {
        "batchItemFailures": [{"itemIdentifier": f"{prefix}{n}"} for n in (1, 3)],
    }
    assert done.numbers == [0, 1, 2, 3, 4]
    assert [(line["level"], line["exception_name"]) for line in logged()] == [
        ("ERROR", "ConnectionError")
    ] * 2


def test_a_record_that_cannot_be_read_fails_alone(logged: Log) -> None:
    done = Done()
    done.trigger.batch(done)
    broken = record(1) | {"body": "no number"}

    answer = done.trigger.handler({"Records": [record(0), broken, record(2)]}, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert done.numbers == [0, 2]
    assert len(logged()) == 1


def test_a_batch_whose_service_cannot_be_made_comes_again_whole(logged: Log) -> None:
    def compose() -> str:
        raise KeyError("FILES_TABLE")

    trigger: Trigger[str, int] = Trigger(compose, number)
    trigger.batch(lambda *_: None)

    assert trigger.handler({"Records": [record(n) for n in range(2)]}, None) == {
        "batchItemFailures": [{"itemIdentifier": f"message-{n}"} for n in range(2)]
    }
    assert len(logged()) == 2


def test_a_service_is_made_once_and_not_before_it_is_needed() -> None:
    made: list[object] = []

    def compose() -> object:
        made.append(object())
        return made[-1]

    trigger: Trigger[object, int] = Trigger(compose, number)
    trigger.single(lambda *_: None)
    assert made == []

    for _ in range(2):
        trigger.handler({"body": "1"}, None)

    assert trigger.start() is made[0]
    assert len(made) == 1


# --- Reading --------------------------------------------------------------------------------------


def storage_event() -> dict[str, Any]:
    return {"detail-type": "Object Created", "detail": {"object": {"key": KEY, "size": 3}}}


def test_a_storage_event_tells_the_key() -> None:
    assert created_blob(storage_event()) == KEY
    assert queued_blob({"messageId": "1", "body": json.dumps(storage_event())}) == KEY


@pytest.mark.parametrize(
    ("sort_key", "promised", "marks"),
    [
        ("F#1", False, {}),
        ("P#batch#1", False, {"is_direct": {"BOOL": True}}),
        ("U#1", True, {"is_direct": {"BOOL": True}, "expires_at": {"N": "1"}}),
    ],
)
def test_a_record_of_the_stream_tells_the_file(
    sort_key: str, promised: bool, marks: dict[str, Any]
) -> None:
    file = File("1", 3, NOW, "é.txt", "batch", expires_at=NOW + 60, direct=bool(marks))
    image = {"PK": {"S": "acme"}, "SK": {"S": sort_key}, "doc": {"S": file.doc()}, **marks}

    told = removed_item({"eventName": "REMOVE", "dynamodb": {"OldImage": image}})

    assert told == Removed("acme", file, promised)
