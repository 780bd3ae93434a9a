"""How much memory a function uses at most."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from benchmarks import large
from benchmarks.build import Build
from benchmarks.figures import Memory
from benchmarks.processes import ROOT, Deadline, Failed, serving
from benchmarks.startup import INTERPRETER

CALLS: Final = 3

_SCRIPT: Final = """\
import sys
sys.path[:0] = {path!r}
sys.path.append({root!r})
from benchmarks.sandbox import main
main({calls})
"""


def measure(build: Build, deadline: Deadline, progress: Callable[[str], None]) -> list[Memory]:
    """Measures every function, each in a process of its own, with the same stub of AWS."""
    stub = [sys.executable, "-m", "benchmarks.large"]
    path = os.pathsep.join([str(ROOT), str(build.layer("SharedLayer") / "python")])
    with serving(stub, {"PYTHONPATH": path}, deadline) as port:
        measured = []
        for number, function in enumerate(build.functions, start=1):
            progress(f"memory, {number} of {len(build.functions)}: {function}")
            measured.append(_measured(function, build, port, deadline))
        return measured


def _measured(function: str, build: Build, port: str, deadline: Deadline) -> Memory:
    description, event = large.event(function)
    environment = build.environment(function) | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    script = _SCRIPT.format(path=build.path(function), root=str(ROOT), calls=CALLS)
    command = [INTERPRETER, "-I", "-S", "-B", "-c", script]
    output = json.loads(deadline.run(command, environment, json.dumps(event)).splitlines()[-1])
    if not _succeeded(output["answer"]):
        raise Failed(f"{function}, {description}: {output['answer']}")
    return Memory(function, description, output["peak"], build.memory(function))


def _succeeded(answer: Any) -> bool:
    """Whether the function has handled its event."""
    if answer and "statusCode" in answer:
        return bool(answer["statusCode"] in (200, 302))
    return not (answer and answer.get("batchItemFailures"))
