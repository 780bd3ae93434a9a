"""Measures everything, writes results.json and README.md, fails where a limit is broken."""

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

# A build from nothing downloads the packages.
BUILD_SECONDS: Final = 120
MEASURE_SECONDS: Final = 600

_FOLDER: Final = Path(__file__).parent


def main() -> int:
    """The exit code: 1 where a limit is broken or something could not be measured."""
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
        return 130  # as a shell says of what Ctrl-C has ended
    _progress("")
    results = report.as_json(figures, where)
    (_FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (_FOLDER / "README.md").write_text(report.page(figures, where))
    print(report.text(figures))
    broken = [*limits.broken(figures)]
    print("\n" + ("\n".join(broken) or "Every limit is kept."))
    return 1 if broken else 0


def _figures(built: build.Build, deadline: Deadline) -> Figures:
    """Everything, one after another. Raises Failed."""
    starts = startup.measure(built, deadline, _progress)
    of_calls = calls.measure(built, deadline, _progress)
    pages = lists.measure(built, deadline, _progress)
    taken = memory.measure(built, deadline, _progress)
    _progress("The local stack starts")
    with stack.running(deadline) as (local, folder):
        assemblies = assembly.measure(local, _progress)
        large = transfers.measure(local, folder, deadline, _progress)
    return Figures(starts, of_calls, pages, taken, large, assemblies, sizes.measure(built))


def _progress(step: str) -> None:
    """Shows the step, in place on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{step}", end="", file=sys.stderr, flush=True)
    elif step:
        print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
