"""What calls cost: their CPU and AWS calls, and the time of a page of lists of any length."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from benchmarks import events, limits, table
from benchmarks.build import Build
from benchmarks.cases import CASES, TYPED, Case
from benchmarks.figures import Figure, Table, ratio

type Measured = Mapping[str, Any]  # what `benchmarks.worker` prints of a case

# In short batches, whatever slows the machine for a while slows both sides of a ratio.
ROUNDS: Final = 41
REQUESTS_A_BATCH: Final = 20
LIST_ROUNDS: Final = 21
LIST_REQUESTS_A_BATCH: Final = 4

PAGE_FILES: Final = 100
SIZES: Final = (100, 1_000, 10_000, 100_000)
# Pages of longer lists are compared to those of this one. A hundred files would be too few: some of
# their pages are shorter than the others.
BASE_FILES: Final = 1_000
PAGES: Final = ("first page", "from the middle", "of one purpose")


def measure(build: Build, url: str, progress: Callable[[str], None]) -> Table:
    """Measures every case, each function in a process of its own, with the same stub of AWS."""
    rows: dict[str, Sequence[Figure]] = {}
    for function, group in groupby(CASES, key=lambda case: case.function):
        cases = list(group)
        progress(f"calls of {function}")
        given = _given(cases, REQUESTS_A_BATCH, ROUNDS, "process_time")
        measured = build.call(function, "worker", url, given)
        rows |= {case.name: row(case, measured[case.name]) for case in cases}
    return Table("call", rows)


def row(case: Case, measured: Measured) -> Sequence[Figure]:
    """The figures of a call."""
    return [
        Figure("µs", statistics.median(measured["handler"]) * 1e6),
        Figure("bare µs", statistics.median(measured["bare"]) * 1e6),
        ratio(measured["handler"], measured["bare"], limits.OTHER_CPU.get(case.name, limits.CPU)),
        Figure("AWS calls", measured["aws_calls"], limit=case.aws_calls, exact=True),
    ]


def joined_text(calls: Table) -> Mapping[str, Sequence[Figure]]:
    """What it buys to join JSON texts to a page, from the measured calls."""
    name = "files as JSON text, not typed attributes (CPU of a list of 100)"
    return {name: [replace(calls.figure(TYPED, "ratio"), limit=None)]}


def name(files: int, page: str) -> str:
    """The name of a page's row."""
    return f"{files:,} files, {page}"


def measure_lists(build: Build, url: str, progress: Callable[[str], None]) -> Table:
    """Measures every page of every list in one process, so that these differ in length alone."""
    progress(f"lists of {', '.join(f'{size:,}' for size in SIZES)} files")
    cases = [_page(files, page) for files in SIZES for page in PAGES]
    given = _given(cases, LIST_REQUESTS_A_BATCH, LIST_ROUNDS, "perf_counter")
    got = build.call("ListFiles", "worker", url, given)
    names = {name(files, page): name(BASE_FILES, page) for files in SIZES for page in PAGES}
    rows = {mine: list_row(got[mine], got[base]) for mine, base in names.items()}
    return Table(f"a page of {PAGE_FILES}", rows)


def list_row(page: Measured, base: Measured) -> Sequence[Figure]:
    """The figures of a page, and their ratio to those of the same page of a shorter list."""
    growth = ratio(page["handler"], base["handler"], limits.LIST_GROWTH)
    return [
        Figure("ms", statistics.median(page["handler"]) * 1e3, ".2f"),
        Figure("bare ms", statistics.median(page["bare"]) * 1e3, ".2f"),
        ratio(page["handler"], page["bare"], limits.LIST_RATIO),
        replace(growth, name=f"to {BASE_FILES:,} files", quartiles=None),
        Figure("Queries", page["aws_calls"], limit=limits.LIST_QUERIES),
        Figure("items read", page["items_read"], limit=limits.LIST_ITEMS),
    ]


def _page(files: int, page: str) -> Case:
    """The call for a page of a project with so many files."""
    event = events.of_project(events.sample("list_files"), f"{files}/notes.pdf")
    parameters = {"limit": str(PAGE_FILES)}
    if page == "from the middle":
        parameters["after"] = table.file_id(files // 2)
    elif page == "of one purpose":
        parameters["purpose"] = table.PURPOSES[0]
    return Case(name(files, page), "ListFiles", events.query(event, **parameters), aws_calls=1)


def _given(cases: Sequence[Case], requests: int, rounds: int, clock: str) -> object:
    """What `benchmarks.worker` reads."""
    return {
        "cases": {case.name: {"event": case.event, "typed": case.typed} for case in cases},
        "requests": requests,
        "rounds": rounds,
        "clock": clock,
    }
