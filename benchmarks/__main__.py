"""Measures everything, writes results.json and README.md, and fails if a limit is exceeded."""

import json
import signal
import sys
from pathlib import Path
from typing import Final

from benchmarks import (
    assembly,
    build,
    calls,
    limits,
    lists,
    memory,
    report,
    sizes,
    stack,
    startup,
    transfers,
)
from benchmarks.figures import Figures
from benchmarks.processes import Deadline, Failed

# The first build downloads the packages.
BUILD_SECONDS: Final = 120
MEASURE_SECONDS: Final = 600

_FOLDER: Final = Path(__file__).parent


def main() -> int:
    """Returns the exit code: 1 if a limit is exceeded, or if something could not be measured."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        where = report.machine()
        _progress("sam build")
        built = build.build(Deadline(BUILD_SECONDS))
        figures = _figures(built, Deadline(MEASURE_SECONDS))
    except Failed as failure:
        _progress("")
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells report a command that Ctrl-C has ended
    _progress("")
    results = report.as_json(figures, where)
    (_FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (_FOLDER / "README.md").write_text(report.page(figures, where))
    print(report.text(figures))
    exceeded = [*limits.exceeded(figures)]
    print("\n" + ("\n".join(exceeded) or "All figures are within their limits."))
    return 1 if exceeded else 0


def _figures(built: build.Build, deadline: Deadline) -> Figures:
    """Measures one thing after another. Raises Failed."""
    starts = startup.measure(built, deadline, _progress)
    call_costs = calls.measure(built, deadline, _progress)
    pages = lists.measure(built, deadline, _progress)
    memory_peaks = memory.measure(built, deadline, _progress)
    _progress("starting the local stack")
    with stack.running(deadline) as (local, folder):
        assemblies = assembly.measure(local, _progress)
        large = transfers.measure(local, folder, deadline, _progress)
    return Figures(starts, call_costs, pages, memory_peaks, large, assemblies, sizes.measure(built))


def _progress(step: str) -> None:
    """Shows the step; on a terminal, in place of the previous one."""
    if sys.stderr.isatty():
        print(f"\r\033[K{step}", end="", file=sys.stderr, flush=True)
    elif step:
        print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
