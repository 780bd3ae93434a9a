"""The rooms of the shared code, and who may import whom."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.template import ROOT

PACKAGE = ROOT / "layers" / "files_api" / "python" / "files_api"
AWS = {"boto3", "botocore", "s3transfer"}
ROOMS = ("api", "service", "aws")

# What a room must not import: other rooms, and packages.
FORBIDDEN = {
    "service": {
        "files_api.api",
        "files_api.aws",
        "files_api.composition",
        *AWS,
        "multipart",
        "http",
    },
    "api": {"files_api.aws", "files_api.composition", *AWS},
    "aws": {"files_api.api", "files_api.composition"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, as a dotted name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_nothing_it_must_not(room: str) -> None:
    modules = sorted((PACKAGE / room).glob("*.py"))
    wrong = [
        (path.name, name)
        for path in modules
        for name in imports(path)
        for forbidden in FORBIDDEN[room]
        if name == forbidden or name.startswith(f"{forbidden}.")
    ]
    assert wrong == []
    assert len(modules) > 5


def test_every_module_is_in_a_room_or_connects_them() -> None:
    outside = {path.stem for path in PACKAGE.glob("*.py")}
    assert outside == {"__init__", "composition", "invocation", "metrics", "observability"}
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"} == {*ROOMS}


def test_table_alone_knows_how_sort_keys_are_written() -> None:
    pattern = re.compile(r"[\"'{](?:FILE|PURPOSE|PENDING|UPLOAD|PART)#|\.split\(\"#\"\)")
    writers = {path.name for path in PACKAGE.rglob("*.py") if pattern.search(path.read_text())}
    assert writers == {"table.py"}


def test_functions_import_no_sdk() -> None:
    for path in ROOT.glob("functions/*/app.py"):
        packages = {name.partition(".")[0] for name in imports(path)}
        assert packages <= {"pathlib", "typing", "files_api"}, path
