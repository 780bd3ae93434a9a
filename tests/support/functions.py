"""The functions, as folders and as resources of the template."""

import importlib.util
from functools import cache
from types import ModuleType
from typing import Any, Final

from files_api.api.http import Api
from files_api.api.pages import Pages
from tests.support.template import ROOT, default_stack, source

FOLDERS: Final = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))


class _Resources(dict[str, str]):
    def __missing__(self, folder: str) -> str:
        raise AssertionError(f"template.yaml has no function with CodeUri: functions/{folder}/")


@cache
def resources() -> dict[str, str]:
    """Folder to the name of the function's resource in the template."""
    return _Resources(
        {
            resource["Properties"]["CodeUri"].removeprefix("functions/").rstrip("/"): name
            for name, resource in source()["Resources"].items()
            if resource["Type"] == "AWS::Serverless::Function"
        }
    )


def properties(folder: str) -> dict[str, Any]:
    """What the template makes of a function, by default."""
    return dict(default_stack().resources[resources()[folder]]["Properties"])


def routes(folder: str) -> list[tuple[str, str]]:
    """(method, path) of each call that a function answers."""
    handler = load_app(folder).lambda_handler
    if isinstance(handler, Pages):
        return [("GET", path) for path in handler.routes]
    return (
        [(method, handler.path) for method in handler.methods] if isinstance(handler, Api) else []
    )


def load_app(folder: str) -> ModuleType:
    """A function's `app.py`, imported afresh."""
    path = ROOT / "functions" / folder / "app.py"
    spec = importlib.util.spec_from_file_location(f"functions.{folder}.app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
