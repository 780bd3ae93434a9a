"""Ids: their form, their order, the time that they carry."""

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.service.ids import creation_time, is_id, new_id

# From 1970 to the end of the 48 bits of milliseconds.
moments = st.integers(min_value=0, max_value=(1 << 48) * 1_000_000 - 1)


@given(moments)
def test_id_is_a_canonical_uuid_of_version_7(now_ns: int) -> None:
    id = new_id(now_ns)

    parsed = uuid.UUID(id)
    assert str(parsed) == id
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == now_ns // 1_000_000
    assert is_id(id)


@given(moments)
def test_id_tells_the_second_of_its_creation(now_ns: int) -> None:
    assert creation_time(new_id(now_ns)) == now_ns // 1_000_000_000


@given(moments, moments)
def test_ids_sort_by_creation_to_a_quarter_of_a_microsecond(one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    if later - earlier >= 1_000_000 / 4096 + 1:
        assert new_id(earlier) < new_id(later)


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id(1) for _ in range(1000)}) == 1000


def test_id_carries_the_present_time_by_default() -> None:
    before = int(time.time())
    assert before <= creation_time(new_id()) <= time.time()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file-abc123",
        "019E8232-6000-7A10-8D3C-5B1F6E2A9C01",  # upper case
        "019e823260007a108d3c5b1f6e2a9c01",  # no hyphens
        "{019e8232-6000-7a10-8d3c-5b1f6e2a9c01}",
        "urn:uuid:019e8232-6000-7a10-8d3c-5b1f6e2a9c01",
        "019e8232-6000-4a10-8d3c-5b1f6e2a9c01",  # version 4
        "019e8232-6000-7a10-cd3c-5b1f6e2a9c01",  # another variant
        "019e8232-6000-7a10-8d3c-5b1f6e2a9c0",  # short
        "019e8232-6000-7a10-8d3c-5b1f6e2a9c011",  # long
        "019e8232-6000-7a10-8d3c-5b1f6e2a9c01\n",
        "\u066019e8232-6000-7a10-8d3c-5b1f6e2a9c01",  # a digit, but not ours
        "019e8232-6000-7a10-8d3c-5b1f6e2a9c0g",
    ],
)
def test_any_other_text_is_not_an_id(text: str) -> None:
    assert not is_id(text)
