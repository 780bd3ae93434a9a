"""Processes that end in any case: by themselves, at a deadline, or with this process."""

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

_GRACE_SECONDS: Final = 60.0  # for a server to end by itself: a stack saves its state


class Failed(Exception):
    """A process failed or took too long."""


class Deadline:
    """When all processes that are started with it have to end.

    Args:
        seconds: until then.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def seconds(self) -> float:
        """The time that is left; negative after the deadline."""
        return self._end - time.monotonic()

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str], stdin: str = ""
    ) -> str:
        """Runs a command; returns its stdout.

        Raises:
            Failed: the command failed, or had not ended by the deadline.
        """
        with _started(command, environment) as process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=self.seconds)
            except subprocess.TimeoutExpired:
                raise Failed(f"Not finished in time: {_shown(command)}") from None
        if process.returncode:
            raise Failed(f"Failed: {_shown(command)}\n{stdout}{stderr}".strip())
        return stdout


@contextlib.contextmanager
def _started(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """The command; when the block is left, it and all that it has started are killed."""
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
    """A server that runs as long as the block does; returns the first line that it prints.

    It has to end when its stdin is closed. At the deadline, it gets SIGTERM.

    Raises:
        Failed: the server did not start.
    """
    with _started(command, environment) as process, _terminated_at(deadline, process):
        line = process.stdout.readline().strip() if process.stdout else ""
        if not line:
            process.terminate()
            _, stderr = process.communicate()
            raise Failed(f"Not started: {_shown(command)}\n{stderr}".strip())
        try:
            yield line
        finally:
            if process.stdin:
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)


@contextlib.contextmanager
def _terminated_at(deadline: Deadline | None, process: subprocess.Popen[str]) -> Iterator[None]:
    """Terminates the process at the deadline, if the block still runs then."""
    timer = threading.Timer(deadline.seconds if deadline else 0, process.terminate)
    if deadline:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in command[:4])
