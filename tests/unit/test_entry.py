import gc
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest


class StubApp(ModuleType):
    """A function's `app`, as Lambda finds it."""

    def __init__(self) -> None:
        super().__init__("app")
        self.started_while_collecting: list[bool] = []
        self.api = self

    def start(self) -> None:
        self.started_while_collecting.append(gc.isenabled())

    def lambda_handler(self, event: Any, _context: object) -> dict[str, Any]:
        return {"answer to": event}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApp]:
    stub = StubApp()
    monkeypatch.setitem(sys.modules, "app", stub)
    monkeypatch.delitem(sys.modules, "files_api.entry", raising=False)
    yield stub
    sys.modules.pop("files_api.entry", None)
    gc.unfreeze()
    gc.enable()


def test_lambda_gets_the_functions_handler_made_ready(app: StubApp) -> None:
    entry = importlib.import_module("files_api.entry")

    assert entry.lambda_handler({"a": 1}, None) == {"answer to": {"a": 1}}
    assert app.started_while_collecting == [False]


def test_the_collector_runs_again_and_passes_over_what_was_made(app: StubApp) -> None:
    importlib.import_module("files_api.entry")

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
