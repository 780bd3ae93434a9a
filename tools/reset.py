"""`make reset`: deletes the files and keys of `make dev`."""

import shutil
import sys
from pathlib import Path

from tools.errors import StackError
from tools.local import lock
from tools.local.ministack import LOCAL


def reset(folder: Path) -> None:
    """Empties the folder.

    Raises:
        StackError: `make dev` is using it.
    """
    with lock.held(folder):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()


if __name__ == "__main__":
    try:
        reset(LOCAL)
    except StackError as problem:
        sys.exit(str(problem))
    print("Deleted the files, keys and builds of `make dev`.")
