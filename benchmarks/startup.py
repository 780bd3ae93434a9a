"""How long a function takes to start.

Measured with the base interpreter of the environments, without their packages: as in Lambda, only
what the function itself contains can be imported.
"""

import statistics
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.build import Build
from benchmarks.figures import Ratio, Start
from benchmarks.processes import Deadline

ROUNDS: Final = 7

INTERPRETER: Final = f"{sys.base_prefix}/bin/python{sysconfig.get_python_version()}"
_TIMED: Final = """\
import sys, time
start = time.perf_counter()
sys.path[:0] = {path!r}
{statements}
print(time.perf_counter() - start)
"""
_BASE: Final = "import boto3; boto3.client('dynamodb'); boto3.client('s3')"
_FUNCTION: Final = "import files_api.api.entry"


def measure(build: Build, deadline: Deadline, progress: Callable[[str], None]) -> list[Start]:
    """Measures the init of the base and of every function in turns, round after round."""
    seconds: dict[str, list[float]] = {name: [] for name in ["base", *build.functions]}
    for number in range(ROUNDS + 1):
        progress(f"init, round {number} of {ROUNDS}")
        for name, series in seconds.items():
            # The first round only fills the caches of the file system and of the compiler.
            taken = _base(build, deadline) if name == "base" else _init(build, name, deadline)
            if number:
                series.append(taken)
    base = seconds.pop("base")
    return [_start(name, series, base) for name, series in seconds.items()]


def _base(build: Build, deadline: Deadline) -> float:
    environment = build.environment(build.functions[0])
    return _timed(_BASE, [sysconfig.get_path("purelib")], [], environment, deadline)


def _init(build: Build, function: str, deadline: Deadline) -> float:
    # Lambda's folders are read-only: what the build has not compiled is compiled at every start.
    environment = build.environment(function)
    return _timed(_FUNCTION, build.path(function), ["-B"], environment, deadline)


def _timed(
    statements: str,
    path: Sequence[str],
    options: Sequence[str],
    environment: Mapping[str, str],
    deadline: Deadline,
) -> float:
    script = _TIMED.format(path=list(path), statements=statements)
    output = deadline.run([INTERPRETER, "-I", "-S", *options, "-c", script], environment)
    return float(output.splitlines()[-1])


def _start(function: str, seconds: Sequence[float], base: Sequence[float]) -> Start:
    return Start(
        function,
        statistics.median(seconds) * 1e3,
        statistics.median(base) * 1e3,
        Ratio.of(seconds, base),
    )
