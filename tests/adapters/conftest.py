from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.config import Config

from files_api import composition
from tests.support import moto_stack

type Hook = Callable[[Any, str, Callable[..., Any]], None]


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """AWS is moto, in this process."""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[moto_stack.Stack]:
    """The template's stores, empty, in moto."""
    with moto_stack.stack(monkeypatch) as made:
        yield made


class Clients:
    """Takes the place of `composition.client`, and notes what it is asked for.

    Args:
        make: makes a client.

    Attributes:
        made: the clients of each service, by their configuration.
    """

    def __init__(self, make: Callable[[str, Config], Any]) -> None:
        self.made: dict[str, dict[Config, Any]] = {}
        self._make = make

    def __call__(self, service: str, config: Config) -> Any:
        client = self._make(service, config)
        self.made.setdefault(service, {})[config] = client
        return client

    def only(self, service: str) -> Any:
        """The one client of a service."""
        (client,) = self.made[service].values()
        return client


@pytest.fixture
def clients(stack: moto_stack.Stack, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """The clients that `composition` makes in this test."""
    clients = Clients(composition.client)
    monkeypatch.setattr(composition, "client", clients)
    return clients


@pytest.fixture
def s3(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of S3 that is configured as the functions' clients are."""
    for name, value in moto_stack.environment("delete_file").items():
        monkeypatch.setenv(name, value)
    composition.files()
    return clients.only("s3")


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Calls a handler at an event of a client, which other tests share, during this test."""
    with ExitStack() as undo:

        def register(client: Any, event: str, handler: Callable[..., Any]) -> None:
            client.meta.events.register(event, handler)
            undo.callback(client.meta.events.unregister, event, handler)

        yield register
