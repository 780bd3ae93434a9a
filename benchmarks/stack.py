"""The deployed template in MiniStack, with a key, for what only a whole system can show.

Usage: python -m benchmarks.stack <folder>
Says where everything is, as JSON, on the first line of stdout and ends when its stdin does.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import httpx2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.processes import Deadline, Failed, serving
from tools import local_keys, ministack
from tools.errors import StackError
from tools.local_stack import LocalStack

_MAX_FILE_BYTES: Final = 2 * 1024**3
_SECONDS: Final = 120.0  # for any answer


@dataclass(frozen=True)
class Local:
    """A running stack.

    Attributes:
        base_url: of the API.
        key: an API key.
        endpoint: of the AWS services.
        bucket: with the files.
    """

    base_url: str
    key: str
    endpoint: str
    bucket: str

    @cached_property
    def api(self) -> httpx2.Client:
        """Calls the API, by paths such as "files"."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=self.base_url, headers=headers, timeout=_SECONDS)

    @cached_property
    def s3(self) -> Any:
        """A plain client of boto3, with all rights."""
        config = Config(proxies={}, read_timeout=_SECONDS)
        return ministack.session().client("s3", endpoint_url=self.endpoint, config=config)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """What the API answers. Raises Failed unless it did what it was asked for."""
        answer = self.api.request(method, path, json=body)
        if not answer.is_success:
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text}")
        said: dict[str, Any] = answer.json()
        return said


@contextlib.contextmanager
def running(deadline: Deadline) -> Iterator[tuple[Local, Path]]:
    """A stack while the block runs, and a folder for files that goes with it.

    Raises:
        Failed: it did not start, or something in the block did not work, or not in time.
    """
    home = ministack.LOCAL / "bench"
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __name__]
    with tempfile.TemporaryDirectory(dir=home, prefix="stack-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with serving([*command, folder / "stack"], dict(os.environ), deadline) as said:
            local = Local(**json.loads(said))
            try:
                yield local, folder
            except (httpx2.HTTPError, BotoCoreError, ClientError, OSError) as error:
                raise Failed(f"The local stack: {error!r}") from error


def main(folder: Path) -> None:
    """Runs a stack until stdin ends."""
    # Late enough for nothing that it started to be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parameters = {"MaxFileBytes": str(_MAX_FILE_BYTES)}
    with LocalStack(folder, parameters=parameters) as stack:
        table = stack.outputs["KeysTable"]
        key = local_keys.provide(stack.client("dynamodb"), table, fixed={}, file=folder / "api-key")
        local = Local(stack.base_url, key, stack.endpoint, stack.outputs["FilesBucket"])
        print(json.dumps(asdict(local)), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except StackError as problem:
        sys.exit(str(problem))
