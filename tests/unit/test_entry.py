"""The entry: the handler that Lambda starts, made ready before the first call."""

import gc
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest


class StubFunction:
    """A function's handler.

    Attributes:
        started_while_collecting: at each start, whether the garbage collector was on.
    """

    def __init__(self) -> None:
        self.started_while_collecting: list[bool] = []

    def start(self) -> None:
        self.started_while_collecting.append(gc.isenabled())

    def __call__(self, event: Any, _context: object) -> dict[str, Any]:
        return {"answer to": event}


class StubApp(ModuleType):
    """A function's `app`, as Lambda finds it."""

    def __init__(self) -> None:
        super().__init__("app")
        self.lambda_handler = StubFunction()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApp]:
    stub = StubApp()
    monkeypatch.setitem(sys.modules, "app", stub)
    monkeypatch.delitem(sys.modules, "files_api.api.entry", raising=False)
    yield stub
    sys.modules.pop("files_api.api.entry", None)
    gc.unfreeze()
    gc.enable()


def test_entry_starts_the_handler_while_the_collector_is_off(app: StubApp) -> None:
    entry = importlib.import_module("files_api.api.entry")

    assert entry.lambda_handler({"a": 1}, None) == {"answer to": {"a": 1}}
    assert app.lambda_handler.started_while_collecting == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0  # the collector skips what was made so far
