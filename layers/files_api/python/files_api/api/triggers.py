"""Functions that no caller waits for: a storage event, a stream, a queue or Lambda starts them."""

from collections.abc import Callable
from typing import Any, Protocol

from files_api.api.function import Event, Function
from files_api.observability import logger


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
        return {
            "batchItemFailures": [
                {"itemIdentifier": _identifier(record)}
                for record in event["Records"]
                if not self._succeeds(record)
            ]
        }

    def _succeeds(self, record: Event) -> bool:
        subject = {"record_id": _identifier(record)}
        try:
            work = self._read(record)
            subject["blob_key"] = work.key
            self._function(self.start(), work)
        except Exception:
            logger().exception("Record failed and will be retried", extra=subject)
            return False
        return True


def _identifier(record: Event) -> str:
    identifier: str = record.get("messageId") or record["dynamodb"]["SequenceNumber"]
    return identifier
