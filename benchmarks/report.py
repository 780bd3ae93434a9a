"""The figures as a page for people and a file for programs."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore

from benchmarks import calls, startup
from benchmarks.figures import Figures, Ratio
from benchmarks.limits import CALLS, INIT_RATIO, broken

type Row = Sequence[str]

_PAGE = """\
# What it costs

Made by `make bench`, which fails when a limit is broken. Do not edit.

{machine}

## Time to start

What Lambda does before a function's first call: import the function and make its clients. Measured
inside a fresh interpreter, from its first statement, on what `sam build` makes for AWS. The base is
`import boto3` and its clients of DynamoDB and S3, as installed from PyPI: {base:.0f} ms here.

{starts}

## CPU of a call

The handler of a deployed function answers an event of API Gateway, EventBridge, SQS or the table's
stream; DynamoDB, S3 and Lambda are a stub in another process. The base is the same AWS calls with
the same parameters by plain clients of boto3, their answers read and parsed, in the same process;
to presign a URL is one of these calls, though it asks nothing of AWS. 1.2 says that a sixth of a
call's CPU is ours. Only "to typed items" differs: its base reads a page of items that keep each
field as an attribute, as a table usually does; ours keep a file's public form as one text.
Connections are plain HTTP on loopback: TLS would add the same to both sides.

{calls}

## Layers

{sizes}

## How to read it

Both sides of a ratio are measured one after the other, round after round; the ratio is the median
of the rounds' ratios, with the quartiles beside it. Init takes {init_rounds} rounds; CPU {rounds},
each of as many calls on each side as make {requests} requests to AWS, and one at least. CPU is that
of the measured process alone. Ratios carry over to other machines; milliseconds and microseconds do
not. A function of 512 MB has 0.29 of a processor on Lambda (AWS gives a whole one at 1,769 MB), so
there a call's CPU takes longer by the clock.
"""


def machine() -> dict[str, Any]:
    """Where and when."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "botocore": botocore.__version__,
    }


def _processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def as_json(figures: Figures, where: dict[str, Any]) -> dict[str, Any]:
    """Everything measured, with the limits beside it."""
    limits = {"init_ratio": INIT_RATIO, "calls": {n: asdict(limit) for n, limit in CALLS.items()}}
    return {"machine": where} | asdict(figures) | {"limits": limits, "broken": [*broken(figures)]}


def page(figures: Figures, where: dict[str, Any]) -> str:
    """The page."""
    return _PAGE.format(
        machine=(
            f"{where['date']}, {where['system']} on {where['processors']} processors "
            f"({where['processor']}), load {where['load']}; Python {where['python']}, "
            f"botocore {where['botocore']}."
        ),
        base=figures.starts[0].base_milliseconds,
        starts=_aligned(starts(figures)),
        calls=_aligned(per_call(figures)),
        sizes=_aligned(sizes(figures)),
        init_rounds=startup.ROUNDS,
        rounds=calls.ROUNDS,
        requests=calls.REQUESTS_A_BATCH,
    )


def text(figures: Figures) -> str:
    """The tables alone, for a terminal."""
    return "\n\n".join(_aligned(table(figures)) for table in (starts, per_call, sizes))


def starts(figures: Figures) -> Iterator[Row]:
    """The table of init times."""
    yield "init of", "ms", "ratio", "quartiles", "limit"
    for start in figures.starts:
        yield start.function, f"{start.milliseconds:.0f}", *_shown(start.ratio, INIT_RATIO)


def per_call(figures: Figures) -> Iterator[Row]:
    """The table of CPU and AWS calls."""
    yield "call", "µs", "bare µs", "ratio", "quartiles", "limit", "AWS calls", "limit"
    for call in figures.calls:
        limit = CALLS[call.name]
        yield (
            call.name,
            f"{call.handler_microseconds:.0f}",
            f"{call.bare_microseconds:.0f}",
            *_shown(call.ratio, limit.cpu),
            str(call.aws_calls),
            str(limit.aws_calls),
        )


def sizes(figures: Figures) -> Iterator[Row]:
    """The table of layers."""
    yield "layer", "zipped MB", "unzipped MB"
    for size in figures.sizes:
        yield size.layer, f"{size.zipped / 1e6:.2f}", f"{size.unzipped / 1e6:.2f}"


def _shown(ratio: Ratio, limit: float) -> Row:
    return f"{ratio.median:.2f}", f"{ratio.low:.2f} to {ratio.high:.2f}", f"{limit}"


def _aligned(table: Iterable[Row]) -> str:
    """A table in Markdown, its columns as wide as they need: the first to the left."""
    header, *rows = table
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    rule = [f"{'-' * (width - 1)}{':' if number else '-'}" for number, width in enumerate(widths)]
    return "\n".join(_line(row, widths) for row in [header, rule, *rows])


def _line(row: Row, widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(cells)} |"
