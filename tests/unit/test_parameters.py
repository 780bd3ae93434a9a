from typing import Any

import pytest
from pydantic import BaseModel

from files_api.errors import ApiError, InvalidValue, MissingField
from files_api.parameters import (
    DirectUpload,
    ExpiresAfter,
    LinkQuery,
    ListQuery,
    UploadForm,
    nested,
    validated,
)

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


# --- Links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 900),
        ({"expires_in": "60"}, 60),
        ({"expires_in": "3600"}, 3600),
        ({"utm_source": "x"}, 900),
    ],
)
def test_a_link_may_be_told_how_long_it_is_good(query: dict[str, str], expected: int) -> None:
    assert validated(LinkQuery, query).expires_in == expected


@pytest.mark.parametrize("expires_in", ["", "59", "3601", "-900", "15m", "900.5", "9" * 5000])
def test_a_link_is_good_for_a_minute_at_least_and_an_hour_at_most(expires_in: str) -> None:
    error = refusal(LinkQuery, {"expires_in": expires_in})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == ("expires_in", "invalid_value")


# --- Direct uploads -------------------------------------------------------------------------------

SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
UPLOAD = {"filename": "notes.txt", "purpose": "batch", "bytes": 3}


def test_a_direct_upload_says_what_will_come() -> None:
    least = validated(DirectUpload, UPLOAD)
    assert least == DirectUpload(
        filename="notes.txt", purpose="batch", bytes=3, sha256=None, expires_after=None
    )
    assert least.lifetime is None

    expires_after = {"anchor": "created_at", "seconds": 3600}
    most = validated(
        DirectUpload,
        {**UPLOAD, "sha256": SHA256, "expires_after": expires_after, "mime_type": "text/plain"},
    )
    assert (most.sha256, most.lifetime) == (SHA256, 3600)


@pytest.mark.parametrize("name", ["sha256", "expires_after"])
def test_what_a_direct_upload_need_not_say_may_be_null(name: str) -> None:
    assert validated(DirectUpload, {**UPLOAD, name: None}) == validated(DirectUpload, UPLOAD)


@pytest.mark.parametrize("name", UPLOAD)
def test_a_direct_upload_has_to_say_its_name_purpose_and_size(name: str) -> None:
    error = refusal(DirectUpload, {key: value for key, value in UPLOAD.items() if key != name})

    assert isinstance(error, MissingField)
    assert error.public()["error"] == {
        "message": f"Missing required parameter: '{name}'.",
        "type": "invalid_request_error",
        "param": name,
        "code": None,
    }


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("bytes", 0),
        ("bytes", -1),
        ("bytes", "3"),
        ("bytes", 3.0),
        ("bytes", True),
        ("bytes", None),
        ("bytes", [3]),
        ("sha256", ""),
        ("sha256", SHA256[:-1]),
        ("sha256", SHA256 + "0"),
        ("sha256", SHA256 + "\n"),
        ("sha256", "g" + SHA256[1:]),
        ("sha256", 5),
        ("filename", None),
        ("filename", 5),
        ("purpose", None),
        ("purpose", ["batch"]),
        ("expires_after", 3600),
        ("expires_after", {"anchor": "created_at", "seconds": 3599}),
        ("expires_after", {"anchor": "created_at"}),
    ],
)
def test_a_bad_field_of_a_direct_upload_is_named(param: str, value: object) -> None:
    error = refusal(DirectUpload, {**UPLOAD, param: value})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == (param, "invalid_value")
    assert error.message.startswith(f"Invalid '{param}': ")
    error.message.encode()  # can be sent


def test_a_direct_upload_may_be_of_any_size_as_far_as_its_form_goes() -> None:
    assert validated(DirectUpload, {**UPLOAD, "bytes": 10**30}).bytes == 10**30
