"""Processes that end in any case: by themselves, when they hang, or with this process."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
HANG_SECONDS: Final = 1_200.0  # each process needs seconds, only the first build some minutes


class Failed(Exception):
    """A process failed or hung."""


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    stdin: str = "",
    seconds: float = HANG_SECONDS,
) -> str:
    """Runs a command; returns its stdout. Raises Failed if it fails, or hangs for so long."""
    try:
        done = subprocess.run(
            command,
            check=True,
            env=environment,
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"Hung: {command}") from None
    except subprocess.CalledProcessError as error:
        raise Failed(f"Failed: {command}\n{error.stdout}{error.stderr}".strip()) from None
    return done.stdout


@contextlib.contextmanager
def stub(layer: Path) -> Iterator[str]:
    """The stub of AWS, with the code of the shared layer; returns its URL. Raises Failed."""
    path = os.pathsep.join([str(ROOT), str(layer / "python")])
    command = [sys.executable, "-m", "benchmarks.stub"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env={"PYTHONPATH": path}, stdin=pipe, stdout=pipe) as process:
        port = process.stdout.readline().decode().strip() if process.stdout else ""
        if not port:
            raise Failed("The stub has not started.")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
