"""How much memory a function uses at most, and how large the layers are."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks import limits
from benchmarks.build import Build
from benchmarks.cases import CASES, LARGEST
from benchmarks.events import succeeded
from benchmarks.figures import Figure, Table
from benchmarks.processes import Failed

CALLS: Final = 3
# If all events of a function are small: the last of those whose CPU is measured.
EVENTS: Final = {case.function: (case.name, case.event) for case in CASES} | dict(LARGEST)


def measure(build: Build, url: str, progress: Callable[[str], None]) -> Table:
    """Measures every function, each in a process of its own, with the same stub of AWS."""
    rows = {}
    for function in build.functions:
        description, event = EVENTS[function]
        progress(f"memory of {function}")
        measured = build.call(function, "peak", url, {"event": event, "calls": CALLS})
        if not succeeded(measured["answer"]):
            raise Failed(f"{function}: {measured['answer']}")
        rows[f"{function}, {description}"] = row(measured["peak"], build.memory(function))
    return Table("function, called with", rows)


def row(peak: int, memory: int) -> Sequence[Figure]:
    """The figures of a function: the bytes that it needs and has."""
    return [
        Figure("MiB", peak / 1024**2),
        Figure("of MiB", memory / 1024**2),
        Figure("share", peak / memory, ".0%", limits.MEMORY_SHARE),
    ]


def sizes(build: Build) -> Table:
    """Measures every layer, as uploaded and as mounted."""
    return Table("layer", {name: _size(build.layer(name)) for name in build.layers})


def _size(folder: Path) -> Sequence[Figure]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in sorted(folder.rglob("*")):
            opened.write(path, path.relative_to(folder))
        unzipped = sum(each.file_size for each in opened.infolist())
    return [
        Figure("zipped MB", len(archive.getvalue()) / 1e6, ".2f"),
        Figure("unzipped MB", unzipped / 1e6, ".2f"),
    ]
