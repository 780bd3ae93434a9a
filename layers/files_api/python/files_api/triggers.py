"""Functions that no caller waits for: started by a storage event, the table's stream or a queue."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from files_api.endpoint import Endpoint
from files_api.observability import logger
from files_api.records import Removed, removed_file

type Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RemovedUpload:
    """An upload's item that was in the table, or that of one of its parts."""

    project: str
    upload_id: str
    part_id: str | None = None


class Trigger[Service, Item](Endpoint[Service]):
    """One function that events start. What it raises makes Lambda try again.

    Args:
        compose: makes the service that the function works with; called once, at `start`.
        read: reads what the function wants to know from an event, or from a record of a batch.
    """

    def __init__(self, compose: Callable[[], Service], read: Callable[[Event], Item]) -> None:
        super().__init__(compose)
        self._read = read

    def single(self, function: Callable[[Service, Item], None]) -> Callable[..., None]:
        """Calls the function with each event."""
        self._function, self._handle = function, self._one
        return function

    def batch(self, function: Callable[[Service, Item], None]) -> Callable[..., None]:
        """Calls the function with each record of an event; those that fail come again alone."""
        self._function, self._handle = function, self._each
        return function

    def handler(self, event: Event, _context: object) -> dict[str, Any]:
        """The Lambda handler."""
        return self._handle(event)

    def _one(self, event: Event) -> dict[str, Any]:
        self._function(self.start(), self._read(event))
        return {}

    def _each(self, event: Event) -> dict[str, Any]:
        """AWS Lambda, "Implementing partial batch responses": of a queue, and of a stream."""
        failures = []
        for record in event["Records"]:
            try:
                self._function(self.start(), self._read(record))
            except Exception:
                logger().exception("failed, to be tried again")
                failures.append({"itemIdentifier": _identifier(record)})
        return {"batchItemFailures": failures}


def created_blob(event: Event) -> str:
    """The key in an "Object Created" event (Amazon S3, "EventBridge event message structure")."""
    key: str = event["detail"]["object"]["key"]
    return key


def queued_blob(record: Event) -> str:
    """The key in such an event that waited in a queue."""
    return created_blob(json.loads(record["body"]))


def removed_item(record: Event) -> Removed | RemovedUpload:
    """What was removed, of a REMOVE record in the table's stream."""
    image = record["dynamodb"]["OldImage"]
    kind, *ids = image["SK"]["S"].split("#")
    return RemovedUpload(image["PK"]["S"], *ids) if kind == "M" else removed_file(image)


def given_up(event: Event) -> Event:
    """The event that a function failed for good with, of what Lambda says of that.

    AWS Lambda, "Capturing records of Lambda asynchronous invocations".
    """
    payload: Event = event["requestPayload"]
    return payload


def _identifier(record: Event) -> str:
    identifier: str = record.get("messageId") or record["dynamodb"]["SequenceNumber"]
    return identifier
