"""The ratios as plots in SVG. The same figures always make the same file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.calls import PAGES, SIZES, name
from benchmarks.figures import Table

_SETTINGS: Final[Any] = {"svg.hashsalt": "files-api", "svg.fonttype": "none", "font.size": 9}


def write(tables: Mapping[str, Table], folder: Path) -> None:
    """Writes a plot of init, of calls and of lists."""
    folder.mkdir(exist_ok=True)
    with mpl.rc_context(_SETTINGS):
        for what, base in (("init", "boto3 with two clients"), ("calls", "the bare calls")):
            figure = _bars(tables[what], f"CPU, ratio to {base}")
            _save(figure, folder / f"{what}.svg")
        _save(_lines(tables["lists"]), folder / "lists.svg")


def _bars(table: Table, what: str) -> Figure:
    """A bar for each ratio, with its quartiles and its limit."""
    figure = Figure(figsize=(7.5, 1 + 0.24 * len(table.rows)), layout="constrained")
    axes = figure.add_subplot(xlabel=what)
    for row in table.rows:
        ratio = table.figure(row, "ratio")
        low, high = ratio.quartiles or (ratio.value, ratio.value)
        axes.barh(row, ratio.value, color="#7fa7d1")
        axes.plot([low, high], [row, row], color="#33557a")
        axes.plot([ratio.limit or 0], [row], marker="|", markersize=10, color="#b03030")
    axes.plot([], [], color="#33557a", label="quartiles")
    axes.plot([], [], marker="|", markersize=10, linestyle="", color="#b03030", label="limit")
    axes.invert_yaxis()
    return figure


def _lines(table: Table) -> Figure:
    """The time of each page over the length of the list."""
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    axes = figure.add_subplot(xlabel="files in the list", ylabel="ms for a page of 100")
    for page in PAGES:
        times = [table.figure(name(size, page), "ms").value for size in SIZES]
        axes.plot(SIZES, times, marker="o", label=page)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    return figure


def _save(figure: Figure, path: Path) -> None:
    figure.legend(loc="outside upper right", ncols=3)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Creator": None, "Date": None})
