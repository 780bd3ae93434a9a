"""What a call costs: CPU and AWS calls."""

import json
import os
import statistics
import sys
from collections.abc import Callable
from typing import Final

from benchmarks.build import Build
from benchmarks.cases import CASES, Case
from benchmarks.figures import Call, Ratio
from benchmarks.processes import ROOT, Deadline, serving

# In short batches, whatever slows the machine for a while slows both sides of a ratio.
ROUNDS: Final = 11
REQUESTS_A_BATCH: Final = 20


def measure(build: Build, deadline: Deadline, progress: Callable[[str], None]) -> list[Call]:
    """Measures every case, each in a process of its own, with the same stub of AWS."""
    stub = [sys.executable, "-m", "benchmarks.stub"]
    path = os.pathsep.join([str(ROOT), str(build.layer("SharedLayer") / "python")])
    with serving(stub, {"PYTHONPATH": path}) as port:
        measured = []
        for number, case in enumerate(CASES, start=1):
            progress(f"calls, {number} of {len(CASES)}: {case.name}")
            measured.append(_measured(case, build, port, deadline))
        return measured


def _measured(case: Case, build: Build, port: str, deadline: Deadline) -> Call:
    environment = build.environment(case.function) | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # Otherwise botocore would sign with awscrt, which the SAM CLI needs and functions lack.
        "BOTO_DISABLE_CRT": "true",
        "PYTHONPATH": os.pathsep.join([*build.path(case.function), str(ROOT)]),
    }
    worker = [sys.executable, "-m", "benchmarks.worker"]
    output = deadline.run([*worker, case.name, str(REQUESTS_A_BATCH), str(ROUNDS)], environment)
    seconds = json.loads(output.splitlines()[-1])
    return Call(
        case.name,
        case.function,
        statistics.median(seconds["handler"]) * 1e6,
        statistics.median(seconds["bare"]) * 1e6,
        Ratio.of(seconds["handler"], seconds["bare"]),
        seconds["aws_calls"],
    )
