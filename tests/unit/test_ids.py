import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.ids import creation_time, is_file_id, new_file_id

# From 1970 to the end of the 48 bits of milliseconds.
moments = st.integers(min_value=0, max_value=(1 << 48) * 1_000_000 - 1)


@given(moments)
def test_an_id_is_a_uuid_of_version_7_in_its_one_form(now_ns: int) -> None:
    file_id = new_file_id(now_ns)

    parsed = uuid.UUID(file_id)
    assert str(parsed) == file_id
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == now_ns // 1_000_000
    assert is_file_id(file_id)


@given(moments)
def test_an_id_tells_the_second_of_its_creation(now_ns: int) -> None:
    assert creation_time(new_file_id(now_ns)) == now_ns // 1_000_000_000


@given(moments, moments)
def test_ids_are_ordered_by_creation_to_a_four_thousandth_of_a_millisecond(
    one: int, other: int
) -> None:
    earlier, later = sorted((one, other))
    if later - earlier >= 1_000_000 / 4096 + 1:
        assert new_file_id(earlier) < new_file_id(later)


def test_ids_of_one_moment_differ() -> None:
    assert len({new_file_id(1) for _ in range(1000)}) == 1000


def test_an_id_is_of_the_present_unless_told_otherwise() -> None:
    before = int(time.time())
    assert before <= creation_time(new_file_id()) <= time.time()


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
def test_whatever_else_is_no_id(text: str) -> None:
    assert not is_file_id(text)
