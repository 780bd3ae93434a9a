"""The figures as tables in Markdown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from benchmarks import limits
from benchmarks.figures import Figures, Ratio
from benchmarks.lists import BASE_FILES

type Row = Sequence[str]


def starts(figures: Figures) -> Iterator[Row]:
    """The table of init times."""
    yield "init of", "ms", "ratio", "quartiles", "limit"
    for start in figures.starts:
        yield (
            start.function,
            f"{start.milliseconds:.0f}",
            *_shown(start.ratio, limits.init_ratio(start.function)),
        )


def per_call(figures: Figures) -> Iterator[Row]:
    """The table of CPU and AWS calls."""
    yield "call", "µs", "bare µs", "ratio", "quartiles", "limit", "AWS calls", "limit"
    for call in figures.calls:
        limit = limits.CALLS[call.name]
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


def lists(figures: Figures) -> Iterator[Row]:
    """The table of pages of lists."""
    yield (
        *("a page of 100", "ms", "bare ms", "ratio", "quartiles", "limit"),
        *(f"to {BASE_FILES:,} files", "limit", "Queries", "items read"),
    )
    for page in figures.lists:
        yield (
            page.name,
            f"{page.milliseconds:.2f}",
            f"{page.bare_milliseconds:.2f}",
            *_shown(page.ratio, limits.LIST_RATIO),
            f"{page.growth:.2f}",
            f"{limits.LIST_GROWTH}",
            str(page.queries),
            str(page.items_read),
        )


def memory(figures: Figures) -> Iterator[Row]:
    """The table of functions' memory."""
    yield "function, called with", "MiB", "of MiB", "share", "limit"
    for each in figures.memory:
        yield (
            f"{each.function}, {each.event}",
            _mib(each.peak),
            _mib(each.size),
            f"{each.share:.0%}",
            f"{limits.MEMORY_SHARE:.0%}",
        )


def transfers(figures: Figures) -> Iterator[Row]:
    """The table of large uploads and downloads."""
    yield (
        *("1 GiB", "s", "bare s", "ratio", "quartiles", "limit"),
        *("CPU ratio", "limit", "MiB of memory", "limit"),
    )
    for each in figures.transfers:
        limit = limits.TRANSFERS[each.way]
        yield (
            each.way,
            f"{each.seconds:.1f}",
            f"{each.bare_seconds:.1f}",
            *_shown(each.ratio, limit.seconds),
            f"{each.cpu.median:.2f}",
            f"{limit.cpu}",
            _mib(each.memory),
            _mib(limits.CLIENT_MEMORY),
        )


def assembly(figures: Figures) -> Iterator[Row]:
    """The table of assemblies."""
    yield "complete", "MiB/s", "bare MiB/s", "ratio of seconds", "quartiles", "limit"
    for each in figures.assembly:
        yield (
            each.name,
            f"{each.speed:.0f}",
            f"{each.bare_speed:.0f}",
            *_shown(each.ratio, limits.ASSEMBLY_RATIO),
        )


# By their placeholders in page.md.
ALL: Final[Mapping[str, Callable[[Figures], Iterator[Row]]]] = {
    "starts": starts,
    "calls": per_call,
    "lists": lists,
    "memory": memory,
    "transfers": transfers,
    "assembly": assembly,
    "sizes": sizes,
}


def _mib(size: int) -> str:
    return f"{size / 1024**2:.0f}"


def _shown(ratio: Ratio, limit: float) -> Row:
    return f"{ratio.median:.2f}", f"{ratio.low:.2f} to {ratio.high:.2f}", f"{limit}"


def aligned(table: Iterable[Row]) -> str:
    """A table in Markdown with aligned columns, the first of them to the left."""
    header, *rows = table
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    rule = [f"{'-' * (width - 1)}{':' if number else '-'}" for number, width in enumerate(widths)]
    return "\n".join(_line(row, widths) for row in [header, rule, *rows])


def _line(row: Row, widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(cells)} |"
