"""A process that kills itself with SIGKILL while it sends a file.

Usage: python -m client.tests.dying HOW SETTINGS PATH BYTES OPTIONS

It prints the id of the pending file, and dies once so many bytes are sent.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from client.tests.conftest import Sdk

_ROOT = Path(__file__).parents[2]


def send_and_die(sdk: Sdk, path: Path, most: int, options: Mapping[str, Any]) -> str:
    """Sends a file in another process until that dies; returns the id of the pending file."""
    arguments = [sdk.how, json.dumps(sdk.settings), str(path), str(most), json.dumps(options)]
    ended = subprocess.run(
        [sys.executable, "-m", "client.tests.dying", *arguments],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": f"{_ROOT}:{_ROOT / 'client/src'}"},
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert ended.returncode == -signal.SIGKILL
    return ended.stdout.strip()


def main() -> None:
    how, settings, path, most, options = sys.argv[1:]

    def die(sent: int, total: int) -> None:
        if sent >= int(most):
            os.kill(os.getpid(), signal.SIGKILL)

    Sdk(how, json.loads(settings)).create(
        Path(path),
        progress=die,
        on_pending=lambda file: print(file["id"], flush=True),
        **json.loads(options),
    )


if __name__ == "__main__":
    main()
