"""The template, deployed to MiniStack, with an API key: for what only a whole system can show.

Usage: python -m benchmarks.stack <folder>
Prints the fields of `Local` as JSON on the first line of stdout, and ends when its stdin is closed.
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
_SECONDS: Final = 120.0  # the timeout of any request


@dataclass(frozen=True)
class Local:
    """A running stack.

    Attributes:
        base_url: the URL of the API.
        key: an API key.
        endpoint: the URL of every AWS service.
        bucket: the bucket of the files.
    """

    base_url: str
    key: str
    endpoint: str
    bucket: str

    @cached_property
    def api(self) -> httpx2.Client:
        """A client of the API, for paths such as "files"."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=self.base_url, headers=headers, timeout=_SECONDS)

    @cached_property
    def s3(self) -> Any:
        """A plain boto3 client, with all permissions."""
        config = Config(proxies={}, read_timeout=_SECONDS)
        return ministack.session().client("s3", endpoint_url=self.endpoint, config=config)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Calls the API; returns its answer. Raises Failed if the answer is an error."""
        answer = self.api.request(method, path, json=body)
        if not answer.is_success:
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text}")
        result: dict[str, Any] = answer.json()
        return result


@contextlib.contextmanager
def running(deadline: Deadline) -> Iterator[tuple[Local, Path]]:
    """A stack that runs as long as the block does, and a folder that is deleted afterwards.

    Raises:
        Failed: the stack did not start, or a request in the block failed or came too late.
    """
    home = ministack.LOCAL / "bench"
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __name__]
    with tempfile.TemporaryDirectory(dir=home, prefix="stack-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with serving([*command, folder / "stack"], dict(os.environ), deadline) as line:
            local = Local(**json.loads(line))
            try:
                yield local, folder
            except (httpx2.HTTPError, BotoCoreError, ClientError, OSError) as error:
                raise Failed(f"The local stack: {error!r}") from error


def main(folder: Path) -> None:
    """Runs a stack until stdin is closed."""
    # SIGTERM raises SystemExit, so that the stack is stopped before this process ends.
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
