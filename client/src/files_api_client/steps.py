"""What an upload asks of the network: a plan yields these steps, a runner takes them.

So one plan serves threads and tasks. A step's outcome, or its error, goes back into the plan.
"""

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import httpx2

from files_api_client.options import Progress
from files_api_client.source import Piece, Source

# A hundredth of a second of a gigabit link, and little beside what Python itself needs. Of much
# less at once, tasks would spend more on handing it over than on sending it.
CHUNK_SIZE = 1024**2


class Meter:
    """Counts the bytes of one file that are on their way, and tells the caller.

    Args:
        progress: whom to tell; never by two threads at once.
        total: how many bytes there are.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._sent = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._sent += count
            if count and self._progress is not None:
                self._progress(self._sent, self._total)


@dataclass(frozen=True)
class Call:
    """A request to the service. Its outcome is the answer, read."""

    request: httpx2.Request


@dataclass(frozen=True)
class Abandon(Call):
    """A request to forget something, made on the way out: whether it succeeds does not matter."""


@dataclass
class Put:
    """One piece of a file, to where a presigned URL says. Its outcome is the storage's answer.

    Attributes:
        link: what the service answered: `method`, `url`, `headers`.
        source: whose piece.
        piece: which.
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
        """The request, with an iterator of the chunks; with nothing that the link does not say."""
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
        """That chunk is sent."""
        self.sent += len(chunk)
        self.meter.add(len(chunk))

    def settle(self, *, arrived: bool) -> None:
        """All of the piece is there, or none of it."""
        self.meter.add(self.piece.size - self.sent if arrived else -self.sent)


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Together:
    """Plans to be run side by side. The outcome is what they return, in order.

    Attributes:
        plans: taken only as others end.
        limit: how many at once.
    """

    plans: Iterator["Plan[Any]"]
    limit: int


Step: TypeAlias = Call | Put | Pause | Together
T = TypeVar("T")
Plan: TypeAlias = Generator[Step, Any, T]
