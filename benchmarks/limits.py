"""The limits of the figures. If a figure exceeds its limit, `make bench` fails."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.figures import Figures


@dataclass(frozen=True, slots=True)
class CallLimit:
    """The limits of one kind of call.

    Attributes:
        cpu: ratio of the handler's CPU to that of the same bare boto3 calls.
        aws_calls: the exact number of requests to AWS.
    """

    cpu: float
    aws_calls: int


@dataclass(frozen=True, slots=True)
class TransferLimit:
    """The limits of one way to send or fetch a large file.

    Attributes:
        seconds: ratio to the seconds of a bare presigned request.
        cpu: ratio of the client process's CPU to that of the process with the bare request.
    """

    seconds: float
    cpu: float


# Ratio of a function's init to that of boto3 with two clients.
_INIT: Final = 1.0
_SHORTER_INITS: Final[Mapping[str, float]] = {
    "Authorize": 0.7,  # no S3 client and no pydantic
    "RetrieveFile": 0.7,  # no S3 client before a pending file is asked for, and no pydantic
    "ListFiles": 0.9,  # no S3 client
}

CALLS: Final[Mapping[str, CallLimit]] = {
    "retrieve": CallLimit(cpu=1.2, aws_calls=1),
    "list of 20": CallLimit(cpu=1.2, aws_calls=1),
    "list of 100": CallLimit(cpu=1.2, aws_calls=1),
    "list of 100, to typed items": CallLimit(cpu=0.45, aws_calls=1),
    "content of 1 KiB": CallLimit(cpu=1.2, aws_calls=2),
    "content, by redirect": CallLimit(cpu=1.2, aws_calls=1),
    "presigned URL": CallLimit(cpu=1.2, aws_calls=1),
    "create of 1 KiB": CallLimit(cpu=1.2, aws_calls=2),
    "create by direct upload": CallLimit(cpu=1.2, aws_calls=1),
    "finalize": CallLimit(cpu=1.2, aws_calls=4),
    "delete": CallLimit(cpu=1.2, aws_calls=3),
    "open an upload": CallLimit(cpu=1.2, aws_calls=1),
    "part of 1 KiB": CallLimit(cpu=1.2, aws_calls=3),
    "presigned part": CallLimit(cpu=1.2, aws_calls=2),
    "complete, 3 parts": CallLimit(cpu=1.3, aws_calls=13),
    "complete, assembled later": CallLimit(cpu=1.3, aws_calls=5),
    "assemble, 3 parts": CallLimit(cpu=1.2, aws_calls=15),
    "cancel, 3 parts": CallLimit(cpu=1.2, aws_calls=4),
    "fail an assembly": CallLimit(cpu=1.2, aws_calls=6),
    "purge of 3 items": CallLimit(cpu=1.2, aws_calls=6),
    "check of 3 blobs": CallLimit(cpu=1.2, aws_calls=7),
    "authorize": CallLimit(cpu=1.2, aws_calls=1),
}


# A page of a list: ratio of its time to that of the bare Query, and to that of a shorter list.
LIST_RATIO: Final = 1.3
LIST_GROWTH: Final = 1.3
LIST_QUERIES: Final = 1
LIST_ITEMS: Final = 101  # for a page of 100: one more shows whether another page follows

# The share of its memory that a function may use.
MEMORY_SHARE: Final = 0.5

# The seconds vary from run to run, as they are mostly those of the disk and of the emulator. The
# client's own cost shows in its CPU.
TRANSFERS: Final[Mapping[str, TransferLimit]] = {
    "upload": TransferLimit(seconds=2.0, cpu=1.6),
    "upload, with tasks": TransferLimit(seconds=3.0, cpu=3.0),
    "upload in parts": TransferLimit(seconds=5.0, cpu=1.6),
    "download": TransferLimit(seconds=2.0, cpu=1.6),
    "download, with tasks": TransferLimit(seconds=4.0, cpu=3.5),  # the SDK writes in threads
}
CLIENT_MEMORY: Final = 32 * 1024**2  # bytes that the client process may grow by

# Ratio of the seconds of `complete` to those of bare calls that assemble the same parts.
ASSEMBLY_RATIO: Final = 2.0


def init_ratio(function: str) -> float:
    """The limit of a function's init."""
    return _SHORTER_INITS.get(function, _INIT)


def as_json() -> dict[str, Any]:
    """All limits, by name."""
    return {
        "init_ratio": _INIT,
        "init_ratios": dict(_SHORTER_INITS),
        "calls": {name: asdict(limit) for name, limit in CALLS.items()},
        "list_ratio": LIST_RATIO,
        "list_growth": LIST_GROWTH,
        "list_queries": LIST_QUERIES,
        "list_items": LIST_ITEMS,
        "memory_share": MEMORY_SHARE,
        "transfers": {way: asdict(limit) for way, limit in TRANSFERS.items()},
        "client_memory": CLIENT_MEMORY,
        "assembly_ratio": ASSEMBLY_RATIO,
    }


def exceeded(figures: Figures) -> Iterator[str]:
    """A sentence for each limit that a figure exceeds."""
    yield from _calls(figures)
    for page in figures.lists:
        yield from _over(f"Time of {page.name}", page.ratio.median, LIST_RATIO)
        yield from _over(f"Growth of {page.name}", page.growth, LIST_GROWTH)
        yield from _over(f"Queries of {page.name}", page.queries, LIST_QUERIES)
        yield from _over(f"Items read of {page.name}", page.items_read, LIST_ITEMS)
    for each in figures.memory:
        yield from _over(f"Share of the memory of {each.function}", each.share, MEMORY_SHARE)
    for transfer in figures.transfers:
        limit = TRANSFERS[transfer.way]
        yield from _over(f"Time of {transfer.way}", transfer.ratio.median, limit.seconds)
        yield from _over(f"CPU of {transfer.way}", transfer.cpu.median, limit.cpu)
        yield from _over(f"Memory of {transfer.way}", transfer.memory, CLIENT_MEMORY)
    for assembly in figures.assembly:
        yield from _over(f"Time of {assembly.name}", assembly.ratio.median, ASSEMBLY_RATIO)


def _over(what: str, measured: float, limit: float) -> Iterator[str]:
    if measured > limit:
        shown = str(measured) if isinstance(measured, int) else f"{measured:.2f}"
        yield f"{what}: {shown}, above {limit}."


def _calls(figures: Figures) -> Iterator[str]:
    for start in figures.starts:
        yield from _over(
            f"Init of {start.function}", start.ratio.median, init_ratio(start.function)
        )
    for call in figures.calls:
        limit = CALLS[call.name]
        yield from _over(f"CPU of {call.name}", call.ratio.median, limit.cpu)
        if call.aws_calls != limit.aws_calls:
            yield f"AWS calls of {call.name}: {call.aws_calls}, not {limit.aws_calls}."
