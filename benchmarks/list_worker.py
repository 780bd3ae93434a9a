"""Measures every page of every list: seconds of the handler, and of its bare Query, in turns.

Runs like `benchmarks.worker`, but measures everything in one process, so that lists differ only in
their length.

Usage: python -m benchmarks.list_worker
Prints the figures as JSON on the last line of stdout.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3

from benchmarks.lists import CALLS_A_ROUND, PAGES, ROUNDS, SIZES, case
from benchmarks.worker import Call, bare_of, recorded
from files_api.api.entry import lambda_handler


class _Page:
    """One page, requested through the handler and through boto3.

    Args:
        files: how many files the list has.
        page: one of `lists.PAGES`.
    """

    def __init__(self, files: int, page: str) -> None:
        self._event = case(files, page).event
        self._calls = recorded(case(files, page))
        self._bare = bare_of(self._calls, typed=False)
        self.figures: dict[str, Any] = {
            "handler": [],
            "bare": [],
            "queries": len(self._calls),
            "items_read": sum(map(_items_read, self._calls)),
        }

    def round(self, number: int) -> None:
        """Some calls on each side, which take turns at being first."""
        turns = [("handler", self._handler), ("bare", self._bare)]
        for name, function in turns if number % 2 else reversed(turns):
            self.figures[name].append(_seconds(function))

    def _handler(self) -> None:
        lambda_handler(self._event, None)


def _items_read(call: Call) -> int:
    """The number of items that the table reads for a Query."""
    _, method, parameters = call
    connect: Callable[..., Any] = vars(boto3)["client"]  # its type lists every service
    read: int = getattr(connect("dynamodb"), method)(**parameters)["ScannedCount"]
    return read


def _seconds(function: Callable[[], object]) -> float:
    """Seconds per call."""
    start = time.perf_counter()
    for _ in range(CALLS_A_ROUND):
        function()
    return (time.perf_counter() - start) / CALLS_A_ROUND


def measure() -> dict[str, Any]:
    """The figures of every page, by its name."""
    pages = {case(files, page).name: _Page(files, page) for files in SIZES for page in PAGES}
    for number in range(ROUNDS + 1):
        for page in pages.values():
            page.round(number)
            if not number:  # the first round only warms up
                page.figures |= {"handler": [], "bare": []}
    return {name: page.figures for name, page in pages.items()}


if __name__ == "__main__":
    print(json.dumps(measure()))
