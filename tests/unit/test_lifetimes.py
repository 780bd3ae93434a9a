"""How long a file lives when the operator, the caller or neither says so."""

import pytest

from files_api.service.errors import InvalidValue
from files_api.service.lifetimes import DAY, Lifetimes

HOUR = 3_600


@pytest.mark.parametrize(
    ("lifetimes", "batch", "others"),
    [
        (Lifetimes(), 30 * DAY, None),
        (Lifetimes(default=5 * DAY), 5 * DAY, 5 * DAY),
        (Lifetimes(least=2 * DAY), 30 * DAY, None),
        (Lifetimes(most=7 * DAY), 7 * DAY, 7 * DAY),
        (Lifetimes(default=5 * DAY, most=7 * DAY), 5 * DAY, 5 * DAY),
        (Lifetimes(default=9 * DAY, most=7 * DAY), 7 * DAY, 7 * DAY),
        (Lifetimes(default=HOUR, least=2 * DAY), 2 * DAY, 2 * DAY),
        (Lifetimes(default=60), HOUR, HOUR),
    ],
)
def test_default_lies_within_the_bounds(
    lifetimes: Lifetimes, batch: int, others: int | None
) -> None:
    assert lifetimes.of(None, "batch") == batch
    assert lifetimes.of(None, "user_data") == others


@pytest.mark.parametrize(
    ("lifetimes", "allowed", "refused", "bounds"),
    [
        (Lifetimes(), (HOUR, 30 * DAY), (-1, 0, HOUR - 1, 30 * DAY + 1, 10**30), "3600 to 2592000"),
        (Lifetimes(DAY, 2 * DAY, 7 * DAY), (2 * DAY, 7 * DAY), (DAY,), "172800 to 604800"),
        (Lifetimes(0, DAY, DAY), (DAY,), (DAY - 1, DAY + 1), "86400 to 86400"),
    ],
)
def test_wish_out_of_bounds_is_told_them(
    lifetimes: Lifetimes, allowed: tuple[int, ...], refused: tuple[int, ...], bounds: str
) -> None:
    for wish in allowed:
        assert lifetimes.of(wish, "batch") == wish
    for wish in refused:
        with pytest.raises(InvalidValue) as caught:
            lifetimes.of(wish, "batch")
        assert caught.value.param == "expires_after"
        assert caught.value.message == f"Invalid 'expires_after': seconds must be from {bounds}."
