"""The errors that the API answers: one form, one tree."""

import inspect
import json
import re

import pytest

from files_api.service import errors
from files_api.service.errors import (
    ApiError,
    EmptyFile,
    FileNotFound,
    FileNotReady,
    FileTooLarge,
    IdempotencyKeyReused,
    InsufficientPermissions,
    InternalError,
    InvalidRange,
    InvalidValue,
    MalformedBody,
    MissingField,
    RateLimitExceeded,
    StorageLimitExceeded,
    UnknownParameter,
    UnknownUrl,
    UnsupportedEncoding,
    UploadNotFound,
)

ALL: list[tuple[ApiError, int, str | None, str | None]] = [
    (UnknownParameter("x"), 400, "x", "unknown_parameter"),
    (UnsupportedEncoding("Content-Encoding", "gzip"), 415, None, "unsupported_encoding"),
    (InsufficientPermissions("files:read"), 403, None, "insufficient_permissions"),
    (
        StorageLimitExceeded("bytes", limit=10, used=8, more=3),
        403,
        None,
        "storage_limit_exceeded",
    ),
    (UnknownUrl("GET", "/console/nothing.js"), 404, None, "unknown_url"),
    (FileNotFound("file-abc123"), 404, "id", None),
    (UploadNotFound("an id"), 404, "id", None),
    (MalformedBody("It ends too early."), 400, None, None),
    (MissingField("file", "Send it as a part."), 400, "file", None),
    (InvalidValue("limit", "must be a number."), 400, "limit", "invalid_value"),
    (IdempotencyKeyReused(), 400, "Idempotency-Key", "idempotency_key_reused"),
    (EmptyFile(), 400, "file", "empty_file"),
    (EmptyFile("data"), 400, "data", "empty_file"),
    (FileNotReady("file-abc123"), 400, "id", "file_not_ready"),
    (FileTooLarge.for_request_body(4_500_000), 413, "file", "file_too_large"),
    (FileTooLarge.for_part_in_request_body(4_500_000), 413, "data", "file_too_large"),
    (FileTooLarge.for_presigned_part(5 * 1024**3), 413, "bytes", "file_too_large"),
    (FileTooLarge.for_deployment(1000, "bytes"), 413, "bytes", "file_too_large"),
    (InvalidRange(7), 416, None, "invalid_range"),
    (RateLimitExceeded(), 429, None, "rate_limit_exceeded"),
    (InternalError(), 500, None, None),
]
TYPES = {429: "rate_limit_error", 500: "server_error"}


@pytest.mark.parametrize(("error", "status", "param", "code"), ALL)
def test_error_has_the_form_that_all_errors_have(
    error: ApiError, status: int, param: str | None, code: str | None
) -> None:
    kind = TYPES.get(status, "invalid_request_error")
    assert error.status == status
    assert error.public() == {
        "error": {"message": error.message, "type": kind, "param": param, "code": code}
    }
    assert error.message[0].isupper()
    assert str(error) == error.message


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MissingField("purpose"), ["Missing required parameter: 'purpose'."]),
        (MissingField("file", "Send it."), ["Missing required parameter: 'file'. Send it."]),
        (FileNotFound("file-abc123"), ["file-abc123"]),
        (FileNotReady("file-abc123"), ["file-abc123"]),
    ],
)
def test_message_names_its_subject(error: ApiError, told: list[str]) -> None:
    assert all(each in error.message for each in told)


def test_docstring_draws_the_tree_of_errors() -> None:
    drawn = {
        name: (int(status), code)
        for name, status, code in re.findall(
            r"── (\w+) +(\d{3})(?:  (\w+))?", inspect.getdoc(errors) or ""
        )
    }

    real = {each.__name__: (each.status, each.code or "") for each in ApiError.__subclasses__()}
    assert drawn == real
    assert {type(error).__name__ for error, *_ in ALL} == set(real)


def test_errors_that_sdks_retry_are_those_that_may_pass() -> None:
    retried = {408, 409, 429, *range(500, 600)}
    assert {each for each in ApiError.__subclasses__() if each.status in retried} == {
        InternalError,
        RateLimitExceeded,
    }


@pytest.mark.parametrize(
    "error",
    [
        FileNotFound('"' * 2_000_000),
        UploadNotFound("\ud800" * 1_000),
        InvalidValue("\ud800" * 200, "is not a field."),
        MissingField("x" * 10_000),
        UnknownParameter("é" * 10_000),
        UnsupportedEncoding("Content-Encoding", "x" * 10_000),
        FileNotReady("\udfff" * 300),
    ],
)
def test_what_an_error_quotes_is_short_and_can_be_sent(error: ApiError) -> None:
    text = json.dumps(error.public(), ensure_ascii=False)

    assert len(text.encode()) < 1_000
