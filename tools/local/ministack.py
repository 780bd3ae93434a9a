"""MiniStack, an emulator of AWS, as a process that can be started and stopped."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

from tools.errors import StackError

ROOT: Final = Path(__file__).resolve().parents[2]
CHILD: Final = Path(__file__).with_name("child.py")
LOCAL: Final = ROOT / ".local"  # what the commands store; `make reset` empties it
INTERPRETER: Final = ROOT / ".venv-stack" / "bin" / "python"
HOST: Final = "127.0.0.1"
REGION: Final = "us-east-1"
# MiniStack's root user has these unless variables say otherwise, and it is started without those.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

START_LIMIT = 60.0  # seconds; a start takes one, the first one on a slow disk several
STOP_LIMIT = 30.0  # seconds; saving takes less than one


def free_port(wanted: int = 0) -> int:
    """A TCP port of the loopback interface that is free now: if possible, the wanted one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except (OSError, OverflowError):  # in use; over 65535
            return free_port()
        port: int = probe.getsockname()[1]
        return port


def wait(process: subprocess.Popen[bytes]) -> int:
    """Blocks while the process runs; returns its exit code.

    A signal that comes just before `Popen.wait` blocks is handled only when the process ends; here,
    within a fifth of a second.
    """
    while (code := process.poll()) is None:
        time.sleep(0.2)
    return code


def session() -> boto3.Session:
    """A session of the root user, for any MiniStack."""
    # Without the user's own profile and settings, which may not even be valid.
    unset = (None, None, None, None)
    return boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=botocore.session.Session({"profile": unset, "config_file": unset}),
    )


class MiniStack:
    """A MiniStack process whose state is kept in a folder.

    Args:
        folder: where its state, its S3 objects and its temporary files are kept.
        port: where it listens on 127.0.0.1.
        log: the file that its output is appended to.
        program: arguments of the interpreter; by default, MiniStack with this project's changes.

    Attributes:
        endpoint: the URL of every AWS service.
        port: as given.
    """

    def __init__(
        self, folder: Path, port: int, log: Path, program: Sequence[str | Path] = (CHILD,)
    ) -> None:
        self.endpoint = f"http://{HOST}:{port}"
        self.port = port
        self._folder = folder
        self._log = log
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it with the saved state; returns once it answers.

        Raises:
            StackError: it ended, or did not answer in time.
        """
        for name in ("state", "objects", "temporary"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal reaches only the command, which finishes
            # the requests in progress before it stops this process.
            # -P: Python must not find this file when it looks for the package `ministack`.
            self._process = subprocess.Popen(
                [INTERPRETER, "-P", *self._program],
                env=self._environment(),
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_LIMIT
        while not self._answers():
            if self._process.poll() is not None:
                raise StackError("MiniStack exited while it was starting.", self._log)
            if time.monotonic() > deadline:
                raise StackError(f"MiniStack did not start within {START_LIMIT:.0f} s.", self._log)
            time.sleep(0.05)

    def stop(self, *, save: bool = True) -> None:
        """Stops it with its workers; does nothing if it is not running.

        Args:
            save: whether to save the changes since the start. Otherwise the next start finds the
                same state as this one, except for S3 objects, which are written at once.
        """
        if self._process is None:
            return
        process, self._process = self._process, None
        # It saves its state on SIGTERM but not on SIGKILL, which is the last resort.
        self._signal(process, signal.SIGTERM if save else signal.SIGKILL)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._signal(process, signal.SIGKILL)
            process.wait()
        finally:
            if process.stdin:
                process.stdin.close()
            # Workers that still run.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Blocks while it runs.

        Raises:
            StackError: it ended, although nothing has stopped it.
        """
        if self._process is not None:
            wait(self._process)
            raise StackError("MiniStack exited unexpectedly. Start again.", self._log)

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of this AWS, with all permissions."""
        direct = Config(proxies={})
        return session().client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            config=direct.merge(config) if config else direct,
        )

    def _environment(self) -> dict[str, str]:
        """The whole environment. Functions inherit it, so it must not contain the user's own."""
        return {
            "AUTH": "true",  # verify signatures, enforce the functions' roles
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "HOME": str(self._folder / "temporary"),
            "IOT_MTLS_ENABLED": "0",
            "LANG": "C.UTF-8",
            "MINISTACK_REGION": REGION,
            "PATH": os.defpath,
            "PERSIST_STATE": "1",
            "S3_DATA_DIR": str(self._folder / "objects"),
            "S3_PERSIST": "1",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self._folder / "state"),
            "TMPDIR": str(self._folder / "temporary"),
        }

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/_ministack/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
