"""MiniStack, an AWS on this machine, as a process with a beginning and an end."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

from tools.errors import StackError

ROOT: Final = Path(__file__).resolve().parent.parent
LOCAL: Final = ROOT / ".local"  # all that commands keep in this checkout, for `make reset`
INTERPRETER: Final = ROOT / ".venv-stack" / "bin" / "python"
HOST: Final = "127.0.0.1"
REGION: Final = "us-east-1"
# MiniStack's root user: what it is started with decides, and it is started with neither variable.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

START_LIMIT = 60.0  # seconds; a start takes one, the first one on a slow disk some more
STOP_LIMIT = 30.0  # seconds; saving takes well under one


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def wait(process: subprocess.Popen[bytes]) -> int:
    """Block while it runs; return its exit code.

    Unlike `Popen.wait`, which sees a signal that comes just before it blocks only when the process
    ends: here that takes a fifth of a second.
    """
    while (code := process.poll()) is None:
        time.sleep(0.2)
    return code


def session() -> boto3.Session:
    """A session of the root user, with any MiniStack."""
    # Without the user's own profile and settings, which may not even be valid.
    unset = (None, None, None, None)
    return boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=botocore.session.Session({"profile": unset, "config_file": unset}),
    )


class MiniStack:
    """One MiniStack process whose state lives in a folder.

    Args:
        folder: keeps its state, its S3 objects and its temporary files.
        port: where it listens on 127.0.0.1.
        log: the file that its output is added to.

    Attributes:
        endpoint: the URL that stands for every AWS service.
    """

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        self.endpoint = f"http://{HOST}:{port}"
        self._folder = folder
        self._port = port
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with the state of last time and return when it answers.

        Raises:
            StackError: it ended, or did not answer in time.
        """
        for name in ("state", "objects", "temporary"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the command, which stops this
            # process itself, after the requests that are under way.
            # -P: this file's folder is no place to look for the package of the same name.
            child = Path(__file__).parent / "ministack_child.py"
            self._process = subprocess.Popen(
                [INTERPRETER, "-P", child, self._folder / "lock"],
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
                raise StackError("MiniStack ended while it started.", self._log)
            if time.monotonic() > deadline:
                raise StackError(f"MiniStack did not start in {START_LIMIT:.0f} s.", self._log)
            time.sleep(0.05)

    def stop(self, *, save: bool = True) -> None:
        """End it with its workers; does nothing if it is not running.

        Args:
            save: keep what happened since the start. Without it the next start finds the state
                that this one found, except S3 objects, which are written at once.
        """
        if self._process is None:
            return
        process, self._process = self._process, None
        # It saves its state on SIGTERM and never on SIGKILL, so that is the last resort.
        self._signal(process, signal.SIGTERM if save else signal.SIGKILL)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._signal(process, signal.SIGKILL)
            process.wait()
        finally:
            if process.stdin:
                process.stdin.close()
            # Workers that have not noticed yet.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Block while it runs.

        Raises:
            StackError: it ended, which it should only do when told to.
        """
        if self._process is not None:
            wait(self._process)
            raise StackError("MiniStack ended by itself; start again.", self._log)

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of this AWS with all rights."""
        direct = Config(proxies={})
        return session().client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            config=direct.merge(config) if config else direct,
        )

    def _environment(self) -> dict[str, str]:
        """The whole environment: functions inherit it, so nothing of the user's may be in it."""
        return {
            "AUTH": "true",  # verify signatures, enforce the functions' roles
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self._port),
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
        connection = http.client.HTTPConnection(HOST, self._port, timeout=5)
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
