"""File names: cleaned on arrival, encoded in the header of a download."""

import re
import unicodedata
from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from files_api.service.filenames import MAX_CHARACTERS, clean, content_disposition

# Any text that JSON can carry, including lone surrogates; and, more often than chance has them, the
# characters that attackers use.
names = st.text(st.one_of(st.characters(), st.sampled_from("./\\:\"'%;=\r\n\0 ")))

# RFC 8187, section 3.2.1: an extended value.
EXTENDED = r"UTF-8''([A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})*"


@pytest.mark.parametrize(
    ("sent", "cleaned"),
    [
        ("notes.txt", "notes.txt"),
        ("日本語 — été 🚀.txt", "日本語 — été 🚀.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        (r"C:\a\b.txt", "b.txt"),
        (r"\\server\share\b.txt", "b.txt"),
        (r"..\..\b.txt", "b.txt"),
        ("a/b\\c.txt", "c.txt"),
        (".bashrc", "bashrc"),
        ("exe.\u202egpj", "exe.gpj"),
        ("\u2066a\u2069\u200e\u200f\u061c.txt", "a.txt"),
        ("...hidden", "hidden"),
        ("a..b...txt", "a..b...txt"),
        ("ends with dots...", "ends with dots..."),
        ("line\r\nSet-Cookie: a=b.txt", "lineSet-Cookie: a=b.txt"),
        ("nul\x00.txt", "nul.txt"),
        ("\x1b[31mred\x7f\x85\u2028\u2029.txt", "[31mred.txt"),
        ("\x00../\x00x", "x"),
        ("half \ud83d.txt", "half .txt"),
        ("\udc00", "upload"),
        ("/\x01..", "upload"),
        ('quote"quote.txt', 'quote"quote.txt'),
        ("100%.txt", "100%.txt"),
        ("a:b*c?.txt", "a:b*c?.txt"),
        ("", "upload"),
        (".", "upload"),
        ("..", "upload"),
        ("folder/", "upload"),
        ("\x00\x01", "upload"),
    ],
)
def test_name_is_cleaned_of_harmful_characters(sent: str, cleaned: str) -> None:
    assert clean(sent) == cleaned


@pytest.mark.parametrize(
    ("sent", "cleaned"),
    [
        ("a" * 255, "a" * 255),
        ("a" * 256, "a" * 255),
        ("a" * 300 + ".txt", "a" * 251 + ".txt"),
        ("🚀" * 300 + ".jsonl", "🚀" * 249 + ".jsonl"),
        ("a" * 300 + "." + "b" * 31, "a" * 223 + "." + "b" * 31),
        ("a." + "b" * 300, "a." + "b" * 253),  # too long for a suffix
        ("/" * 300 + "a.txt", "a.txt"),
    ],
)
def test_long_name_is_cut_before_its_suffix(sent: str, cleaned: str) -> None:
    assert clean(sent) == cleaned


@given(names)
@example("." * 300 + "/" * 300)
def test_cleaned_name_is_harmless_and_stays_the_same(name: str) -> None:
    cleaned = clean(name)

    assert 1 <= len(cleaned) <= MAX_CHARACTERS
    assert not set(cleaned) & set("/\\")
    assert not cleaned.startswith(".")
    assert not {unicodedata.category(char) for char in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    assert clean(cleaned) == cleaned


@given(names)
@example("🚀" * 300)
@example("a;b,c'd(e).txt")
def test_cleaned_name_can_be_read_from_the_header(name: str) -> None:
    cleaned = clean(name)

    header = content_disposition(cleaned)

    assert header.isascii()
    assert header.isprintable()
    assert re.fullmatch(EXTENDED, header.partition("filename*=")[2])
    assert parse_options_header(header) == ("attachment", {"filename": cleaned})


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("notes.txt", "notes.txt"),
        ("two words; a=b, 'c'.txt", "two words; a=b, 'c'.txt"),
        ('a"b\\c%.txt', "a_b_c%.txt"),
        ("été 🚀.txt", "_t_ _.txt"),
    ],
)
def test_old_client_reads_the_name_in_plain_ascii(name: str, plain: str) -> None:
    message = Message()
    message["Content-Disposition"] = content_disposition(name).partition("; filename*")[0]

    assert message.get_content_disposition() == "attachment"
    assert message.get_filename() == plain


def test_header_has_the_name_in_both_forms() -> None:
    assert content_disposition("€ rates.txt") == (
        "attachment; filename=\"_ rates.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt"
    )
