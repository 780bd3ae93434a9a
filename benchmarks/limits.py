"""What the figures may be at most. Above any of these, `make bench` fails."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.figures import Figures


@dataclass(frozen=True, slots=True)
class CallLimit:
    """The limits of one kind of call.

    Attributes:
        cpu: of the handler, to that of the bare boto3 calls which it makes.
        aws_calls: requests to AWS: exactly so many.
    """

    cpu: float
    aws_calls: int


@dataclass(frozen=True, slots=True)
class TransferLimit:
    """The limits of one way to send or fetch a large file.

    Attributes:
        seconds: to those of a bare presigned request.
        cpu: of the client's process, to that of a bare one.
    """

    seconds: float
    cpu: float


# Init of a function, to that of boto3 with two clients.
INIT_RATIO: Final = 1.25

CALLS: Final[Mapping[str, CallLimit]] = {
    "retrieve": CallLimit(cpu=1.3, aws_calls=1),
    "list of 20": CallLimit(cpu=1.3, aws_calls=1),
    "list of 100": CallLimit(cpu=1.3, aws_calls=1),
    "list of 100, to typed items": CallLimit(cpu=0.6, aws_calls=1),
    "content of 1 KiB": CallLimit(cpu=1.3, aws_calls=2),
    "content, by redirect": CallLimit(cpu=1.3, aws_calls=1),
    "link": CallLimit(cpu=1.3, aws_calls=1),
    "create of 1 KiB": CallLimit(cpu=1.3, aws_calls=2),
    "promise of a file": CallLimit(cpu=1.3, aws_calls=1),
    "finalize": CallLimit(cpu=1.3, aws_calls=4),
    "delete": CallLimit(cpu=1.3, aws_calls=3),
    "open an upload": CallLimit(cpu=1.3, aws_calls=1),
    "part of 1 KiB": CallLimit(cpu=1.3, aws_calls=3),
    "promise of a part": CallLimit(cpu=1.3, aws_calls=2),
    "complete, 3 parts": CallLimit(cpu=1.3, aws_calls=13),
    "complete, assembled later": CallLimit(cpu=1.3, aws_calls=5),
    "assemble, 3 parts": CallLimit(cpu=1.3, aws_calls=15),
    "cancel, 3 parts": CallLimit(cpu=1.3, aws_calls=4),
    "give up an upload": CallLimit(cpu=1.3, aws_calls=6),
    "purge of 3 items": CallLimit(cpu=1.3, aws_calls=6),
    "sweep of 3 objects": CallLimit(cpu=1.3, aws_calls=7),
    "authorize": CallLimit(cpu=1.3, aws_calls=1),
}


# A page of a list: time, to that of the bare Query; and to the same page of a shorter list.
LIST_RATIO: Final = 1.3
LIST_GROWTH: Final = 1.3
LIST_QUERIES: Final = 1
LIST_ITEMS: Final = 101  # of a page of 100: one more tells whether there is more

# Of the memory that the template gives a function, what it may take.
MEMORY_SHARE: Final = 0.5

# By the clock it is a large file on one machine's disk, with an emulator between: no two runs are
# alike. What the client itself costs shows in its CPU.
TRANSFERS: Final[Mapping[str, TransferLimit]] = {
    "upload": TransferLimit(seconds=2.0, cpu=1.6),
    "upload, with tasks": TransferLimit(seconds=3.0, cpu=3.0),
    "upload in parts": TransferLimit(seconds=5.0, cpu=1.6),
    "download": TransferLimit(seconds=2.0, cpu=1.6),
    "download, with tasks": TransferLimit(seconds=4.0, cpu=3.5),  # the SDK writes it in threads
}
CLIENT_MEMORY: Final = 32 * 1024**2  # bytes that the client's process may grow by

# `complete`, to the bare calls that make the same of such parts.
ASSEMBLY_RATIO: Final = 2.0


def as_json() -> dict[str, Any]:
    """Every limit, by its name."""
    return {
        "init_ratio": INIT_RATIO,
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


def broken(figures: Figures) -> Iterator[str]:
    """A sentence for each limit that the figures break."""
    yield from _calls(figures)
    for page in figures.lists:
        yield from _over(f"Time of {page.name}", page.ratio.median, LIST_RATIO)
        yield from _over(f"Growth of {page.name}", page.growth, LIST_GROWTH)
        yield from _over(f"Queries of {page.name}", page.queries, LIST_QUERIES)
        yield from _over(f"Items read of {page.name}", page.items_read, LIST_ITEMS)
    for each in figures.memory:
        yield from _over(f"Memory of {each.function}, its share", each.share, MEMORY_SHARE)
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
        yield f"{what}: {shown}, over {limit}."


def _calls(figures: Figures) -> Iterator[str]:
    for start in figures.starts:
        if start.ratio.median > INIT_RATIO:
            yield f"Init of {start.function}: {start.ratio.median:.2f}, over {INIT_RATIO}."
    for call in figures.calls:
        limit = CALLS[call.name]
        if call.ratio.median > limit.cpu:
            yield f"CPU of {call.name}: {call.ratio.median:.2f}, over {limit.cpu}."
        if call.aws_calls != limit.aws_calls:
            yield f"AWS calls of {call.name}: {call.aws_calls}, not {limit.aws_calls}."
