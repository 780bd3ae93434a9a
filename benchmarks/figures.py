"""The measured figures."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio measured in rounds, so that whatever slows a round slows both of its sides.

    Attributes:
        median: of the rounds' ratios.
        low: their first quartile.
        high: their third quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, measured: Sequence[float], base: Sequence[float]) -> Self:
        """The ratio of two series; each pair was measured in one round."""
        ratios = [one / other for one, other in zip(measured, base, strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(frozen=True, slots=True)
class Start:
    """Init of one function.

    Attributes:
        function: its logical id in the template.
        milliseconds: median of the rounds.
        base_milliseconds: of boto3 with two clients, median of the rounds.
        ratio: of the two.
    """

    function: str
    milliseconds: float
    base_milliseconds: float
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call.

    Attributes:
        name: of the case.
        function: the logical id of the function that answers.
        handler_microseconds: CPU of a call, median of the batches.
        bare_microseconds: CPU of the bare boto3 calls, median of the batches.
        ratio: of the two.
        aws_calls: requests to AWS per call.
    """

    name: str
    function: str
    handler_microseconds: float
    bare_microseconds: float
    ratio: Ratio
    aws_calls: int


@dataclass(frozen=True, slots=True)
class Size:
    """One layer, in bytes."""

    layer: str
    zipped: int
    unzipped: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list.

    Attributes:
        name: of the list and the page.
        milliseconds: of the handler, median of the rounds.
        bare_milliseconds: of the bare Query, median of the rounds.
        ratio: of the two.
        growth: of the handler, to the same page of a list of `lists.BASE_FILES` files.
        queries: requests to the table.
        items_read: items that the table reads for them.
    """

    name: str
    milliseconds: float
    bare_milliseconds: float
    ratio: Ratio
    growth: float
    queries: int
    items_read: int


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one function.

    Attributes:
        function: its logical id in the template.
        event: a description of the event that it was called with.
        peak: the most bytes in memory at once.
        size: bytes of memory that the template gives it.
    """

    function: str
    event: str
    peak: int
    size: int

    @property
    def share(self) -> float:
        """The share of its memory that it uses."""
        return self.peak / self.size


@dataclass(frozen=True, slots=True)
class Transfer:
    """One way to send or fetch a large file.

    Attributes:
        way: its name.
        seconds: median of the rounds.
        bare_seconds: of a bare presigned request, median of the rounds.
        ratio: of the two.
        cpu: ratio of the CPU of the two processes.
        memory: the most bytes that the process has grown by.
    """

    way: str
    seconds: float
    bare_seconds: float
    ratio: Ratio
    cpu: Ratio
    memory: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """The assembly of parts into one file.

    Attributes:
        name: how many parts, and how they are assembled.
        speed: MiB per second of `complete`, median of the rounds.
        bare_speed: of the bare calls, median of the rounds.
        ratio: of the seconds of the two.
    """

    name: str
    speed: float
    bare_speed: float
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a run measures."""

    starts: Sequence[Start]
    calls: Sequence[Call]
    lists: Sequence[Listed]
    memory: Sequence[Memory]
    transfers: Sequence[Transfer]
    assembly: Sequence[Assembly]
    sizes: Sequence[Size]
