"""The form of `POST /v1/files`: every encoding of a wish to expire is met or refused."""

from typing import Any

import pytest

from files_api.api.forms import Field, Form
from files_api.api.parameters import FileForm, form_values, validated
from files_api.service.errors import ApiError
from files_api.service.lifetimes import Lifetimes


def lifetime(*fields: tuple[str, str]) -> int | None:
    sent = [("purpose", "batch"), *fields]
    form = Form([Field(name, None, text.encode()) for name, text in sent])
    new = validated(FileForm, form_values(form)).new_file(Field("file", "a.txt", b"x"))
    return new.lifetime if new.lifetime is None else Lifetimes().of(new.lifetime, new.purpose)


ANCHOR = ("expires_after[anchor]", "created_at")


@pytest.mark.parametrize(
    "fields",
    [
        [ANCHOR, ("expires_after[seconds]", "3600")],
        [("expires_after[seconds]", "3600"), ANCHOR],
        [("expires_after.anchor", "created_at"), ("expires_after.seconds", "3600")],
        [ANCHOR, ("expires_after.seconds", "3600")],
        [("expires_after", '{"anchor": "created_at", "seconds": 3600}')],
        [("expires_after", "3600")],
    ],
)
def test_wish_to_expire_is_met_in_every_encoding(fields: list[tuple[str, str]]) -> None:
    assert lifetime(*fields) == 3_600


@pytest.mark.parametrize(
    "fields",
    [
        [("expires_after[seconds]", "3600")],
        [ANCHOR],
        [("expires_after", "")],
        [("expires_after", "null")],
        [("expires_after", "true")],
        [("expires_after", "3600.0")],
        [("expires_after", "03600")],
        [("expires_after", '{"anchor": "created_at", "seconds": 3600, "seconds": 2592000}')],
        [("expires_after", "1_0000")],
        [("expires_after", " 3600")],
        [("expires_after", '"3600"')],
        [("expires_after", "[3600]")],
        [("expires_after", '{"anchor": "created_at", "seconds": "3600"}')],
        [("expires_after", '{"anchor": "created_at", "seconds": 3600, "x": 1}')],
        [("expires_after", "3600"), ANCHOR],
        [("expires_after_seconds", "3600")],
        [("expires_after[]", "3600")],
        [("expires_after[seconds", "3600")],
        [("expires_after[seconds][0]", "3600")],
        [("expires_after[Seconds]", "3600"), ANCHOR],
        [("expires_afterseconds", "3600")],
        [ANCHOR, ("expires_after[seconds]", "3_600")],
        [ANCHOR, ("expires_after[seconds]", "3600.0")],
        [ANCHOR, ("expires_after[seconds]", "\uff13\uff16\uff10\uff10")],
        [ANCHOR, ("expires_after[seconds]", "3599")],
        [ANCHOR, ("expires_after[seconds]", "2592001")],
        [ANCHOR, ("expires_after[seconds]", "3600"), ("expires_after.seconds", "3600")],
        [ANCHOR, ("expires_after[seconds]", "3600"), ("expires_after[seconds]", "7200")],
    ],
)
def test_wish_to_expire_is_never_dropped_in_silence(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(ApiError) as refused:
        lifetime(*fields)

    assert refused.value.status == 400
    assert str(refused.value.param).startswith("expires_after")


def test_other_fields_of_a_form_are_ignored() -> None:
    others: list[Any] = [("custom_llm_provider", "openai"), ("expire", "1"), ("x", "1"), ("x", "2")]

    assert lifetime(*others) is None


def test_purpose_with_a_filename_is_text() -> None:
    form = Form([Field("purpose", "blob", b"batch")])

    assert form_values(form) == {"purpose": "batch"}
