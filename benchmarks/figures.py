"""Measured figures, their limits, and tables of them."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Figure:
    """A number.

    Attributes:
        name: the heading of its column.
        value: the number.
        form: how it is shown: a format specification.
        limit: the most that it may be, if there is a limit.
        exact: whether it must be equal to the limit.
        quartiles: if it is the median of several rounds, the first and third quartile of these.
    """

    name: str
    value: float
    form: str = ".0f"
    limit: float | None = None
    exact: bool = False
    quartiles: tuple[float, float] | None = None

    @property
    def exceeds(self) -> bool:
        """Whether it breaks its limit."""
        exact = self.exact and self.value != self.limit
        return exact or (self.limit is not None and self.value > self.limit)

    def cells(self) -> Iterator[tuple[str, str]]:
        """The heading and the text of each of its columns."""
        yield self.name, format(self.value, self.form)
        if self.quartiles:
            yield "quartiles", " to ".join(format(each, self.form) for each in self.quartiles)
        if self.limit is not None:
            yield "limit", format(self.limit, self.form)


def ratio(measured: Sequence[float], base: Sequence[float], limit: float | None = None) -> Figure:
    """The ratio of two series, of which each pair was measured in one round.

    It is the median of the rounds' ratios: what slows a round slows both of its sides.
    """
    ratios = [one / other for one, other in zip(measured, base, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Figure("ratio", median, ".2f", limit, quartiles=(low, high))


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of the same kind, by row; the title is the heading of the rows' names."""

    title: str
    rows: Mapping[str, Sequence[Figure]]

    def figure(self, row: str, name: str) -> Figure:
        """One figure of a row."""
        return next(figure for figure in self.rows[row] if figure.name == name)

    def exceeded(self) -> Iterator[str]:
        """A sentence for each figure that breaks its limit."""
        for row, figures in self.rows.items():
            for each in filter(lambda figure: figure.exceeds, figures):
                yield f"{row}: {each.name} is {each.value:.4g}; its limit is {each.limit}."

    def markdown(self) -> str:
        """The table; without alignment, so that a changed figure changes one line."""
        cells = {
            row: [*chain.from_iterable(map(Figure.cells, self.rows[row]))] for row in self.rows
        }
        heads = [head for head, _ in next(iter(cells.values()))]
        lines = [[self.title, *heads], ["---", *["--:"] * len(heads)]]
        lines += [[row, *(text for _, text in cells[row])] for row in cells]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
