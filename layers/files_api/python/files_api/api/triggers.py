"""Functions that no caller waits for: a storage event, a stream, a queue or Lambda starts them."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from files_api.api.function import Event, Function
from files_api.observability import logger

_FAILED = "Record failed and will be retried"


class Item(Protocol):
    """What a record is about."""

    @property
    def key(self) -> str:
        """The key of its blob, or the start of the keys of its blobs."""


class Trigger[Service, Work](Function[Service]):
    """A function that handles one event at a time. If it raises, Lambda tries again.

    Args:
        compose: makes the service that the function uses; called once, by `start`.
        read: reads what the function needs from an event.
    """

    def __init__(self, compose: Callable[[], Service], read: Callable[[Event], Work]) -> None:
        super().__init__(compose)
        self._read = read

    def handles(self, function: Callable[[Service, Work], None]) -> Callable[..., None]:
        """Calls the decorated function with each event."""
        self._function = function
        return function

    def handle(self, event: Event) -> dict[str, Any]:
        self._function(self.start(), self._read(event))
        return {}


class BatchTrigger[Service, Work: Item](Trigger[Service, Work]):
    """A function that handles each record of a batch on its own.

    It reports the records that failed (AWS Lambda, "Implementing partial batch responses"). Of a
    queue, exactly those come again. Of a stream, Lambda repeats everything from the lowest failed
    record on, also the records behind it that succeeded: handling one must be safe to repeat.
    """

    def handle(self, event: Event) -> dict[str, Any]:
        works: dict[str, Work] = {}
        failed = []
        for record in event["Records"]:
            identifier = _identifier(record)
            try:
                works[identifier] = self._read(record)
            except Exception:
                logger().exception(_FAILED, extra={"record_id": identifier})
                failed.append(identifier)
        failed += self._failing(works)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _failing(self, works: dict[str, Work]) -> list[str]:
        """Handles the works, by the identifiers of their records; returns those that failed."""
        failed = []
        for identifier, work in works.items():
            try:
                self._function(self.start(), work)
            except Exception:
                subject = {"record_id": identifier, "blob_key": work.key}
                logger().exception(_FAILED, extra=subject)
                failed.append(identifier)
        return failed


class WholeBatchTrigger[Service, Work: Item](BatchTrigger[Service, Work]):
    """A function that handles all records of a batch together, so that it takes few requests."""

    def handles_all[F: Callable[..., Collection[object]]](self, function: F) -> F:
        """Calls the decorated function with the works of a batch; it returns those that failed.

        If it raises, all have failed.
        """
        self._function_for_all = function
        return function

    def _failing(self, works: dict[str, Work]) -> list[str]:
        if not works:
            return []
        try:
            failed = self._function_for_all(self.start(), list(works.values()))
        except Exception:
            subjects = {"record_ids": [*works], "blob_keys": [each.key for each in works.values()]}
            logger().exception("Batch failed and will be retried", extra=subjects)
            return [*works]
        identifiers = [identifier for identifier, work in works.items() if work in failed]
        for identifier in identifiers:
            subject = {"record_id": identifier, "blob_key": works[identifier].key}
            logger().error(_FAILED, extra=subject)
        return identifiers


def _identifier(record: Event) -> str:
    identifier: str = record.get("messageId") or record["dynamodb"]["SequenceNumber"]
    return identifier
