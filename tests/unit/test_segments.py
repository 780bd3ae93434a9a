"""How parts become one blob: no byte lost, within S3's limits, as little merged as possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.service.model import MAX_DIRECT_BYTES
from files_api.service.segments import (
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

# A part of an upload has 1 byte to 5 GiB; sizes near a multiple of 5 MiB are the interesting ones.
near_limits = st.builds(
    lambda times, off: max(1, times * MIN_PART_BYTES + off), st.integers(0, 4), st.integers(-2, 2)
)
sizes = st.one_of(
    near_limits,
    st.integers(1, 12 * MIB),
    st.integers(1, 1000),
    st.integers(MAX_DIRECT_BYTES - 6 * MIB, MAX_DIRECT_BYTES),
)
blobs = st.lists(sizes, min_size=1, max_size=40).map(
    lambda each: [(f"part-{n}", size) for n, size in enumerate(each)]
)


def size(segment: Segment) -> int:
    return sum(map(len, segment))


@given(blobs)
def test_segments_hold_every_byte_once_and_in_order(parts: list[tuple[str, int]]) -> None:
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


@given(blobs)
def test_segments_have_sizes_that_s3_accepts(parts: list[tuple[str, int]]) -> None:
    segments = plan(parts)

    assert 1 <= len(segments) <= MAX_PARTS
    assert plan(parts) == segments
    assert all(size(segment) >= MIN_PART_BYTES for segment in segments[:-1])
    assert all(size(segment) <= COPY_BYTES for segment in segments)


@pytest.mark.parametrize(
    ("number", "each"),
    [
        (MAX_PARTS, 5 * 1024**4 // MAX_PARTS),  # S3's largest object, in as many parts as it allows
        (MAX_PARTS - 1, 5 * 1024**4 // MAX_PARTS),
        (MAX_PARTS, MIN_PART_BYTES - 1),
        (9_000, 300 * MIB),
        (1_024, MAX_DIRECT_BYTES),
        (1, MAX_DIRECT_BYTES),
    ],
)
def test_segments_are_never_more_than_s3_accepts(number: int, each: int) -> None:
    segments = plan((f"part-{n}", each) for n in range(number))

    assert len(segments) <= MAX_PARTS
    assert sum(map(size, segments)) == number * each
    assert all(MIN_PART_BYTES <= size(segment) <= MAX_DIRECT_BYTES for segment in segments[:-1])


def test_large_blob_is_copied_in_even_pieces() -> None:
    assert [size(segment) for segment in plan([("a", MAX_DIRECT_BYTES)])] == [COPY_BYTES] * 40
    assert shape(2 * COPY_BYTES + 1) == [
        [("a", 0, 89478486)],
        [("a", 89478486, 178956972)],
        [("a", 178956972, 268435457)],
    ]
    assert shape(COPY_BYTES) == [[("a", 0, COPY_BYTES)]]


@given(blobs)
def test_merged_segments_are_small_and_the_rest_is_copied(parts: list[tuple[str, int]]) -> None:
    segments = plan(parts)

    merged = [segment for segment in segments if not is_copy(segment)]
    assert all(size(segment) < 2 * MIN_PART_BYTES for segment in merged)
    assert merged_bytes(segments) == sum(map(size, merged))
    # Only bytes of small parts, and as many of their neighbours, pass through the function.
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
        # too small to stand alone, and so would be the rest of the next
        ((4 * MIB, 4 * MIB), [[("a", 0, 4 * MIB), ("b", 0, 4 * MIB)]]),
        # the next part gives just what is missing
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
def test_plan_of_these_sizes_is_as_shown(
    sizes: tuple[int, ...], segments: list[list[tuple[str, int, int]]]
) -> None:
    assert shape(*sizes) == segments


def test_only_a_single_piece_of_five_mebibytes_is_copied() -> None:
    copied = [Piece("a", 1, 1 + MIN_PART_BYTES)]
    small, several = [Piece("a", 0, MIN_PART_BYTES - 1)], [*copied, Piece("b", 0, 10)]

    assert [is_copy(each) for each in (copied, small, several)] == [True, False, False]
    assert merged_bytes([copied]) == 0
    assert merged_bytes([copied, several, small]) == 2 * MIN_PART_BYTES + 9
