"""Parameters of calls: their defaults, their limits, and how invalid ones are named."""

from typing import Any

import pytest
from pydantic import BaseModel

from files_api.api.parameters import (
    DirectUpload,
    ExpiresAfter,
    FileForm,
    ListQuery,
    NewUpload,
    UrlQuery,
    nested,
    validated,
)
from files_api.service.errors import ApiError, InvalidValue, MissingField
from files_api.service.model import NewFile
from files_api.service.ports import PageRequest

FILE_ID = "019e8232-6000-7a10-8d3c-5b1f6e2a9c01"


def refusal(model: type[BaseModel], values: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as refused:
        validated(model, values)
    assert refused.value.status == 400
    return refused.value


def test_list_query_has_defaults() -> None:
    assert validated(ListQuery, {}) == ListQuery(
        purpose=None, limit=10_000, order="desc", after=None
    )


def test_list_query_ignores_unknown_parameters() -> None:
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


def test_list_query_asks_for_a_page() -> None:
    assert validated(ListQuery, {}).page() == PageRequest(10_000)
    query = {"purpose": "batch", "limit": "7", "order": "asc", "after": FILE_ID}
    assert validated(ListQuery, query).page() == PageRequest(
        7, "batch", newest_first=False, after=FILE_ID
    )


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("10000", 10_000)])
def test_limit_is_from_one_to_ten_thousand(limit: str, expected: int) -> None:
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
def test_invalid_parameter_of_a_list_is_named(param: str, value: str) -> None:
    error = refusal(ListQuery, {param: value})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == (param, "invalid_value")
    assert error.message.startswith(f"Invalid '{param}': ")


def test_form_can_say_when_the_file_expires() -> None:
    for seconds in (3600, 2_592_000):
        form = validated(
            FileForm,
            {
                "purpose": "batch",
                "expires_after": {"anchor": "created_at", "seconds": str(seconds)},
            },
        )
        assert form == FileForm(
            purpose="batch", expires_after=ExpiresAfter(anchor="created_at", seconds=seconds)
        )
        assert form.new_file("a.txt", 3) == NewFile("a.txt", "batch", 3, seconds)
    form = validated(FileForm, {"purpose": "batch"})
    assert form.new_file("a.txt", 3) == NewFile("a.txt", "batch", 3, None)


def test_form_without_a_purpose_is_rejected() -> None:
    error = refusal(FileForm, {})

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
def test_invalid_expiry_is_named(expires_after: object, where: str) -> None:
    error = refusal(FileForm, {"purpose": "batch", "expires_after": expires_after})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == ("expires_after", "invalid_value")
    assert error.message.startswith(f"Invalid 'expires_after': {where}")


def test_fields_with_brackets_are_nested() -> None:
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
def test_odd_brackets_are_tolerated(texts: dict[str, str], values: dict[str, Any]) -> None:
    assert nested(texts) == values


# --- Presigned URLs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 900),
        ({"expires_in": "60"}, 60),
        ({"expires_in": "3600"}, 3600),
        ({"utm_source": "x"}, 900),
    ],
)
def test_url_query_can_say_how_long_the_url_is_valid(query: dict[str, str], expected: int) -> None:
    assert validated(UrlQuery, query).expires_in == expected


@pytest.mark.parametrize("expires_in", ["", "59", "3601", "-900", "15m", "900.5", "9" * 5000])
def test_url_lifetime_outside_a_minute_to_an_hour_is_rejected(expires_in: str) -> None:
    error = refusal(UrlQuery, {"expires_in": expires_in})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == ("expires_in", "invalid_value")


# --- Direct uploads -------------------------------------------------------------------------------

SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
UPLOAD = {"filename": "notes.txt", "purpose": "batch", "bytes": 3}


def test_direct_upload_announces_a_file() -> None:
    least = validated(DirectUpload, UPLOAD)
    assert least == DirectUpload(
        filename="notes.txt", purpose="batch", bytes=3, sha256=None, expires_after=None
    )
    assert least.new_file() == NewFile("notes.txt", "batch", 3, None)

    expires_after = {"anchor": "created_at", "seconds": 3600}
    most = validated(
        DirectUpload,
        {**UPLOAD, "sha256": SHA256, "expires_after": expires_after, "mime_type": "text/plain"},
    )
    assert most.sha256 == SHA256
    assert most.new_file() == NewFile("notes.txt", "batch", 3, 3600)


@pytest.mark.parametrize("name", ["sha256", "expires_after"])
def test_optional_field_of_a_direct_upload_can_be_null(name: str) -> None:
    assert validated(DirectUpload, {**UPLOAD, name: None}) == validated(DirectUpload, UPLOAD)


@pytest.mark.parametrize("name", UPLOAD)
def test_direct_upload_without_a_required_field_is_rejected(name: str) -> None:
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
def test_invalid_field_of_a_direct_upload_is_named(param: str, value: object) -> None:
    error = refusal(DirectUpload, {**UPLOAD, param: value})

    assert isinstance(error, InvalidValue)
    assert (error.param, error.code) == (param, "invalid_value")
    assert error.message.startswith(f"Invalid '{param}': ")
    error.message.encode()  # it can be sent


def test_direct_upload_of_any_size_is_valid_here() -> None:
    assert validated(DirectUpload, {**UPLOAD, "bytes": 10**30}).bytes == 10**30


# --- Uploads --------------------------------------------------------------------------------------


def test_new_upload_announces_a_file() -> None:
    new = validated(NewUpload, {**UPLOAD, "mime_type": "text/plain"}).new_file()

    assert new == NewFile("notes.txt", "batch", 3, None, "text/plain")
