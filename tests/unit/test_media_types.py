"""Media types of files: what a client says, else what the name says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.service.media_types import of_name, stated
from tests.fakes.world import World
from tests.support.samples import a_file


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("report.pdf", "application/pdf"),
        ("NOTES.TXT", "text/plain"),
        ("requests.jsonl", "application/jsonl"),
        ("日本.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.tar.gz", "application/gzip"),
        ("a.bz2", "application/x-bzip2"),
        ("data:text/html,x.png", "image/png"),
        ("http://example.com/a.csv?x=.html", "text/html"),
        ("upload", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_name_tells_the_media_type(name: str, media_type: str) -> None:
    assert of_name(name) == media_type


@pytest.mark.parametrize("text", ["text/plain", "text/plain; charset=utf-8", "image/svg+xml"])
def test_stated_media_type_counts(text: str) -> None:
    assert stated(text) == text


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "pdf",
        "application/octet-stream",
        "Application/Octet-Stream; x=1",
        "text/plain\r\nX: 1",
        "text/plain\n",
        "text/é",
        "a/b/c",
        "text/plain;" + "x" * 300,
    ],
)
def test_what_is_no_media_type_or_says_nothing_does_not_count(text: str | None) -> None:
    assert stated(text) is None


@given(text=st.text())
def test_stated_media_type_can_stand_in_a_header(text: str) -> None:
    found = stated(text)
    assert found is None or (found.isascii() and found.isprintable())


def test_media_type_is_stored_and_never_shown() -> None:
    file = a_file(filename="report.pdf")

    assert file.media_type == "application/pdf"
    assert "mime_type" not in file.public()


def test_media_type_of_an_upload_is_that_of_its_file(world: World) -> None:
    upload, ids = world.filled(b"abc")  # announced as text/plain

    _, file = world.complete(upload, ids)

    assert file is not None
    assert file.media_type == "text/plain"
