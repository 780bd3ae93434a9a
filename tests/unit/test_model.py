import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.model import File, FileKey, Link, PartKey, blob_key, parse_key, part_key
from tests.unit.samples import NOW

any_files = st.builds(
    File,
    id=st.uuids().map(str),
    bytes=st.integers(min_value=0),
    created_at=st.integers(min_value=0),
    filename=st.text(),
    purpose=st.text(),
    status=st.sampled_from(["processed", "pending"]),
    expires_at=st.none() | st.integers(min_value=0),
    direct=st.booleans(),
)


@given(any_files)
def test_a_file_is_read_from_its_record_as_it_was_written(file: File) -> None:
    assert File.from_doc(file.doc(), direct=file.direct) == file
    assert json.loads(file.doc()) == file.public()


def test_callers_see_when_a_file_expires_only_if_it_does() -> None:
    shown = {
        "id": "019e8232-6000-7a10-8d3c-5b1f6e2a9c01",
        "object": "file",
        "bytes": 3,
        "created_at": NOW,
        "filename": "a.txt",
        "purpose": "batch",
        "status": "processed",
    }
    fields = {name: value for name, value in shown.items() if name != "object"}

    assert File(**fields).public() == shown  # type: ignore[arg-type]
    assert File(**fields, expires_at=NOW + 1).public() == shown | {"expires_at": NOW + 1}  # type: ignore[arg-type]


def test_a_file_expires_at_its_very_second() -> None:
    file = File("id", 3, NOW, "a.txt", "batch", expires_at=NOW + 60)

    assert not file.expired(NOW + 59.999)
    assert file.expired(NOW + 60)
    assert not File("id", 3, NOW, "a.txt", "batch").expired(NOW * 1000)


def test_callers_do_not_see_how_a_file_came() -> None:
    fields = ("id", 3, NOW, "a.txt", "batch")

    assert File(*fields, direct=True).public() == File(*fields).public()


def test_bytes_that_came_directly_are_kept_apart() -> None:
    fields = ("id", 3, NOW, "a.txt", "batch")

    assert File(*fields).key("acme") == "files/acme/id"
    assert File(*fields, direct=True).key("acme") == "direct/acme/id"


@given(st.uuids().map(str), st.booleans())
def test_a_key_tells_whose_bytes_are_there(file_id: str, direct: bool) -> None:
    key = blob_key("acme", file_id, direct=direct)
    assert parse_key(key) == FileKey("acme", file_id, direct)
    assert parse_key(part_key("acme", "upload", file_id)) == PartKey("acme", "upload", file_id)


@pytest.mark.parametrize("key", ["", "files", "files/acme", "files/a/b/c", "parts/a/b", "x/a/b"])
def test_a_key_of_another_form_is_none_of_ours(key: str) -> None:
    with pytest.raises(ValueError, match=r"no key of|not enough values"):
        parse_key(key)


def test_callers_see_all_of_a_link() -> None:
    link = Link("https://a.test/", NOW, {"If-None-Match": "*"})

    assert link.public() == {
        "url": "https://a.test/",
        "headers": {"If-None-Match": "*"},
        "expires_at": NOW,
    }
