"""Runs MiniStack until it is told to stop, or until the command that started it is gone.

Started by `tools.ministack` on the interpreter of .venv-stack, as a file: it has nothing of this
project to import.

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
    """Wait for the lock (the previous MiniStack may still be saving), then serve."""
    with Path(lock_path).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Thread(target=stop_with_parent, daemon=True).start()
        server: Any = importlib.import_module("ministack.app")  # slow, so after the lock
        server.app = as_if_over_tls(server.app)
        start_streams_anew()
        server.main()


def start_streams_anew() -> None:
    """Have the readers of a table's stream begin at its beginning after a restart.

    MiniStack keeps how far they had read and not the records, so that they would wait for as many
    new ones as they had seen, and miss those.
    """
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    functions._restore_esm_positions = lambda *_: None  # noqa: SLF001  it has no setting


def stop_with_parent() -> None:
    """Stop as SIGTERM does, state saved, once the other end of standard input is closed.

    The system closes it however the parent ends, `kill -9` included, so that nothing is left
    running and no file is lost. `os.read` rather than `sys.stdin`: a buffered read would hold a
    lock that the interpreter wants when it exits.
    """
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def as_if_over_tls(app: Asgi) -> Asgi:
    """Count the loopback interface as TLS, as behind a proxy that ends it.

    A bucket policy that refuses plain HTTP would refuse the functions otherwise, and it is better
    deployed here as it is than switched off.
    """

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "scheme": "https"} if scope["type"] == "http" else scope, receive, send)

    return served


if __name__ == "__main__":
    path = sys.argv.pop()
    main(path)
