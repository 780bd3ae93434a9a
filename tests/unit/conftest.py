from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.fakes.world import World

if TYPE_CHECKING:
    from tests.support import moto_stack


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """A unit has no network."""


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> "Iterator[moto_stack.Stack]":
    """The template's stores, empty, in moto."""
    from tests.support import moto_stack  # takes seconds, for few tests

    with moto_stack.stack(monkeypatch) as made:
        yield made
