"""The figures as a page for people, a file for programs, and plots."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import botocore

from benchmarks import calls, memory, plots, startup
from benchmarks.figures import Table

_PAGE: Final = Path(__file__).with_name("page.md")


def machine() -> str:
    """The machine, and the time."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}, {platform.system()} on {os.cpu_count()} "
        f"processors ({platform.machine()}), load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, botocore {botocore.__version__}."
    )


def exceeded(tables: Mapping[str, Table]) -> Iterator[str]:
    """A sentence for each figure that breaks its limit."""
    for table in tables.values():
        yield from table.exceeded()


def write(tables: Mapping[str, Table], where: str, folder: Path) -> None:
    """Writes README.md, results.json and plots of the tables, named by placeholders in page.md."""
    page = _PAGE.read_text().format(
        machine=where,
        init_rounds=startup.ROUNDS,
        rounds=calls.ROUNDS,
        requests=calls.REQUESTS_A_BATCH,
        list_rounds=calls.LIST_ROUNDS,
        list_calls=calls.LIST_REQUESTS_A_BATCH,
        memory_calls=memory.CALLS,
        **{name: table.markdown() for name, table in tables.items()},
    )
    results = {
        name: {row: [asdict(figure) for figure in figures] for row, figures in table.rows.items()}
        for name, table in tables.items()
    }
    facts = {"machine": where, "exceeded": [*exceeded(tables)]} | results
    (folder / "README.md").write_text(page)
    (folder / "results.json").write_text(json.dumps(facts, indent=1) + "\n")
    plots.write(tables, folder / "plots")
