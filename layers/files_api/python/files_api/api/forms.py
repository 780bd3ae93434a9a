"""`multipart/form-data` bodies (RFC 7578), parsed byte for byte."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from files_api.service.errors import InvalidValue, MalformedBody

# Fits a name of 255 characters, plain and percent-encoded in `filename*`.
_MAX_HEADER_BYTES = 16_384
_MAX_PARTS = 64

# RFC 8187 requires the first, RFC 5987 also the second; Python's other codecs are not for text.
_CHARSETS = ("utf-8", "iso-8859-1")
_QUOTED = re.compile(r'"(?:\\.|[^\\"])*"')
_EXTENDED_NAME = re.compile(r"; *filename\* *= *([\w-]+)'[\w-]*'([^\s;]+)", re.IGNORECASE)


@dataclass(slots=True)
class Form:
    """A form as sent.

    Attributes:
        texts: the fields without a file name.
        files: the fields with one: name as sent, and bytes.
    """

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)


def parse(content_type: str, body: bytes) -> Form:
    """Parses a form; its fields can be in any order.

    Args:
        content_type: the request's Content-Type, which names the boundary.
        body: the whole body.

    Raises:
        MalformedBody: not a form, or one that ends before its closing boundary.
        InvalidValue: a field is repeated, or is not UTF-8.
    """
    media_type, options = parse_options_header(content_type)
    if media_type != "multipart/form-data" or not options.get("boundary"):
        raise MalformedBody("The request must be multipart/form-data with a boundary.")
    form = Form()
    try:
        for segment, content in _segments(options["boundary"], body):
            _add(form, segment, content)
    except MultipartError as error:
        reason = error.args[0]  # further arguments quote the body
        raise MalformedBody(f"The multipart body cannot be read: {reason}.") from error
    return form


def _segments(boundary: str, body: bytes) -> list[tuple[MultipartSegment, bytes]]:
    segments: list[tuple[MultipartSegment, bytes]] = []
    chunks: list[bytes] = []
    with PushMultipartParser(
        boundary, max_header_size=_MAX_HEADER_BYTES, max_segment_count=_MAX_PARTS
    ) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment, chunks = event, []
            elif event:
                chunks.append(bytes(event))
            else:
                segments.append((segment, b"".join(chunks)))
    return segments


def _add(form: Form, segment: MultipartSegment, content: bytes) -> None:
    name = segment.name or ""
    if name in form.texts or name in form.files:
        raise InvalidValue(name, "given more than once.")
    filename = _filename(segment)
    if filename is not None:
        form.files[name] = (filename, content)
        return
    try:
        form.texts[name] = content.decode()
    except UnicodeDecodeError:
        raise InvalidValue(name, "not UTF-8.") from None


def _filename(segment: MultipartSegment) -> str | None:
    """The part's file name; `filename*` (RFC 8187), if present, takes precedence."""
    plain: str | None = segment.filename
    extended = _EXTENDED_NAME.search(_QUOTED.sub('""', segment.header("Content-Disposition")))
    if extended is None:
        return plain
    charset, name = extended.groups()
    try:
        if charset.lower() in _CHARSETS:
            return unquote(name, encoding=charset, errors="strict")
    except UnicodeDecodeError:
        pass
    raise InvalidValue("file", "its filename* cannot be decoded.")
