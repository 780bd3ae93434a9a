"""The functions' clients of AWS, made once for all tests: to make one takes longer than a call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

type Handler = Callable[..., Any]


class Clients:
    """Takes the place of `composition.client`; its hooks hold for every client, whenever made."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, Config], Any] = {}
        self._hooks: list[_Hook] = []

    def __call__(self, service: str, config: Config) -> Any:
        if (service, config) not in self._made:
            made = _session().client(service, config=config)
            for hook in self._hooks:
                hook.register(made)
            self._made[service, config] = made
        return self._made[service, config]

    @contextmanager
    def hooked(self, event: str, handler: Handler, *, first: bool = False) -> Iterator[None]:
        """Calls the handler at an event of botocore; if `first`, before all others."""
        hook = _Hook(event, handler, first)
        self._hooks.append(hook)
        for client in self._made.values():
            hook.register(client)
        try:
            yield
        finally:
            self._hooks.remove(hook)
            for client in self._made.values():
                client.meta.events.unregister(event, handler)


@dataclass(frozen=True)
class _Hook:
    event: str
    handler: Handler
    first: bool

    def register(self, client: Any) -> None:
        events = client.meta.events
        (events.register_first if self.first else events.register)(self.event, self.handler)


@cache
def _session() -> Any:
    return boto3.Session()


CLIENTS: Final = Clients()
