"""The proxy as a process of its own, as people run it."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SRC = Path(__file__).parents[1] / "src"
_CODE = "from files_api_client.command import main; main()"


@dataclass
class Proxy:
    """A proxy that runs.

    Attributes:
        url: its base URL.
        port: where it listens.
        folder: where it keeps bodies.
        process: the process.
    """

    url: str
    port: int
    folder: Path
    process: "subprocess.Popen[str]"

    def peak(self) -> int:
        """The most memory that it has had at once, in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def spooled(self) -> int:
        """How many bodies are on its disk; their files have no name."""
        names = [f"{entry}" for entry in self.folder.iterdir()]
        for each in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                names.append(str(each.readlink()))
            except FileNotFoundError:  # was closed meanwhile
                continue
        return sum(name.startswith(str(self.folder)) for name in names)

    def stop(self) -> int:
        """Stops it; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running(upstream: str, *, timeout: float = 60, disk: int | None = None) -> Iterator[Proxy]:
    """Runs a proxy.

    Args:
        upstream: base URL of the API.
        timeout: seconds until a peer that stalls is given up.
        disk: how many bytes a body on its disk may have, None for any number.
    """

    def limit() -> None:
        if disk is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (disk, disk))

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CODE, "proxy", "--upstream", upstream, "--port", "0"]
        command += ["--folder", folder, "--timeout", str(timeout)]
        with subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": str(_SRC)},
            preexec_fn=limit,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout
                url = process.stdout.readline().split()[3]
                port = int(url.removesuffix("/v1").rpartition(":")[2])
                yield Proxy(url, port, Path(folder), process)
            finally:
                process.kill()
