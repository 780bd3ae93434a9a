"""The AWS SAM CLI, as the commands of this checkout run it."""

import os
import sys
from pathlib import Path
from typing import Final

COMMAND: Final = Path(sys.executable).parent / "sam"
# The user's settings are for the user's own account and packages. And `sam build` runs make itself,
# which must not see the variables of the make that runs this command.
_PRIVATE: Final = ("AWS_", "MAKE", "PYTHON", "SAM_", "VIRTUAL_ENV")


def environment() -> dict[str, str]:
    """Its environment: without the user's settings, and with this interpreter first in the path."""
    shared = {name: v for name, v in os.environ.items() if not name.startswith(_PRIVATE)}
    path = os.environ.get("PATH", os.defpath)
    return shared | {"PATH": f"{COMMAND.parent}{os.pathsep}{path}", "SAM_CLI_TELEMETRY": "0"}
