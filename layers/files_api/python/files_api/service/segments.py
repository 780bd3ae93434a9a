"""How blobs become one blob inside S3: which bytes are copied, and which are merged.

A part of an S3 multipart upload, except the last, has 5 MiB to 5 GiB (Amazon S3, "Amazon S3
multipart upload limits"). Pieces of that size are copied inside S3; smaller ones pass through the
function, which merges them with the bytes that follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MIN_PART_BYTES = 5 * 1024**2
MAX_PART_BYTES = 5 * 1024**3
MAX_PARTS = 10_000

# S3 copies this much in a second or two, and many such pieces at the same time.
COPY_BYTES = 128 * 1024**2


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a blob.

    Attributes:
        key: the blob key.
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
"""The source of one S3 part: a single piece is copied, several are merged."""


def plan(blobs: Iterable[tuple[str, int]]) -> list[Segment]:
    """The segments that make one blob of several.

    Args:
        blobs: key and size (bytes) of each, in order.

    Returns:
        Segments that hold all bytes in order: at most 10,000, each except the last of at least
        5 MiB. The same blobs always make the same segments.
    """
    blobs = list(blobs)
    merged = _merged(blobs)
    most = _copy_bytes(sum(size for _, size in blobs), len(merged))
    return [cut for segment in merged for cut in _cut(segment, most)]


def _merged(blobs: list[tuple[str, int]]) -> list[Segment]:
    """The fewest possible segments: never more than there are blobs."""
    segments: list[Segment] = []
    waiting: Segment = []
    for key, size in blobs:
        piece = Piece(key, 0, size)
        if waiting:
            missing = MIN_PART_BYTES - sum(map(len, waiting))
            # Include a remainder that is too small to be copied.
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
    """The size of the pieces to copy: small for speed, large enough to keep within 10,000."""
    spare = MAX_PARTS - segments
    least = -(-total // spare) if spare else MAX_PART_BYTES
    return min(max(least, COPY_BYTES), MAX_PART_BYTES)


def _cut(segment: Segment, most: int) -> list[Segment]:
    """Splits a segment to be copied into even pieces of up to `most` bytes; none is too small."""
    if not is_copy(segment):
        return [segment]
    (rest,) = segment
    pieces: list[Segment] = []
    for left in range(-(-len(rest) // most), 1, -1):
        head, rest = rest.cut(-(-len(rest) // left))
        pieces.append([head])
    return [*pieces, [rest]]


def merged_bytes(segments: Iterable[Segment]) -> int:
    """How many bytes pass through the function that assembles the segments."""
    return sum(sum(map(len, segment)) for segment in segments if not is_copy(segment))


def is_copy(segment: Segment) -> bool:
    """Whether the segment's bytes stay inside S3."""
    return len(segment) == 1 and len(segment[0]) >= MIN_PART_BYTES
