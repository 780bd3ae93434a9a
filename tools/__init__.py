"""The commands behind the Makefile: the local stack and the API keys."""

import sys
from pathlib import Path

# Commands import the shared layer as functions do, from the path.
sys.path.append(str(Path(__file__).parent.parent / "layers" / "files_api" / "python"))
