"""How long a function takes to start, and what the choices about that buy.

Init runs on one thread and waits for nothing, so its CPU is its time on a quiet machine, and other
processes hardly disturb it.
"""

import statistics
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import Any, Final

from benchmarks import limits
from benchmarks.build import INTERPRETER, Build
from benchmarks.figures import Figure, Table, ratio
from benchmarks.processes import run

ROUNDS: Final = 9
_IN_TURNS: Final = 4  # functions: the base is never far from any of them

_VARIANTS: Final = Path(__file__).parent / "variants"
_PACKAGES: Final = sysconfig.get_path("purelib")  # as installed from PyPI
_TIMED: Final = """\
import sys, time
start = time.process_time()
sys.path[:0] = {path!r}
{statements}
print(time.process_time() - start)
"""
_BASE: Final = "import boto3; boto3.client('dynamodb'); boto3.client('s3')"
_FUNCTION: Final = "import files_api.api.entry"
_COLLECTOR_ON: Final = "import gc; gc.disable = gc.freeze = lambda: None"

# By name, the function whose init shows what a choice buys, and how it starts without: `folder`
# has modules in place of the function's, `before` is run first, `variables` are of the environment.
CHOICES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "boto3, not bare botocore": ("RetrieveFile", {"folder": "botocore_only"}),
    "slimmed data of botocore, not the whole": (
        "DownloadFile",
        {"variables": {"AWS_DATA_PATH": f"{_PACKAGES}/botocore/data"}},
    ),
    "garbage collector off during init, not on": ("RetrieveFile", {"before": _COLLECTOR_ON}),
    "own HTTP layer, not Powertools' resolver": ("RetrieveFile", {"folder": "resolver"}),
    "own HTTP layer, not the resolver with validation": (
        "RetrieveFile",
        {"folder": "resolver", "variables": {"VALIDATION": "on"}},
    ),
    "own loop over a batch, not Powertools' processor": ("Purge", {"folder": "batch_processor"}),
}

type Side = Callable[[], float]  # starts a process; returns the seconds of its init


def measure(build: Build, progress: Callable[[str], None]) -> Table:
    """Measures the init of a few functions and of the base in turns, then of the next few."""
    base = _side(_BASE, [_PACKAGES], build.environment(build.functions[0]), [])
    rows = {}
    for names in batched(build.functions, _IN_TURNS, strict=False):
        sides = {"base": base} | {name: _function(build, name) for name in names}
        seconds = _rounds(sides, progress, f"init of {', '.join(names)}")
        for name in names:
            rows[name] = row(name, seconds[name], seconds["base"])
    return Table("init of", rows)


def row(function: str, seconds: Sequence[float], base: Sequence[float]) -> Sequence[Figure]:
    """The figures of a function's init."""
    return [
        Figure("ms", statistics.median(seconds) * 1e3),
        Figure("base ms", statistics.median(base) * 1e3),
        ratio(seconds, base, limits.SHORTER_INITS.get(function, limits.INIT)),
    ]


def measure_choices(build: Build, progress: Callable[[str], None]) -> Table:
    """Measures init with and without each choice, in turns, round after round."""
    rows = {}
    for name, (function, without) in CHOICES.items():
        sides = {
            "with": _function(build, function),
            "without": _function(build, function, **without),
        }
        seconds = _rounds(sides, progress, name)
        rows[f"{name} (init of {function})"] = [ratio(seconds["with"], seconds["without"])]
    return Table("choice", rows)


def _rounds(
    sides: dict[str, Side], progress: Callable[[str], None], what: str
) -> Mapping[str, Sequence[float]]:
    """Seconds of every side, round after round; every second round starts with the last side."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(ROUNDS + 1):
        progress(f"{what}, round {number} of {ROUNDS}")
        for name in sides if number % 2 else reversed(sides):
            taken = sides[name]()
            # The first round only fills the caches of the file system and of the compiler.
            if number:
                seconds[name].append(taken)
    return seconds


def _function(
    build: Build,
    function: str,
    *,
    folder: str = "",
    before: str = "",
    variables: Mapping[str, str] | None = None,
) -> Side:
    path = [str(_VARIANTS / folder)] if folder else []
    environment = build.environment(function) | dict(variables or {})
    # Lambda's folders are read-only: what the build has not compiled is compiled at every start.
    return _side(f"{before}\n{_FUNCTION}", path + build.path(function), environment, ["-B"])


def _side(
    statements: str, path: list[str], environment: Mapping[str, str], options: list[str]
) -> Side:
    script = _TIMED.format(path=path, statements=statements)
    command = [INTERPRETER, "-I", "-S", *options, "-c", script]
    return lambda: float(run(command, environment).splitlines()[-1])
