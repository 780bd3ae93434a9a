"""How long a page of a list takes, depending on the length of the list."""

import json
import os
import statistics
import sys
from collections.abc import Callable
from typing import Any, Final

from benchmarks import events, partition
from benchmarks.build import Build
from benchmarks.cases import Case
from benchmarks.figures import Listed, Ratio
from benchmarks.processes import ROOT, Deadline, serving

ROUNDS: Final = 21
CALLS_A_ROUND: Final = 4
PAGE_FILES: Final = 100
SIZES: Final = (100, 1_000, 10_000, 100_000)
# Pages of longer lists are compared to those of this one. A hundred files would be too few: some of
# their pages are shorter than the others.
BASE_FILES: Final = 1_000
PAGES: Final = ("first page", "from the middle", "of one purpose")


def case(files: int, page: str) -> Case:
    """The call for a page of a project with so many files."""
    query = {"limit": str(PAGE_FILES)}
    if page == "from the middle":
        query["after"] = partition.file_id(files // 2)
    elif page == "of one purpose":
        query["purpose"] = partition.PURPOSES[0]
    event = events.call("GET", "/v1/files", query=query)
    event["requestContext"]["authorizer"]["project"] = partition.project(files)
    return Case(name(files, page), "ListFiles", event)


def name(files: int, page: str) -> str:
    """The name of a figure."""
    return f"{files:,} files, {page}"


def measure(build: Build, deadline: Deadline, progress: Callable[[str], None]) -> list[Listed]:
    """Measures every page of every list, round after round."""
    progress(f"lists of {', '.join(f'{size:,}' for size in SIZES)} files")
    path = os.pathsep.join([str(ROOT), str(build.layer("SharedLayer") / "python")])
    table = [sys.executable, "-m", "benchmarks.partition"]
    with serving(table, {"PYTHONPATH": path}, deadline) as port:
        environment = build.environment("ListFiles") | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "BOTO_DISABLE_CRT": "true",
            "PYTHONPATH": os.pathsep.join([*build.path("ListFiles"), str(ROOT)]),
        }
        output = deadline.run([sys.executable, "-m", "benchmarks.list_worker"], environment)
    measured = json.loads(output.splitlines()[-1])
    return [_listed(measured, files, page) for files in SIZES for page in PAGES]


def _listed(measured: dict[str, Any], files: int, page: str) -> Listed:
    mine, base = measured[name(files, page)], measured[name(BASE_FILES, page)]
    return Listed(
        name(files, page),
        statistics.median(mine["handler"]) * 1e3,
        statistics.median(mine["bare"]) * 1e3,
        Ratio.of(mine["handler"], mine["bare"]),
        Ratio.of(mine["handler"], base["handler"]).median,
        mine["queries"],
        mine["items_read"],
    )
