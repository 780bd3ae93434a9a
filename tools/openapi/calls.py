"""The calls of the API, as the functions' modules have them."""

import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from files_api.api.http import Api
from files_api.api.pages import Pages
from files_api.api.parameters import Body, Query
from tools.openapi.template import ROOT


@dataclass(frozen=True)
class Call:
    """A call.

    Attributes:
        function: the folder of its function, and the name of what answers.
        method: in lower case.
        path: with parameters in braces.
        scope: the scope that a key needs; "" for a call without a key.
        module: what the function's module has.
    """

    function: str
    method: str
    path: str
    scope: str
    module: dict[str, Any]

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        text = self.module["__doc__"].partition(": ")[2].partition("\n")[0]
        return str(text[:1].upper() + text[1:])

    @property
    def returns(self) -> Any:
        """The annotation of what it answers."""
        found = self.module[self.function].__annotations__["return"]
        return getattr(found, "__metadata__", (found,))[0]

    @property
    def query(self) -> type[BaseModel] | None:
        """The model of its query string."""
        return next(self._models(Query), None)

    @property
    def body(self) -> list[str]:
        """The names of the models of its body."""
        return [model.__name__ for model in self._models(Body)]

    def _models(self, kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for value in self.module.values():
            if isinstance(value, type) and issubclass(value, kind):
                yield value


def calls() -> list[Call]:
    """All calls with a key, and those of the pages."""
    return [call for path in sorted(ROOT.glob("functions/*/app.py")) for call in _calls(path)]


def _calls(path: Any) -> Iterator[Call]:
    module, name = runpy.run_path(str(path)), path.parent.name
    handler = module["lambda_handler"]
    if isinstance(handler, Api):
        for method in handler.methods:
            yield Call(name, method.lower(), handler.path, handler.scope, module)
    elif isinstance(handler, Pages):
        for route in handler.routes:
            yield Call(name, "get", route, "", module)
