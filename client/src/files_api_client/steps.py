"""The steps of a plan, which a runner executes on the network.

One plan serves threads and tasks. The result of a step, or its error, goes back into the plan.
"""

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import httpx2

from files_api_client.options import Progress
from files_api_client.source import Piece, Source

# A gigabit line sends this in ten milliseconds, and it is little beside Python itself. With much
# smaller chunks, tasks would spend more time on passing them on than on sending them.
CHUNK_SIZE = 1024**2


class Meter:
    """Counts the bytes of one file that were sent, and reports them.

    Args:
        progress: called with each count, by one thread at a time.
        total: size of the file, in bytes.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.total = total
        self._progress = progress
        self._sent = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._sent += count
            if count and self._progress is not None:
                self._progress(self._sent, self.total)


@dataclass(frozen=True)
class Call:
    """A request to the API. Its result is the answer, with its body."""

    request: httpx2.Request


@dataclass(frozen=True)
class Abandon(Call):
    """A request that tidies up after a failure; whether it succeeds does not matter."""


@dataclass
class Put:
    """A PUT of one piece of a file to a presigned URL. Its result is the storage's answer.

    Attributes:
        link: `method`, `url` and `headers` from the API.
        source: the file.
        piece: the bytes to send.
        meter: counts its bytes.
        timeout: as httpx2 has it in a request's extensions.
    """

    link: dict[str, Any]
    source: Source
    piece: Piece
    meter: Meter
    timeout: Any = None
    sent: int = field(default=0, init=False)

    def request(self, body: Any) -> httpx2.Request:
        """The request; `body` iterates over the chunks. It has no headers beyond the given ones."""
        headers = self.link.get("headers", {}) | {"Content-Length": str(self.piece.size)}
        extensions = {"timeout": self.timeout} if self.timeout else {}
        return httpx2.Request(
            self.link["method"],
            self.link["url"],
            headers=headers,
            content=body,
            extensions=extensions,
        )

    def read(self) -> bytes:
        """The next chunk, empty at the end of the piece."""
        size = min(CHUNK_SIZE, self.piece.size - self.sent)
        return self.source.read(self.piece.offset + self.sent, size) if size else b""

    def count(self, chunk: bytes) -> None:
        """Counts a chunk that was sent."""
        self.sent += len(chunk)
        self.meter.add(len(chunk))

    def finish(self, *, arrived: bool) -> None:
        """Corrects the count: the whole piece has arrived, or nothing of it."""
        self.meter.add(self.piece.size - self.sent if arrived else -self.sent)


@dataclass(frozen=True)
class Pause:
    """Waits."""

    seconds: float


@dataclass(frozen=True)
class Together:
    """Plans to run in parallel. The result is the list of their results, in order.

    Attributes:
        plans: each is taken only when another one has ended.
        limit: how many run at the same time.
    """

    plans: Iterator["Plan[Any]"]
    limit: int


Step: TypeAlias = Call | Put | Pause | Together
T = TypeVar("T")
Plan: TypeAlias = Generator[Step, Any, T]
