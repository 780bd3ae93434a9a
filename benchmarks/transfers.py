"""A gigabyte up and down by the client package, and by bare presigned requests, in turns."""

import json
import os
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Ratio, Transfer
from benchmarks.processes import ROOT, Deadline, Failed
from benchmarks.stack import Local

type Taken = dict[str, Any]  # as `benchmarks.transfer` says it

BYTES: Final = 1024**3
# How often each way is gone. What differs from another only in its tasks, or has the emulator write
# everything once more, is gone once.
ROUNDS: Final = 4  # as many of them with the bare request first as second
UPLOADS: Final = {"upload": ROUNDS, "upload, with tasks": 1, "upload in parts": 1}
DOWNLOADS: Final = {"download": ROUNDS, "download, with tasks": 1}

_BLOCK_BYTES: Final = 1024**2
_ENVIRONMENT: Final = {
    "PATH": os.defpath,
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client" / "src")]),
}


class _Transfers:
    """Transfers of one file, each in a process of its own.

    Args:
        local: the stack.
        folder: for the file and its copies.
        deadline: of all.
        progress: told of each transfer.
    """

    def __init__(
        self, local: Local, folder: Path, deadline: Deadline, progress: Callable[[str], None]
    ) -> None:
        self._local = local
        self._file, self._copy = folder / "file", folder / "copy"
        self._deadline = deadline
        self._progress = progress
        self._kept = ""
        _make(self._file)

    def round(self, number: int) -> dict[str, Taken]:
        """Every way whose turn it is. Whether the bare one is first changes with the number."""
        ups = ["bare PUT", *(way for way, times in UPLOADS.items() if number < times)]
        downs = ["bare GET", *(way for way, times in DOWNLOADS.items() if number < times)]
        order = slice(None, None, -1 if number % 2 else 1)
        taken = {way: self._up(way) for way in ups[order]}
        taken |= {way: self._down(way) for way in downs[order]}
        self._forget()
        return taken

    def _up(self, way: str) -> Taken:
        # Before the system has written it to its disk, to the cost of whatever comes next.
        self._forget()
        promised = self._promise() if way == "bare PUT" else {}
        taken = self._go(way, self._file, link=promised.get("upload"))
        self._kept = promised.get("id") or taken["id"]
        self._local.ask("GET", f"files/{self._kept}")
        return taken

    def _down(self, way: str) -> Taken:
        link = self._local.ask("GET", f"files/{self._kept}/url")
        taken = self._go(way, self._copy, id=self._kept, link=link)
        if (there := self._copy.stat().st_size) != BYTES:
            raise Failed(f"{way}: {there} bytes came, not {BYTES}")
        self._copy.unlink()
        return taken

    def _promise(self) -> dict[str, Any]:
        asked = {"filename": "file", "purpose": "user_data", "bytes": BYTES}
        return self._local.ask("POST", "files", asked)

    def _forget(self) -> None:
        if self._kept:
            self._local.ask("DELETE", f"files/{self._kept}")
            self._kept = ""

    def _go(self, way: str, path: Path, **told: Any) -> Taken:
        self._progress(f"1 GiB: {way}")
        told |= {"base_url": self._local.base_url, "key": self._local.key}
        command = [sys.executable, "-m", "benchmarks.transfer", way, str(path)]
        said = self._deadline.run(command, _ENVIRONMENT, json.dumps(told))
        taken: Taken = json.loads(said.splitlines()[-1])
        return taken


def measure(
    local: Local, folder: Path, deadline: Deadline, progress: Callable[[str], None]
) -> list[Transfer]:
    """Every way, round after round."""
    transfers = _Transfers(local, folder, deadline, progress)
    rounds = [transfers.round(number) for number in range(ROUNDS)]
    ways = [("bare PUT", way) for way in UPLOADS] + [("bare GET", way) for way in DOWNLOADS]
    return [_figure(rounds, way, bare) for bare, way in ways]


def _figure(rounds: list[dict[str, Taken]], way: str, bare: str) -> Transfer:
    pairs = [(each[way], each[bare]) for each in rounds if way in each]

    def series(name: str) -> tuple[list[float], list[float]]:
        return [mine[name] for mine, _ in pairs], [base[name] for _, base in pairs]

    seconds, cpu = series("seconds"), series("cpu")
    return Transfer(
        way,
        statistics.median(seconds[0]),
        statistics.median(seconds[1]),
        Ratio.of(*seconds),
        Ratio.of(*cpu),
        int(max(series("memory")[0])),
    )


def _make(path: Path) -> None:
    """Makes a file of bytes that cannot be compressed, no block like another, on the disk."""
    block = random.Random(0).randbytes(_BLOCK_BYTES - 8)  # noqa: S311  no secret
    with path.open("wb") as file:
        for number in range(BYTES // _BLOCK_BYTES):
            file.write(number.to_bytes(8) + block)
        file.flush()
        os.fsync(file.fileno())
