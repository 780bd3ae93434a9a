from collections.abc import Callable, Iterator
from typing import Any

import pytest

from files_api import composition
from tests.functions import samples, upload_samples
from tests.functions.crashes import Aws
from tests.support import functions, moto_stack
from tests.support.clients import CLIENTS

type Handler = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """AWS is moto, in this process: nothing here may reach for the network."""


@pytest.fixture(scope="session")
def sampled() -> moto_stack.Contents:
    """The files, uploads and keys that `events/` speaks of."""
    with pytest.MonkeyPatch.context() as monkeypatch, moto_stack.stack(monkeypatch) as made:
        samples.store_files(made)
        samples.store_keys(made)
        upload_samples.store_uploads(made)
        return made.contents()


@pytest.fixture
def stack(
    sampled: moto_stack.Contents, monkeypatch: pytest.MonkeyPatch
) -> Iterator[moto_stack.Stack]:
    """The template's stores with all that `events/` speaks of."""
    with moto_stack.stack(monkeypatch) as made:
        made.restore(sampled)
        yield made


@pytest.fixture
def invoke(stack: moto_stack.Stack, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """Calls a function with an event, in a fresh sandbox with just the template's variables."""

    monkeypatch.setattr(composition, "client", CLIENTS)

    def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
        for name, value in moto_stack.environment(function).items():
            monkeypatch.setenv(name, value)
        answer: dict[str, Any] = functions.load_app(function).lambda_handler(event, None)
        return answer

    return call


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A stack without files, and what AWS would tell its functions."""
    with moto_stack.stack(monkeypatch) as made:
        yield Aws(made, monkeypatch)
