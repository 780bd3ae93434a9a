"""Allows one `make dev` per checkout, and no `make reset` while it runs."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from tools.errors import StackError


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Locks the folder while the block runs, and closes it to other users.

    The system releases the lock when the process ends, however it ends.

    Raises:
        StackError: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # it contains files and keys
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StackError(
                f"`make dev` is running in this checkout (process {lock.read().strip()}): "
                "stop it first, with Ctrl-C."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
