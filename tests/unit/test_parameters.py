from typing import Any

import pytest
from pydantic import BaseModel

from files_api.errors import ApiError, InvalidValue, MissingField
from files_api.parameters import ExpiresAfter, ListQuery, UploadForm, nested, validated

FILE_ID = "019e8232-6000-7a10-8d3c-5b1f6e2a9c01"


def refusal(model: type[BaseModel], values: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as refused:
        validated(model, values)
    assert refused.value.status == 400
    return refused.value


def test_a_list_has_defaults() -> None:
    assert validated(ListQuery, {}) == ListQuery(
        purpose=None, limit=10_000, order="desc", after=None
    )


def test_a_list_may_be_told_everything_and_ignores_what_it_does_not_know() -> None:
    query = {
        "purpose": "batch",
        "limit": "7",
        "order": "asc",
        "after": FILE_ID,
        "utm_source": "x",
    }

    assert validated(ListQuery, query) == ListQuery(
        purpose="batch", limit=7, order="asc", after=FILE_ID
    )


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("10000", 10_000)])
def test_a_limit_may_be_as_low_and_as_high_as_this(limit: str, expected: int) -> None:
    assert validated(ListQuery, {"limit": limit}).limit == expected


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "10001"),
        ("limit", ""),
        ("limit", "ten"),
        ("limit", "1.5"),
        ("limit", "1e3"),
        ("limit", "9" * 5000),
        ("order", ""),
        ("order", "DESC"),
        ("order", "newest"),
        ("after", ""),
        ("after", "file-abc123"),
        ("after", FILE_ID.upper()),
    ],
)
def test_a_bad_parameter_of_a_list_is_named(param: str, value: str) -> None:
    error = refusal(ListQuery, {param: value})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == (param, "invalid_value")
    assert error.message.startswith(f"Invalid '{param}': ")


def test_an_upload_may_say_when_its_file_expires() -> None:
    for seconds in (3600, 2_592_000):
        form = validated(
            UploadForm,
            {
                "purpose": "batch",
                "expires_after": {"anchor": "created_at", "seconds": str(seconds)},
            },
        )
        assert form == UploadForm(
            purpose="batch", expires_after=ExpiresAfter(anchor="created_at", seconds=seconds)
        )
        assert form.lifetime == seconds
    assert validated(UploadForm, {"purpose": "batch"}).lifetime is None


def test_an_upload_has_to_say_its_purpose() -> None:
    error = refusal(UploadForm, {})

    assert isinstance(error, MissingField)
    assert error.public()["error"] == {
        "message": "Missing required parameter: 'purpose'.",
        "type": "invalid_request_error",
        "param": "purpose",
        "code": None,
    }


@pytest.mark.parametrize(
    ("expires_after", "where"),
    [
        ({"anchor": "created_at", "seconds": "3599"}, "[seconds] "),
        ({"anchor": "created_at", "seconds": "2592001"}, "[seconds] "),
        ({"anchor": "created_at", "seconds": "an hour"}, "[seconds] "),
        ({"anchor": "created_at"}, "[seconds] "),
        ({"anchor": "last_active_at", "seconds": "3600"}, "[anchor] "),
        ({"seconds": "3600"}, "[anchor] "),
        ({}, "[anchor] "),
        ("3600", ""),
    ],
)
def test_a_bad_expiry_is_named(expires_after: object, where: str) -> None:
    error = refusal(UploadForm, {"purpose": "batch", "expires_after": expires_after})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == ("expires_after", "invalid_value")
    assert error.message.startswith(f"Invalid 'expires_after': {where}")


def test_fields_in_brackets_are_folded() -> None:
    assert nested(
        {
            "expires_after[anchor]": "created_at",
            "purpose": "batch",
            "expires_after[seconds]": "3600",
        }
    ) == {"purpose": "batch", "expires_after": {"anchor": "created_at", "seconds": "3600"}}


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ({"a[": "1"}, {"a[": "1"}),
        ({"a[b": "1"}, {"a[b": "1"}),
        ({"a]": "1"}, {"a]": "1"}),
        ({"[a]": "1"}, {"": {"a": "1"}}),
        ({"a[]": "1"}, {"a": {"": "1"}}),
        ({"a[b][c]": "1"}, {"a": {"b][c": "1"}}),
        ({"a": "1", "a[b]": "2"}, {"a": "1"}),
        ({"a[b]": "2", "a": "1"}, {"a": "1"}),
    ],
)
def test_odd_brackets_break_nothing(texts: dict[str, str], values: dict[str, Any]) -> None:
    assert nested(texts) == values
