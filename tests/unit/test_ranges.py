"""Ranges: what a header asks for is what a slice of the content is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.api.http import attachment
from files_api.api.ranges import span, wanted
from files_api.service.errors import InvalidRange

CONTENT = bytes(range(20))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-4", (0, 4)),
        ("bytes=7-", (7, 19)),
        ("bytes=-3", (17, 19)),
        ("bytes=-99", (0, 19)),
        ("bytes=5-99", (5, 19)),
        ("BYTES=0-0", (0, 0)),
        ("bytes= 0-0 ", (0, 0)),
        # Not read, so all of it:
        ("", None),
        ("bytes=-", None),
        ("bytes=4-3", None),
        ("bytes=0-1,5-6", None),
        ("bytes=a-b", None),
        ("bytes=1_0-11", None),
        ("bytes=\u0661-2", None),
        ("lines=0-4", None),
        ("0-4", None),
    ],
)
def test_header_asks_for_these_bytes(header: str, expected: tuple[int, int] | None) -> None:
    assert span(header, 20) == expected


@pytest.mark.parametrize("header", ["bytes=20-", "bytes=20-30", "bytes=-0", "bytes=999999999999-"])
def test_range_beyond_the_end_is_refused(header: str) -> None:
    with pytest.raises(InvalidRange) as refused:
        span(header, 20)

    assert refused.value.headers == {"Content-Range": "bytes */20"}


@given(first=st.integers(0, 25), last=st.one_of(st.none(), st.integers(0, 25)))
def test_range_is_a_slice_of_the_content(first: int, last: int | None) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    if first >= 20 and (last is None or last >= first):
        with pytest.raises(InvalidRange):
            span(header, 20)
        return

    answer = attachment("a", CONTENT, '"tag"', span(header, 20))

    if last is not None and last < first:
        assert (answer.status, answer.body) == (200, CONTENT)
    else:
        end = 19 if last is None else min(last, 19)
        assert (answer.status, answer.body) == (206, CONTENT[first : end + 1])
        assert answer.headers["Content-Range"] == f"bytes {first}-{end}/20"


@given(text=st.text())
def test_no_header_breaks_it(text: str) -> None:
    try:
        found = span(text, 20)
    except InvalidRange:
        return
    assert found is None or 0 <= found[0] <= found[1] < 20


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("", (0, 4)), ('"tag"', (0, 4)), ('"other"', None), ('W/"tag"', None)],
)
def test_range_of_other_bytes_is_all_of_these(
    condition: str, expected: tuple[int, int] | None
) -> None:
    headers = {"range": "bytes=0-4", "if-range": condition}

    assert wanted(lambda name: headers.get(name, ""), 20, '"tag"') == expected
