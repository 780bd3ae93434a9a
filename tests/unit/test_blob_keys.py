"""Blob keys: made of a file or a part, and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.service.blob_keys import FileBlob, PartBlob, parse_blob_key, part_keys, part_prefix


@given(st.uuids().map(str), st.booleans())
def test_blob_key_tells_whose_bytes_are_stored(id: str, direct: bool) -> None:
    for blob in (FileBlob("acme", id, direct), PartBlob("acme", "upload", id)):
        assert parse_blob_key(blob.key) == blob


def test_blob_keys_are_spelled_as_documented() -> None:
    assert FileBlob("acme", "1", direct=False).key == "files/acme/1"
    assert FileBlob("acme", "1", direct=True).key == "direct/acme/1"
    assert PartBlob("acme", "1", "2").key == "parts/acme/1/2"


def test_keys_of_an_uploads_parts_are_in_the_given_order() -> None:
    assert part_prefix("acme", "1") == "parts/acme/1/"
    assert part_keys("acme", "1", ["b", "a"]) == ["parts/acme/1/b", "parts/acme/1/a"]


@pytest.mark.parametrize("key", ["", "files", "files/acme", "files/a/b/c", "parts/a/b", "x/a/b"])
def test_key_of_another_form_is_an_error(key: str) -> None:
    with pytest.raises(ValueError, match=r"not the key of|not enough values"):
        parse_blob_key(key)
