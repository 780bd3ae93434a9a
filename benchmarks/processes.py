"""Processes that end: by themselves, in time, or when we do."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent

_GRACE_SECONDS: Final = 60.0  # for a server to end by itself: a stack has something to save


class Failed(Exception):
    """A process failed or took too long."""


class Deadline:
    """The end of all that is started with it.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def seconds(self) -> float:
        """How long it is until then; less than nothing afterwards."""
        return self._end - time.monotonic()

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str], told: str = ""
    ) -> str:
        """What the command says on stdout, told something on stdin.

        Raises:
            Failed: it failed, or had not ended by the deadline.
        """
        with _started(command, environment) as process:
            try:
                said, complaint = process.communicate(told, timeout=self.seconds)
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
def serving(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    deadline: Deadline | None = None,
) -> Iterator[str]:
    """A server while the block runs; gives the first line that it says.

    It is told to end by the end of its stdin, and by SIGTERM at the deadline.

    Raises:
        Failed: it did not start.
    """
    with _started(command, environment) as process, _ended_by(deadline, process):
        said = process.stdout.readline().strip() if process.stdout else ""
        if not said:
            process.terminate()
            _, complaint = process.communicate()
            raise Failed(f"Not started: {_shown(command)}\n{complaint}".strip())
        try:
            yield said
        finally:
            if process.stdin:
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)


@contextlib.contextmanager
def _ended_by(deadline: Deadline | None, process: subprocess.Popen[str]) -> Iterator[None]:
    """Ends the process at the deadline, if the block still runs then."""
    timer = threading.Timer(deadline.seconds if deadline else 0, process.terminate)
    if deadline:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in command[:4])
