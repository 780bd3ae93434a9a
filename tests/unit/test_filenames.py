import re
import unicodedata
from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from files_api.filenames import MAX_CHARACTERS, clean, content_disposition

# Any text that JSON can spell, halves of characters among it, and what attackers are fond of more
# often than chance has it.
names = st.text(st.one_of(st.characters(), st.sampled_from("./\\:\"'%;=\r\n\0 ")))

# RFC 8187, section 3.2.1: what may stand unquoted in an extended value.
EXTENDED = r"UTF-8''([A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})*"


@pytest.mark.parametrize(
    ("sent", "kept"),
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
def test_a_name_is_kept_less_what_could_harm(sent: str, kept: str) -> None:
    assert clean(sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a" * 255, "a" * 255),
        ("a" * 256, "a" * 255),
        ("a" * 300 + ".txt", "a" * 251 + ".txt"),
        ("🚀" * 300 + ".jsonl", "🚀" * 249 + ".jsonl"),
        ("a" * 300 + "." + "b" * 31, "a" * 223 + "." + "b" * 31),
        ("a." + "b" * 300, "a." + "b" * 253),  # no suffix, that
        ("/" * 300 + "a.txt", "a.txt"),
    ],
)
def test_a_long_name_is_cut_before_its_suffix(sent: str, kept: str) -> None:
    assert clean(sent) == kept


@given(names)
@example("." * 300 + "/" * 300)
def test_a_kept_name_can_harm_nobody_and_is_kept_as_it_is(name: str) -> None:
    kept = clean(name)

    assert 1 <= len(kept) <= MAX_CHARACTERS
    assert not set(kept) & set("/\\")
    assert not kept.startswith(".")
    assert not {unicodedata.category(char) for char in kept} & {"Cc", "Cs", "Zl", "Zp"}
    assert clean(kept) == kept


@given(names)
@example("🚀" * 300)
@example("a;b,c'd(e).txt")
def test_a_kept_name_travels_in_a_header(name: str) -> None:
    kept = clean(name)

    header = content_disposition(kept)

    assert header.isascii()
    assert header.isprintable()
    assert re.fullmatch(EXTENDED, header.partition("filename*=")[2])
    assert parse_options_header(header) == ("attachment", {"filename": kept})


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("notes.txt", "notes.txt"),
        ("two words; a=b, 'c'.txt", "two words; a=b, 'c'.txt"),
        ('a"b\\c%.txt', "a_b_c%.txt"),
        ("été 🚀.txt", "_t_ _.txt"),
    ],
)
def test_an_old_client_reads_a_name_as_near_as_ascii_goes(name: str, plain: str) -> None:
    message = Message()
    message["Content-Disposition"] = content_disposition(name).partition("; filename*")[0]

    assert message.get_content_disposition() == "attachment"
    assert message.get_filename() == plain


def test_the_header_has_both_forms_of_a_name() -> None:
    assert content_disposition("€ rates.txt") == (
        "attachment; filename=\"_ rates.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt"
    )
