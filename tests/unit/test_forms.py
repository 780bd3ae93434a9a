"""Forms as clients send them, byte for byte: by example and by chance."""

import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import unquote

import httpx2
import pytest
import urllib3
from hypothesis import assume, given
from hypothesis import strategies as st

from files_api.api.forms import Field, Form, parse
from files_api.service.errors import InvalidValue, MalformedBody, UnsupportedEncoding
from files_api.service.filenames import clean

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(disposition: str, content: bytes = b"abc", *headers: str) -> bytes:
    """A part with its Content-Disposition, without the delimiter before it."""
    lines = [f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def body(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """The parts with their delimiters (RFC 2046, section 5.1.1)."""
    delimiter = f"--{boundary}".encode()
    return b"".join(delimiter + b"\r\n" + each + b"\r\n" for each in parts) + delimiter + b"--\r\n"


def parsed_file(*parts: bytes) -> tuple[str, bytes]:
    """The one field of a form: a file, in the field "file"."""
    (field,) = parse(CONTENT_TYPE, body(*parts)).fields
    assert field.name == "file"
    assert field.filename is not None
    return field.filename, field.content


def texts_of(form: Form) -> dict[str, str]:
    """The fields of a form without files."""
    assert [field.filename for field in form.fields] == [None] * len(form.fields)
    return form.texts("")


# --- Fields ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_fields_can_be_in_any_order(order: tuple[int, ...]) -> None:
    parts = [
        part('name="purpose"', b"batch"),
        part('name="expires_after[anchor]"', b"created_at"),
        part('name="file"; filename="a.txt"', b"abc", "Content-Type: text/plain"),
    ]

    form = parse(CONTENT_TYPE, body(*(parts[i] for i in order)))

    assert form.text("purpose") == "batch"
    assert form.texts("expires_after") == {"expires_after[anchor]": "created_at"}
    assert form.field("file") == Field("file", "a.txt", b"abc", "text/plain")
    assert form.field("other") is None


def test_text_is_utf_8_and_can_be_empty() -> None:
    form = parse(CONTENT_TYPE, body(part('name="a"', "日本 🚀".encode()), part('name="b"', b"")))

    assert texts_of(form) == {"a": "日本 🚀", "b": ""}
    assert parse(CONTENT_TYPE, body()) == Form([])


@pytest.mark.parametrize("second", ['name="file"', 'name="file"; filename="b.txt"'])
def test_repeated_field_is_rejected_where_it_is_read(second: str) -> None:
    form = parse(CONTENT_TYPE, body(part('name="file"; filename="a.txt"'), part(second)))

    with pytest.raises(InvalidValue) as refused:
        form.field("file")
    assert (refused.value.param, refused.value.message) == (
        "file",
        "Invalid 'file': was sent more than once.",
    )
    assert form.text("purpose") is None


def test_text_that_is_not_utf_8_is_rejected_where_it_is_read() -> None:
    form = parse(CONTENT_TYPE, body(part('name="purpose"', b"\xff"), part('name="a"', b"1")))

    with pytest.raises(InvalidValue) as refused:
        form.text("purpose")
    assert (refused.value.param, refused.value.message) == (
        "purpose",
        "Invalid 'purpose': is not UTF-8.",
    )
    assert form.text("a") == "1"


def test_other_headers_of_a_part_are_ignored() -> None:
    assert parsed_file(
        part(
            'name="file"; filename="a.txt"',
            b"abc",
            "Content-Type: application/json; charset=utf-16",
            "X-Custom: 日本",
            "content-transfer-encoding: binary",
        )
    ) == ("a.txt", b"abc")


# --- Contents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"\r",
        b"ends in CRLF\r\n",
        b"\x00\x00\r\n\x00",
        bytes(range(256)),
        b"\r\n--",
        f"--{BOUNDARY}\r\n".encode(),  # the delimiter, but not at the beginning of a line
        f"\n--{BOUNDARY}--\r\n".encode(),
        f"\r--{BOUNDARY}\r\n".encode(),
        f"\r\n{BOUNDARY}--\r\n".encode(),
        f"\r\n-{BOUNDARY}--\r\n".encode(),
        f"\r\n--{BOUNDARY[:-1]}--\r\n".encode(),
        f"\r\n--{BOUNDARY[1:]}\r\n".encode(),
        f"\r\n--{BOUNDARY.lower()}\r\n".encode(),
        f"\r\n--{BOUNDARY[:-1]}\r\n--{BOUNDARY[:-1]}".encode(),
        part('name="purpose"', b"batch"),
    ],
)
def test_bytes_that_look_like_a_delimiter_stay_unchanged(content: bytes) -> None:
    assert parsed_file(part('name="file"; filename="a.txt"', content)) == ("a.txt", content)


def test_preamble_and_epilogue_are_ignored() -> None:
    form = body(part('name="a"', b"1"))

    for raw in (b"This is a preamble.\r\n" + form + b"An epilogue.", form.removesuffix(b"\r\n")):
        assert texts_of(parse(CONTENT_TYPE, raw)) == {"a": "1"}


# --- Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('filename="a.txt"', "a.txt"),
        ("filename=a.txt", "a.txt"),
        ('filename=""', ""),
        ('filename="a b; c=d.txt"', "a b; c=d.txt"),
        ('filename="a%22b.txt"', 'a"b.txt'),
        (r'filename="a\"b.txt"', 'a"b.txt'),
        ('filename="a\'b.txt"', "a'b.txt"),
        ('filename="100%.txt"', "100%.txt"),
        ('filename="a%20b.txt"', "a%20b.txt"),
        ('filename="日本語 — été 🚀.txt"', "日本語 — été 🚀.txt"),
        ("filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        ("filename*=utf-8'en'%E2%82%AC%20rates.txt", "€ rates.txt"),
        ("filename*=iso-8859-1''%a3%20rates.txt", "£ rates.txt"),
        ("filename*=UTF-8''plain.txt", "plain.txt"),
        ("filename=\"rates.txt\"; filename*=UTF-8''%e2%82%ac.txt", "€.txt"),
        ("filename*=UTF-8''%e2%82%ac.txt; filename=\"rates.txt\"", "€.txt"),
        ("filename=\"a; filename*=UTF-8''evil.txt\"", "a; filename*=UTF-8''evil.txt"),
    ],
)
def test_filename_is_the_one_that_the_client_meant(disposition: str, filename: str) -> None:
    for name in ('name="file"', "name=file"):
        assert parsed_file(part(f"{name}; {disposition}")) == (filename, b"abc")
    assert parsed_file(part(f'{disposition}; name="file"')) == (filename, b"abc")


@pytest.mark.parametrize(
    "disposition",
    [r'filename="C:\a\b.txt"', r'filename="..\b.txt"', 'filename="../b.txt"', 'filename="/b.txt"'],
)
def test_filename_with_a_path_is_cut_to_its_last_component(disposition: str) -> None:
    filename, _ = parsed_file(part(f'name="file"; {disposition}'))

    assert clean(filename) == "b.txt"


@pytest.mark.parametrize(
    "extended",
    [
        "UTF-8''%ff",  # not what it says
        "no-such-charset''%41",
        "utf-7''%2B2AA-",  # half a character
        "unicode_escape''%5Cud800",
        "undefined''%41",
        "punycode''%ff-%41",
        "hex''%41",
    ],
)
def test_undecodable_extended_filename_counts_as_absent(extended: str) -> None:
    both = f'name="file"; filename="safe.txt"; filename*={extended}'
    assert parsed_file(part(both)) == ("safe.txt", b"abc")
    (field,) = parse(CONTENT_TYPE, body(part(f'name="file"; filename*={extended}'))).fields
    assert field.filename is None


@pytest.mark.parametrize("name", ["expires_after[seconds]", "expires_after%5Bseconds%5D"])
def test_field_name_can_be_percent_encoded(name: str) -> None:
    form = parse(CONTENT_TYPE, body(part(f'name="{name}"', b"3600")))

    assert texts_of(form) == {"expires_after[seconds]": "3600"}


@pytest.mark.parametrize("padding", [b" ", b"\t \t", b" " * 10_000])
def test_white_space_after_a_boundary_is_taken(padding: bytes) -> None:
    delimiter = f"--{BOUNDARY}".encode()
    raw = body(part('name="a"', b"1"), part('name="b"', b"2"))

    padded = raw.replace(delimiter + b"\r\n", delimiter + padding + b"\r\n")
    assert texts_of(parse(CONTENT_TYPE, padded.rstrip() + padding)) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "gzip", "x" * 500])
def test_transfer_encoding_that_is_not_undone_is_refused(encoding: str) -> None:
    sent = part('name="file"; filename="a"', b"YWJj", f"Content-Transfer-Encoding: {encoding}")

    with pytest.raises(UnsupportedEncoding) as refused:
        parse(CONTENT_TYPE, body(sent))

    error = refused.value.public()["error"]
    assert (refused.value.status, error["code"]) == (415, "unsupported_encoding")
    assert len(str(error["message"])) < 250


@pytest.mark.parametrize("encoding", ["binary", "8bit", "7BIT", ""])
def test_transfer_encoding_that_changes_nothing_is_taken(encoding: str) -> None:
    sent = part('name="file"; filename="a"', b"abc", f"Content-Transfer-Encoding: {encoding}")

    assert parsed_file(sent) == ("a", b"abc")


@pytest.mark.parametrize("preamble", [b"\n", b"text\n", b"\xef\xbb\xbf", b"\r", b"x"])
def test_preamble_never_swallows_a_field(preamble: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse(CONTENT_TYPE, preamble + body(part('name="a"', b"1"), part('name="b"', b"2")))


def test_field_with_two_dispositions_is_rejected() -> None:
    second = 'Content-Disposition: form-data; name="b"'

    with pytest.raises(MalformedBody):
        parse(CONTENT_TYPE, body(part('name="a"', b"1", second)))


def test_empty_extended_filename_counts_as_absent() -> None:
    sent = part('name="file"; filename="x.txt"; filename*=UTF-8\'\'')

    assert parsed_file(sent) == ("x.txt", b"abc")


def test_long_header_can_be_folded() -> None:
    folded = b'Content-Disposition: form-data;\r\n name="file";\r\n\tfilename="a.txt"\r\n\r\nabc'

    assert parsed_file(folded) == ("a.txt", b"abc")


def test_hostile_headers_take_no_time() -> None:
    hostile = part('name="f"; z="' + '\\"' * 8_000, b"")
    raw = body(*[hostile] * 63)

    start = time.thread_time()
    assert len(parse(CONTENT_TYPE, raw).fields) == 63
    assert time.thread_time() - start < 5  # one such header took the former parser 1.2 s


# --- Not a form -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        CONTENT_TYPE,
        f'multipart/form-data; boundary="{BOUNDARY}"',
        f"Multipart/Form-Data; Boundary={BOUNDARY}",
        f"multipart/form-data;boundary={BOUNDARY}",
        f"multipart/form-data; charset=utf-8; boundary={BOUNDARY}",
        f"multipart/form-data; boundary={BOUNDARY}; charset=utf-8",
    ],
)
def test_content_type_can_be_written_in_many_ways(content_type: str) -> None:
    assert texts_of(parse(content_type, body(part('name="a"', b"1")))) == {"a": "1"}


@pytest.mark.parametrize("boundary", ["a b c", "=_:(),./?+'", "'", "0" * 70])
def test_boundary_can_have_every_character_that_rfc_2046_allows(boundary: str) -> None:
    form = parse(
        f'multipart/form-data; boundary="{boundary}"',
        body(part('name="a"', b"1"), boundary=boundary),
    )

    assert texts_of(form) == {"a": "1"}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        f"multipart/mixed; boundary={BOUNDARY}",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
    ],
)
def test_content_type_of_anything_else_is_rejected(content_type: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        parse(content_type, body(part('name="a"', b"1")))

    assert refused.value.message == "The request must be multipart/form-data with a boundary."


WHOLE = body(
    part('name="purpose"', b"batch"),
    part('name="file"; filename="a.txt"', b"a\r\nb\r\n", "Content-Type: text/plain"),
)


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"abc",
        b'{"purpose": "batch"}',
        WHOLE.replace(b"\r\n", b"\n"),
        WHOLE.replace(BOUNDARY.encode(), b"another"),
        body(b"\r\n\r\nabc"),  # no Content-Disposition
        body(b"no header\r\n\r\nabc"),
        body(b'Content-Disposition: attachment; name="file"\r\n\r\nabc'),
        body(b'Content-Disposition: form-data; name="\xff"\r\n\r\nabc'),
        body(part('name="a"', b"1", *["X-Header: 1"] * 100)),
        body(part('name="a"', b"1", "X-Header: " + "1" * 20_000)),
        body(*(part(f'name="{number}"') for number in range(65))),
    ],
)
def test_malformed_body_is_rejected_without_internals(malformed: bytes) -> None:
    with pytest.raises(MalformedBody) as refused:
        parse(CONTENT_TYPE, malformed)

    assert refused.value.message.startswith("The multipart body cannot be read: ")
    assert "Error(" not in refused.value.message


def test_body_cut_off_anywhere_is_rejected() -> None:
    for length in range(len(WHOLE.removesuffix(b"\r\n"))):
        with pytest.raises(MalformedBody):
            parse(CONTENT_TYPE, WHOLE[:length])


# --- By chance ------------------------------------------------------------------------------------

# Line ends, hyphens and the boundary itself, more often than chance has them.
contents = st.lists(
    st.one_of(
        st.binary(), st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"\x00", BOUNDARY.encode()])
    )
).map(b"".join)
# Without control characters, which each client escapes in its own way, and without the escapes.
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="%\\"),
    min_size=1,
    max_size=60,
)
texts = st.tuples(names, st.text())
files = st.tuples(names, st.tuples(names, contents))
fields = st.lists(st.one_of(texts, files), max_size=10, unique_by=lambda field: field[0])

type Sent = tuple[str, str | tuple[str, bytes]]


def fields_of(form: Form) -> dict[str, tuple[str | None, bytes]]:
    """The fields by name, with cleaned file names."""
    return {
        unquote(each.name, errors="replace"): (
            None if each.filename is None else clean(each.filename),
            each.content,
        )
        for each in form.fields
    }


def expected(some: Sequence[Sent]) -> dict[str, tuple[str | None, bytes]]:
    return {
        unquote(name, errors="replace"): (
            (None, value.encode()) if isinstance(value, str) else (clean(value[0]), value[1])
        )
        for name, value in some
    }


def frames(some: Sequence[Sent], boundary: str) -> bool:
    """Whether no content holds the delimiter: clients choose such a boundary."""
    values = (v.encode() if isinstance(v, str) else v[1] for _, v in some)
    return all(f"\r\n--{boundary}".encode() not in b"\r\n" + value for value in values)


@given(fields)
def test_form_sent_by_urllib3_is_parsed(some: Sequence[Sent]) -> None:
    assume(frames(some, BOUNDARY))
    raw, content_type = urllib3.encode_multipart_formdata(some, boundary=BOUNDARY)

    assert fields_of(parse(content_type, raw)) == expected(some)


@given(fields.filter(lambda some: any(not isinstance(value, str) for _, value in some)))
def test_form_sent_by_httpx2_is_parsed(some: Sequence[Sent]) -> None:
    texts = {name: value for name, value in some if isinstance(value, str)}
    files = {name: value for name, value in some if not isinstance(value, str)}
    request = httpx2.Request("POST", "https://api.test", data=texts, files=files)

    parsed = parse(request.headers["content-type"], request.read())

    assert fields_of(parsed) == expected(some)


@given(st.binary(), st.text(st.characters(codec="utf-8"), max_size=80))
def test_random_bytes_are_parsed_or_rejected(raw: bytes, content_type: str) -> None:
    for each in (CONTENT_TYPE, content_type, f"{CONTENT_TYPE}{content_type}"):
        with suppress(MalformedBody, InvalidValue):
            assert isinstance(parse(each, raw), Form)
