"""Parameters of calls: their defaults, their limits, and how invalid ones are named."""

import tracemalloc
from typing import Any

import pytest
from pydantic import BaseModel

from files_api.api.forms import Field
from files_api.api.parameters import (
    CompleteUpload,
    DirectUpload,
    FileForm,
    ListQuery,
    NewUpload,
    PresignedPart,
    UrlQuery,
    validated,
)
from files_api.service.errors import ApiError, InvalidValue, MissingField
from files_api.service.model import NewFile
from files_api.service.ports import PageRequest

FILE_ID = "019e8232-6000-7a10-8d3c-5b1f6e2a9c01"
SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
FORM = {"purpose": "batch"}
FILE = {"filename": "notes.txt", "purpose": "batch", "bytes": 3}


def expiry(seconds: object, anchor: str = "created_at") -> dict[str, Any]:
    return {"expires_after": {"anchor": anchor, "seconds": seconds}}


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, PageRequest(10_000, None, newest_first=True, after=None)),
        ({"limit": "1", "order": "desc"}, PageRequest(1)),
        ({"limit": "10000", "utm_source": "x"}, PageRequest(10_000)),
        (
            {"purpose": "batch", "limit": "7", "order": "asc", "after": FILE_ID},
            PageRequest(7, "batch", newest_first=False, after=FILE_ID),
        ),
    ],
)
def test_list_query_asks_for_a_page(query: dict[str, str], page: PageRequest) -> None:
    assert validated(ListQuery, query).page() == page


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ({}, 900),
        ({"expires_in": "60"}, 60),
        ({"expires_in": "3600"}, 3600),
        ({"utm_source": "x"}, 900),
    ],
)
def test_url_query_can_say_how_long_the_url_is_valid(query: dict[str, str], seconds: int) -> None:
    assert validated(UrlQuery, query).expires_in == seconds


@pytest.mark.parametrize(
    ("expires_after", "lifetime"),
    [({}, None), (expiry(3600), 3600), (expiry(2592000), 2_592_000)],
)
def test_form_announces_a_file(expires_after: dict[str, Any], lifetime: int | None) -> None:
    sent = Field("file", "a.txt", b"abc", "text/csv")

    new = validated(FileForm, FORM | expires_after).new_file(sent)

    assert new == NewFile("a.txt", "batch", 3, lifetime, "text/csv")


@pytest.mark.parametrize(
    ("fields", "sha256", "lifetime"),
    [
        ({}, None, None),
        ({"sha256": None, "expires_after": None}, None, None),
        ({"sha256": SHA256} | expiry(3600), SHA256, 3600),
    ],
)
def test_direct_upload_announces_a_file(
    fields: dict[str, Any], sha256: str | None, lifetime: int | None
) -> None:
    upload = validated(DirectUpload, FILE | fields)

    assert upload.sha256 == sha256
    assert upload.new_file() == NewFile("notes.txt", "batch", 3, lifetime)


def test_direct_upload_of_any_size_is_valid_here() -> None:
    assert validated(DirectUpload, FILE | {"bytes": 10**30}).bytes == 10**30


def test_new_upload_announces_a_file() -> None:
    new = validated(NewUpload, FILE | {"mime_type": "text/plain"}).new_file()

    assert new == NewFile("notes.txt", "batch", 3, None, "text/plain")


# --- Invalid parameters ---------------------------------------------------------------------------


def refusal(model: type[BaseModel], values: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as refused:
        validated(model, values)
    return refused.value


@pytest.mark.parametrize(
    ("model", "values", "name"),
    [
        (FileForm, {}, "purpose"),
        *[(DirectUpload, {k: v for k, v in FILE.items() if k != name}, name) for name in FILE],
    ],
)
def test_missing_field_is_named(model: type[BaseModel], values: dict[str, Any], name: str) -> None:
    error = refusal(model, values)

    assert (type(error), error.param) == (MissingField, name)
    assert error.message == f"Missing required parameter: '{name}'."


NO_NUMBERS = ("", "ten", "1.5", "1e3", "1_0", "1.0", " 1", "\u0661", "9" * 5000)
INVALID: dict[type[BaseModel], list[tuple[str, object]]] = {
    ListQuery: [
        *[
            ("limit", value)
            for value in (
                "0",
                "-1",
                "10001",
                "",
                "ten",
                "1.5",
                "1e3",
                "1_0",
                "1.0",
                " 1",
                "\u0661",
                "9" * 5000,
            )
        ],
        *[("order", value) for value in ("", "DESC", "newest")],
        *[("after", value) for value in ("", "file-abc123", FILE_ID.upper())],
    ],
    UrlQuery: [
        ("expires_in", value)
        for value in ("", "59", "3601", "-900", "15m", "900.5", "900.0", "9_00", "9" * 5000)
    ],
    DirectUpload: [
        *[("bytes", value) for value in (0, -1, "3", 3.0, True, None, [3])],
        *[
            ("sha256", value)
            for value in ("", SHA256[:-1], SHA256 + "0", SHA256 + "\n", "g" + SHA256[1:], 5)
        ],
        *[("filename", value) for value in (None, 5, "")],
        *[("purpose", value) for value in (None, ["batch"])],
        *[("expires_after", value) for value in (3600, {"anchor": "created_at"})],
    ],
}


@pytest.mark.parametrize(
    ("model", "param", "value"),
    [(model, *case) for model, cases in INVALID.items() for case in cases],
)
def test_invalid_value_is_named(model: type[BaseModel], param: str, value: object) -> None:
    error = refusal(model, (FILE if model is DirectUpload else {}) | {param: value})

    assert (type(error), error.status, error.param) == (InvalidValue, 400, param)
    assert error.message.startswith(f"Invalid '{param}': ")
    error.message.encode()  # it can be sent


@pytest.mark.parametrize(
    ("expires_after", "reason"),
    [
        ({"anchor": "created_at", "seconds": "3600"}, "seconds must be a whole number."),
        ({"anchor": "created_at", "seconds": 3600.0}, "seconds must be a whole number."),
        ({"anchor": "created_at", "seconds": True}, "seconds must be a whole number."),
        ({"anchor": "created_at"}, "seconds is missing."),
        ({"anchor": "last_active_at", "seconds": 3600}, "anchor must be 'created_at'."),
        ({"seconds": 3600}, "anchor is missing."),
        ("3600", "must be an object."),
    ],
)
def test_invalid_expiry_is_named(expires_after: object, reason: str) -> None:
    error = refusal(FileForm, {"purpose": "batch", "expires_after": expires_after})

    assert (type(error), error.param) == (InvalidValue, "expires_after")
    assert error.message == f"Invalid 'expires_after': {reason}"


@pytest.mark.parametrize(
    ("model", "values", "name"),
    [
        (DirectUpload, FILE | {"foo": 1}, "foo"),
        (DirectUpload, FILE | {"expires_in": 3600}, "expires_in"),
        (
            DirectUpload,
            FILE | {"expires_after": expiry(3600)["expires_after"] | {"x": 1}},
            "expires_after.x",
        ),
        (NewUpload, FILE | {"mime_type": "a/b", "Bytes": 3}, "Bytes"),
        (PresignedPart, {"bytes": 3, "md5": "0" * 32}, "md5"),
        (CompleteUpload, {"part_ids": [FILE_ID], "order": 1}, "order"),
    ],
)
def test_unknown_json_field_is_named(
    model: type[BaseModel], values: dict[str, Any], name: str
) -> None:
    error = refusal(model, values)

    assert error.public()["error"] == {
        "message": f"Unknown parameter: '{name}'.",
        "type": "invalid_request_error",
        "param": name,
        "code": "unknown_parameter",
    }


@pytest.mark.parametrize(
    ("part_ids", "reason"),
    [
        ("019e", "must be a list."),
        ([5], "must be a string."),
        (["\ud800"], "must be an id."),
        (['"' * 2_000_000], "must be an id."),
        ([FILE_ID.upper()], "must be an id."),
    ],
)
def test_part_ids_are_validated_before_use(part_ids: object, reason: str) -> None:
    error = refusal(CompleteUpload, {"part_ids": part_ids})

    assert (error.param, error.message) == ("part_ids", f"Invalid 'part_ids': {reason}")


def test_quoted_names_are_short_and_can_be_encoded() -> None:
    error = refusal(CompleteUpload, {"part_ids": [FILE_ID], "x" * 10_000: 1})

    assert error.message == f"Unknown parameter: '{'x' * 100}…'."
    assert error.param == "x" * 100 + "…"


@pytest.mark.parametrize("model", [ListQuery, UrlQuery, DirectUpload])
def test_no_message_speaks_the_librarys_language(model: type[BaseModel]) -> None:
    for param, value in INVALID[model]:
        message = refusal(model, (FILE if model is DirectUpload else {}) | {param: value}).message
        assert not any(word in message for word in ("Input", "valid integer", "tuple", "pattern"))


def test_millions_of_bad_ids_take_little_memory() -> None:
    tracemalloc.start()
    error = refusal(CompleteUpload, {"part_ids": [""] * 1_000_000})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.param == "part_ids"
    assert peak < 50_000_000
