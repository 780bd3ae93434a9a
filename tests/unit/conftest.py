import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from files_api.observability import logger
from tests.support import moto_stack


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """A unit has no network."""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[moto_stack.Stack]:
    """The template's stores, empty, in moto."""
    with moto_stack.stack(monkeypatch) as made:
        yield made


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the code logs meanwhile, line by line."""
    stream = io.StringIO()
    handler = logger().registered_handler
    usual = handler.setStream(stream)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(usual)  # type: ignore[attr-defined]
