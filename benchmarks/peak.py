"""How much memory a process has used at most.

As a program, calls a function as Lambda does: the text of the event stays in memory until the
answer is serialized. Runs with the path and the environment that the function has in Lambda.

Usage: python -m benchmarks.peak
Reads `{"event", "calls"}` from stdin: an event, and how often to call with it. Prints `{"peak",
"answer"}`, in bytes, and without a long body, on the last line of stdout.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def peak() -> int:
    """The most bytes that were in memory at once, so far."""
    if _STATUS.exists():  # the peak that `getrusage` reports may be that of the parent process
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS reports bytes


if __name__ == "__main__":
    from files_api.api.entry import lambda_handler

    given = json.load(sys.stdin)
    event = json.dumps(given.pop("event"))
    for _ in range(given["calls"]):
        answer = json.loads(json.dumps(lambda_handler(json.loads(event), None)))
    if len(answer.get("body") or "") > 1000:
        answer["body"] = "…"
    print(json.dumps({"peak": peak(), "answer": answer}))
