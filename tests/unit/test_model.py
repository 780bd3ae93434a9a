"""Files, uploads and URLs as callers see them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from files_api.service.model import File, PresignedUrl
from tests.support.samples import NOW

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
def test_stored_text_of_a_file_is_what_callers_see(file: File) -> None:
    assert json.loads(file.public_json()) == file.public()


def test_expires_at_is_shown_only_if_the_file_expires() -> None:
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


def test_file_expires_on_the_second() -> None:
    file = File("id", 3, NOW, "a.txt", "batch", expires_at=NOW + 60)

    assert not file.expired(NOW + 59.999)
    assert file.expired(NOW + 60)
    assert not File("id", 3, NOW, "a.txt", "batch").expired(NOW * 1000)


def test_direct_upload_shows_in_the_blob_key_alone() -> None:
    fields = ("id", 3, NOW, "a.txt", "batch")
    plain, direct = File(*fields), File(*fields, direct=True)

    assert direct.public() == plain.public()
    assert (plain.blob_key("acme"), direct.blob_key("acme")) == ("files/acme/id", "direct/acme/id")


def test_presigned_put_is_shown_as_the_whole_request() -> None:
    url = PresignedUrl("https://a.test/", NOW, {"If-None-Match": "*"})

    assert url.put() == {
        "method": "PUT",
        "url": "https://a.test/",
        "headers": {"If-None-Match": "*"},
        "expires_at": NOW,
    }
