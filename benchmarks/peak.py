"""How much memory this process has, and has had at most.

On Linux `getrusage` would begin at the peak of the process that started this one, and it does not
tell what there is now.
"""

import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def peak() -> int:
    """Bytes of it that were in memory at once, so far."""
    return _status("VmHWM") if _STATUS.exists() else _most()


def now() -> int:
    """Bytes of it that are in memory; at most, where the system does not tell."""
    return _status("VmRSS") if _STATUS.exists() else _most()


def _status(name: str) -> int:
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(fields[name].split()[0]) * 1024


def _most() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
