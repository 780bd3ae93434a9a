"""The figures as a page for people and a file for programs."""

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import botocore

from benchmarks import assembly, calls, limits, lists, startup, tables, transfers
from benchmarks.figures import Figures

_PAGE: Final = Path(__file__).with_name("page.md")


def machine() -> dict[str, Any]:
    """The machine, and the time."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "botocore": botocore.__version__,
    }


def _processor() -> str:
    """The name of the processor, if the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def as_json(figures: Figures, where: dict[str, Any]) -> dict[str, Any]:
    """All figures, with the limits and what exceeds them."""
    verdict = {"limits": limits.as_json(), "exceeded": [*limits.exceeded(figures)]}
    return {"machine": where} | asdict(figures) | verdict


def page(figures: Figures, where: dict[str, Any]) -> str:
    """The figures as README.md."""
    return _PAGE.read_text().format(
        machine=(
            f"{where['date']}, {where['system']} on {where['processors']} processors "
            f"({where['processor']}), load {where['load']}; Python {where['python']}, "
            f"botocore {where['botocore']}."
        ),
        base=figures.starts[0].base_milliseconds,
        init_rounds=startup.ROUNDS,
        rounds=calls.ROUNDS,
        requests=calls.REQUESTS_A_BATCH,
        list_rounds=lists.ROUNDS,
        list_calls=lists.CALLS_A_ROUND,
        assembly_rounds=assembly.ROUNDS,
        transfer_rounds=transfers.ROUNDS,
        **{name: tables.aligned(table(figures)) for name, table in tables.ALL.items()},
    )


def text(figures: Figures) -> str:
    """Only the tables, for a terminal."""
    return "\n\n".join(tables.aligned(table(figures)) for table in tables.ALL.values())
