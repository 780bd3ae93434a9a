"""The AWS SAM CLI, as the commands of this checkout run it."""

import os
import sys
from pathlib import Path
from typing import Final

COMMAND: Final = Path(sys.executable).parent / "sam"
# The user's own settings of these tools are for the user's own account and packages, and the make
# that runs this command is not the one that `sam build` runs.
_PRIVATE: Final = ("AWS_", "MAKE", "PYTHON", "SAM_", "VIRTUAL_ENV")


def environment() -> dict[str, str]:
    """The variables that it runs with: nothing of the user's own, and this interpreter first."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith(_PRIVATE)}
    path = os.environ.get("PATH", os.defpath)
    return kept | {"PATH": f"{COMMAND.parent}{os.pathsep}{path}", "SAM_CLI_TELEMETRY": "0"}
