"""Processes that end: by themselves, in time, or when we do."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent


class Failed(Exception):
    """A process failed or took too long."""


class Deadline:
    """The end of all that is started with it.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def run(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> str:
        """What the command says on stdout.

        Raises:
            Failed: it failed, or had not ended by the deadline.
        """
        with _started(command, environment) as process:
            try:
                said, complaint = process.communicate(timeout=self._end - time.monotonic())
            except subprocess.TimeoutExpired:
                raise Failed(f"Not done in time: {_shown(command)}") from None
        if process.returncode:
            raise Failed(f"Failed: {_shown(command)}\n{said}{complaint}".strip())
        return said


@contextlib.contextmanager
def _started(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """The command, ended with all that it started when the block is left."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def serving(command: Sequence[str | Path], environment: Mapping[str, str]) -> Iterator[str]:
    """A server while the block runs; gives the first line that it says. Raises Failed."""
    with _started(command, environment) as process:
        said = process.stdout.readline().strip() if process.stdout else ""
        if not said:
            raise Failed(f"Not started: {_shown(command)}")
        yield said


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in command[:4])
