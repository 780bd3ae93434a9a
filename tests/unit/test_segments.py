"""How parts become one object: no byte lost, S3's limits kept, as little merged as can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.model import MAX_DIRECT_BYTES
from files_api.segments import (
    COPY_BYTES,
    MAX_PARTS,
    MIN_PART_BYTES,
    Piece,
    Segment,
    is_copy,
    merged_bytes,
    plan,
)

MIB = 1024**2

# A part of an upload has 1 byte to 5 GiB; what is near a multiple of 5 MiB is most telling.
near_limits = st.builds(
    lambda times, off: max(1, times * MIN_PART_BYTES + off),
    st.integers(0, 4),
    st.integers(-2, 2),
)
sizes = st.one_of(
    near_limits,
    st.integers(1, 12 * MIB),
    st.integers(1, 1000),
    st.integers(MAX_DIRECT_BYTES - 6 * MIB, MAX_DIRECT_BYTES),
)
objects = st.lists(sizes, min_size=1, max_size=40).map(
    lambda each: [(f"part-{n}", size) for n, size in enumerate(each)]
)


def size(segment: Segment) -> int:
    return sum(map(len, segment))


@given(objects)
def test_the_segments_hold_every_byte_once_and_in_order(parts: list[tuple[str, int]]) -> None:
    pieces = [piece for segment in plan(parts) for piece in segment]

    assert all(len(piece) > 0 for piece in pieces)
    rest = iter(pieces)
    for key, length in parts:
        at = 0
        while at < length:
            piece = next(rest)
            assert (piece.key, piece.start) == (key, at)
            at = piece.end
        assert at == length
    assert next(rest, None) is None


@given(objects)
def test_the_segments_are_what_s3_takes(parts: list[tuple[str, int]]) -> None:
    segments = plan(parts)

    assert 1 <= len(segments) <= MAX_PARTS
    assert plan(parts) == segments
    assert all(size(segment) >= MIN_PART_BYTES for segment in segments[:-1])
    assert all(size(segment) <= COPY_BYTES for segment in segments)


@pytest.mark.parametrize(
    ("number", "each"),
    [
        (MAX_PARTS, 5 * 1024**4 // MAX_PARTS),  # S3's largest object, in as many parts as it takes
        (MAX_PARTS - 1, 5 * 1024**4 // MAX_PARTS),
        (MAX_PARTS, MIN_PART_BYTES - 1),
        (9_000, 300 * MIB),
        (1_024, MAX_DIRECT_BYTES),
        (1, MAX_DIRECT_BYTES),
    ],
)
def test_the_segments_are_never_more_than_s3_takes(number: int, each: int) -> None:
    segments = plan((f"part-{n}", each) for n in range(number))

    assert len(segments) <= MAX_PARTS
    assert sum(map(size, segments)) == number * each
    assert all(MIN_PART_BYTES <= size(segment) <= MAX_DIRECT_BYTES for segment in segments[:-1])


def test_what_is_large_is_copied_in_pieces_side_by_side() -> None:
    assert [size(segment) for segment in plan([("a", MAX_DIRECT_BYTES)])] == [COPY_BYTES] * 40
    assert shape(2 * COPY_BYTES + 1) == [
        [("a", 0, 89478486)],
        [("a", 89478486, 178956972)],
        [("a", 178956972, 268435457)],
    ]
    assert shape(COPY_BYTES) == [[("a", 0, COPY_BYTES)]]


@given(objects)
def test_what_is_merged_is_small_and_the_rest_is_copied(parts: list[tuple[str, int]]) -> None:
    segments = plan(parts)

    merged = [segment for segment in segments if not is_copy(segment)]
    assert all(size(segment) < 2 * MIN_PART_BYTES for segment in merged)
    assert merged_bytes(segments) == sum(map(size, merged))
    # Only bytes of small parts, and as many of their neighbours', come through the function.
    small = sum(1 for _, length in parts if length < MIN_PART_BYTES)
    assert merged_bytes(segments) <= 2 * MIN_PART_BYTES * small


def shape(*sizes: int) -> list[list[tuple[str, int, int]]]:
    """The plan of parts a, b, c, … of these sizes."""
    return [
        [(piece.key, piece.start, piece.end) for piece in segment]
        for segment in plan(zip("abcdefgh", sizes, strict=False))
    ]


@pytest.mark.parametrize(
    ("sizes", "segments"),
    [
        ((), []),
        ((1,), [[("a", 0, 1)]]),
        ((5 * MIB,), [[("a", 0, 5 * MIB)]]),
        ((5 * MIB, 5 * MIB), [[("a", 0, 5 * MIB)], [("b", 0, 5 * MIB)]]),
        # too small to stand alone, and the rest of the next would be
        ((4 * MIB, 4 * MIB), [[("a", 0, 4 * MIB), ("b", 0, 4 * MIB)]]),
        # the next lends just what is missing
        ((4 * MIB, 6 * MIB), [[("a", 0, 4 * MIB), ("b", 0, MIB)], [("b", MIB, 6 * MIB)]]),
        ((4 * MIB, 6 * MIB - 1), [[("a", 0, 4 * MIB), ("b", 0, 6 * MIB - 1)]]),
        ((3, 2, 1), [[("a", 0, 3), ("b", 0, 2), ("c", 0, 1)]]),
        ((5 * MIB, 7), [[("a", 0, 5 * MIB)], [("b", 0, 7)]]),
        (
            (7, 5 * MIB - 8, 1, 9),
            [[("a", 0, 7), ("b", 0, 5 * MIB - 8), ("c", 0, 1)], [("d", 0, 9)]],
        ),
    ],
)
def test_examples(sizes: tuple[int, ...], segments: list[list[tuple[str, int, int]]]) -> None:
    assert shape(*sizes) == segments


def test_one_piece_of_five_mebibytes_is_copied_anything_else_is_merged() -> None:
    copied = [Piece("a", 1, 1 + MIN_PART_BYTES)]
    small, several = [Piece("a", 0, MIN_PART_BYTES - 1)], [*copied, Piece("b", 0, 10)]

    assert [is_copy(each) for each in (copied, small, several)] == [True, False, False]
    assert merged_bytes([copied]) == 0
    assert merged_bytes([copied, several, small]) == 2 * MIN_PART_BYTES + 9
