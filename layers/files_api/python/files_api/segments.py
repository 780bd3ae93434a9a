"""How parts become one object inside S3: which bytes are copied, and which must be merged.

A part of an S3 multipart upload has at least 5 MiB, but the last one, and at most 5 GiB (Amazon S3,
"Amazon S3 multipart upload limits"). Larger pieces are copied there without passing through here;
smaller ones are merged with what follows them, up to that size.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MIN_PART_BYTES = 5 * 1024**2
MAX_PART_BYTES = 5 * 1024**3
MAX_PARTS = 10_000

# S3 takes a second or two to copy so much, and copies many such pieces at once.
COPY_BYTES = 128 * 1024**2


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of an object.

    Attributes:
        key: the object.
        start: the first byte.
        end: the byte after the last.
    """

    key: str
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def cut(self, size: int) -> "tuple[Piece, Piece]":
        """The first `size` bytes, and the rest."""
        middle = self.start + size
        return Piece(self.key, self.start, middle), Piece(self.key, middle, self.end)


type Segment = list[Piece]
"""What becomes one part: one piece is copied, several are merged."""


def plan(objects: Iterable[tuple[str, int]]) -> list[Segment]:
    """The segments that make one object of several.

    Args:
        objects: key and size of each, in order.

    Returns:
        Segments that hold all bytes in order, 10,000 at most, each but the last of at least 5 MiB.
        The same objects always make the same segments.
    """
    objects = list(objects)
    merged = _merged(objects)
    most = _copy_bytes(sum(size for _, size in objects), len(merged))
    return [cut for segment in merged for cut in _cut(segment, most)]


def _merged(objects: list[tuple[str, int]]) -> list[Segment]:
    """The fewest segments that can be: never more than there are objects."""
    segments: list[Segment] = []
    waiting: Segment = []
    for key, size in objects:
        piece = Piece(key, 0, size)
        if waiting:
            missing = MIN_PART_BYTES - sum(map(len, waiting))
            # A rest too small to be copied goes along.
            take = missing if len(piece) - missing >= MIN_PART_BYTES else len(piece)
            head, piece = piece.cut(take)
            waiting.append(head)
            if sum(map(len, waiting)) < MIN_PART_BYTES:
                continue
            segments.append(waiting)
            waiting = []
        if len(piece) >= MIN_PART_BYTES:
            segments.append([piece])
        elif len(piece):
            waiting = [piece]
    return [*segments, waiting] if waiting else segments


def _copy_bytes(total: int, segments: int) -> int:
    """The size of the pieces to copy: small for speed, but so large that there are not too many."""
    spare = MAX_PARTS - segments
    least = -(-total // spare) if spare else MAX_PART_BYTES
    return min(max(least, COPY_BYTES), MAX_PART_BYTES)


def _cut(segment: Segment, most: int) -> list[Segment]:
    """A segment to be copied in even pieces of up to `most` bytes, so that none is too small."""
    if not is_copy(segment):
        return [segment]
    (rest,) = segment
    pieces: list[Segment] = []
    for left in range(-(-len(rest) // most), 1, -1):
        head, rest = rest.cut(-(-len(rest) // left))
        pieces.append([head])
    return [*pieces, [rest]]


def merged_bytes(segments: Iterable[Segment]) -> int:
    """How many bytes must pass through the function that assembles the segments."""
    return sum(sum(map(len, segment)) for segment in segments if not is_copy(segment))


def is_copy(segment: Segment) -> bool:
    """Whether the segment's bytes can stay inside S3."""
    return len(segment) == 1 and len(segment[0]) >= MIN_PART_BYTES
