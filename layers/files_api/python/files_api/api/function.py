"""A Lambda function: called with events, with a service that is made once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from files_api import invocation

type Event = Mapping[str, Any]


class Function[Service](ABC):
    """A Lambda function, whatever its events are.

    Args:
        compose: makes the service that the function uses; called once, by `start`.
    """

    def __init__(self, compose: Callable[[], Service]) -> None:
        self._compose = compose
        self._service: Service | None = None

    def start(self) -> Service:
        """The service; the first call composes it."""
        if self._service is None:
            self._service = self._compose()
        return self._service

    def __call__(self, event: Event, context: Any) -> dict[str, Any]:
        """The Lambda handler."""
        invocation.begin(context)
        return self.handle(event)

    @abstractmethod
    def handle(self, event: Event) -> dict[str, Any]:
        """What the function answers to an event."""
