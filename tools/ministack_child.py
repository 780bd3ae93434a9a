"""Runs MiniStack until it is stopped, or until the command that started it has ended.

`tools.ministack` runs this file with the interpreter of .venv-stack, where nothing of this project
can be imported.

Args (command line):
    The lock file that keeps two MiniStacks from writing the same state.
"""

import fcntl
import importlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

type Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def main(lock_path: str) -> None:
    """Waits for the lock (the previous MiniStack may still be saving), then serves."""
    with Path(lock_path).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Thread(target=stop_with_parent, daemon=True).start()
        server: Any = importlib.import_module("ministack.app")  # slow, so only with the lock
        server.app = with_https_scheme(server.app)
        read_streams_from_the_start()
        server.main()


def read_streams_from_the_start() -> None:
    """Makes functions read a table's stream from its start after a restart.

    MiniStack saves how many records they have read, but not the records themselves. So they would
    skip as many new records as they had read before.
    """
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    functions._restore_esm_positions = lambda *_: None  # noqa: SLF001  there is no setting


def stop_with_parent() -> None:
    """Stops and saves, as on SIGTERM, once the other end of standard input is closed.

    The system closes it however the parent ends, even by `kill -9`, so nothing is left running and
    no file is lost. It is read with `os.read`: a buffered read from `sys.stdin` would hold a lock
    that the interpreter needs to exit.
    """
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def with_https_scheme(app: Asgi) -> Asgi:
    """Treats requests as if they had come by TLS, as behind a proxy that terminates it.

    Otherwise the bucket's policy would reject the functions' requests, which are plain HTTP here.
    The policy should be tested as it is deployed to AWS.
    """

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "scheme": "https"} if scope["type"] == "http" else scope, receive, send)

    return served


if __name__ == "__main__":
    path = sys.argv.pop()
    main(path)
