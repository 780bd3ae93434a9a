"""Uploads and downloads of a gigabyte with the client package and by bare requests, in turns."""

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

type Taken = dict[str, Any]  # what `benchmarks.transfer` prints

BYTES: Final = 1024**3
ROUNDS: Final = 4  # an even number: the two sides take turns at being first
# How often each way is measured: once if it uses tasks instead of threads, or if the emulator
# writes all bytes twice.
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
        folder: where the file and its copies are stored.
        deadline: for all transfers.
        progress: called with the name of each transfer.
    """

    def __init__(
        self, local: Local, folder: Path, deadline: Deadline, progress: Callable[[str], None]
    ) -> None:
        self._local = local
        self._file, self._copy = folder / "file", folder / "copy"
        self._deadline = deadline
        self._progress = progress
        self._file_id = ""
        _make(self._file)

    def round(self, number: int) -> dict[str, Taken]:
        """One round: every way that is measured this often, and the bare requests."""
        ups = ["bare PUT", *(way for way, times in UPLOADS.items() if number < times)]
        downs = ["bare GET", *(way for way, times in DOWNLOADS.items() if number < times)]
        order = slice(None, None, -1 if number % 2 else 1)
        taken = {way: self._up(way) for way in ups[order]}
        taken |= {way: self._down(way) for way in downs[order]}
        self._delete()
        return taken

    def _up(self, way: str) -> Taken:
        # At once, before the system writes it to the disk, which would slow the next transfer.
        self._delete()
        pending = self._pending_file() if way == "bare PUT" else {}
        taken = self._run(way, self._file, presigned=pending.get("upload"))
        self._file_id = pending.get("id") or taken["id"]
        self._local.ask("GET", f"files/{self._file_id}")
        return taken

    def _down(self, way: str) -> Taken:
        presigned = self._local.ask("GET", f"files/{self._file_id}/url")
        taken = self._run(way, self._copy, id=self._file_id, presigned=presigned)
        if (received := self._copy.stat().st_size) != BYTES:
            raise Failed(f"{way}: received {received} bytes, not {BYTES}")
        self._copy.unlink()
        return taken

    def _pending_file(self) -> dict[str, Any]:
        fields = {"filename": "file", "purpose": "user_data", "bytes": BYTES}
        return self._local.ask("POST", "files", fields)

    def _delete(self) -> None:
        if self._file_id:
            self._local.ask("DELETE", f"files/{self._file_id}")
            self._file_id = ""

    def _run(self, way: str, path: Path, **given: Any) -> Taken:
        self._progress(f"1 GiB: {way}")
        given |= {"base_url": self._local.base_url, "key": self._local.key}
        command = [sys.executable, "-m", "benchmarks.transfer", way, str(path)]
        output = self._deadline.run(command, _ENVIRONMENT, json.dumps(given))
        taken: Taken = json.loads(output.splitlines()[-1])
        return taken


def measure(
    local: Local, folder: Path, deadline: Deadline, progress: Callable[[str], None]
) -> list[Transfer]:
    """Measures every way, round after round."""
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
    """Writes a file to the disk whose bytes cannot be compressed; no two blocks are equal."""
    block = random.Random(0).randbytes(_BLOCK_BYTES - 8)  # noqa: S311  not a secret
    with path.open("wb") as file:
        for number in range(BYTES // _BLOCK_BYTES):
            file.write(number.to_bytes(8) + block)
        file.flush()
        os.fsync(file.fileno())
