"""Measures everything, writes results.json, README.md and plots; fails if a limit is exceeded."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import build, calls, memory, processes, report, startup
from benchmarks.figures import Table


def main() -> int:
    """Returns the exit code: 1 if a limit is exceeded, or if something could not be measured."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    where = report.machine()
    try:
        tables = _measured()
    except processes.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells report a command that Ctrl-C has ended
    report.write(tables, where, Path(__file__).parent)
    print("\n\n".join(table.markdown() for table in tables.values()))
    exceeded = [*report.exceeded(tables)]
    print("\n" + ("\n".join(exceeded) or "All figures are within their limits."))
    return 1 if exceeded else 0


def _measured() -> Mapping[str, Table]:
    """The tables, by their placeholders in page.md. Raises Failed."""
    _progress("sam build")
    built = build.build()
    tables = {"init": startup.measure(built, _progress)}
    with processes.stub(built.layer("SharedLayer")) as url:
        tables["calls"] = calls.measure(built, url, _progress)
        tables["lists"] = calls.measure_lists(built, url, _progress)
        tables["memory"] = memory.measure(built, url, _progress)
    choices = startup.measure_choices(built, _progress).rows
    tables["choices"] = Table("choice", {**choices, **calls.joined_text(tables["calls"])})
    return tables | {"sizes": memory.sizes(built)}


def _progress(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
