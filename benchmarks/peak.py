"""How much memory this process uses, and has used at most.

On Linux, `getrusage` does not report the present use, and its peak includes the peak of the process
that started this one.
"""

import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def peak() -> int:
    """The most bytes that were in memory at once, so far."""
    return _status("VmHWM") if _STATUS.exists() else _most()


def now() -> int:
    """The bytes that are in memory now; the most so far, if the system does not tell."""
    return _status("VmRSS") if _STATUS.exists() else _most()


def _status(name: str) -> int:
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(fields[name].split()[0]) * 1024


def _most() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
