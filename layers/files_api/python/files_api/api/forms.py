"""`multipart/form-data` bodies (RFC 7578, RFC 2046), parsed byte for byte in linear time."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from files_api.api import headers
from files_api.service.errors import InvalidValue, MalformedBody, UnsupportedEncoding

_MAX_FIELDS = 64
_MAX_HEADERS = 8  # of a field; RFC 7578 knows three
# Fits a name of 255 characters, plain and percent-encoded in `filename*`.
_MAX_HEADER_BYTES = 16_384
_NOT_ENCODED = ("", "binary", "8bit", "7bit")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    Attributes:
        name: its name, percent-decoded: some clients encode the brackets in `name[key]`.
        filename: its file name as sent, if it has one. Clients may send any field with or without.
        content: its bytes.
        content_type: its media type, as sent.
    """

    name: str
    filename: str | None
    content: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form. The endpoint knows which fields are bytes and which are text, and ignores others.

    Attributes:
        fields: in the order in which they were sent.
    """

    fields: list[Field]

    def field(self, name: str) -> Field | None:
        """The field of this name. Raises InvalidValue if it was sent more than once."""
        found = [each for each in self.fields if each.name == name]
        if len(found) > 1:
            raise InvalidValue(name, "was sent more than once.")
        return found[0] if found else None

    def texts(self, prefix: str) -> dict[str, str]:
        """The fields whose names start with `prefix`, as texts.

        Raises InvalidValue if one was sent more than once, or is not UTF-8.
        """
        names = dict.fromkeys(each.name for each in self.fields if each.name.startswith(prefix))
        return {name: text for name in names if (text := self.text(name)) is not None}

    def text(self, name: str) -> str | None:
        """The text of a field. Raises InvalidValue if it was sent twice, or is not UTF-8."""
        field = self.field(name)
        if field is None:
            return None
        try:
            return field.content.decode()
        except UnicodeDecodeError:
            raise InvalidValue(name, "is not UTF-8.") from None


def parse(content_type: str, body: bytes) -> Form:
    """Parses a form; its fields can be in any order.

    Args:
        content_type: the request's Content-Type, which names the boundary.
        body: the whole body.

    Raises:
        MalformedBody: not a form, or one that is truncated.
        UnsupportedEncoding: a field is encoded otherwise than as plain bytes.
    """
    media_type, parameters = headers.parse(content_type)
    boundary = headers.unquoted(parameters.get("boundary", ""))
    if media_type != "multipart/form-data" or not boundary:
        raise MalformedBody("The request must be multipart/form-data with a boundary.")
    fields: list[Field] = []
    for block, content in _parts(body, boundary.encode(errors="replace")):
        if len(fields) == _MAX_FIELDS:
            raise _malformed(f"it has more than {_MAX_FIELDS} fields")
        fields.append(_field(block, content))
    return Form(fields)


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The headers and the content of each part (RFC 2046, section 5.1.1)."""
    delimiter = b"\r\n--" + boundary
    first = body.find(delimiter[2:])  # a line of its own, behind the preamble if there is one
    if first < 0 or body[max(first - 2, 0) : first] not in (b"", b"\r\n"):
        raise _malformed("it does not start with its boundary")
    position = first + len(delimiter) - 2
    while body[position : position + 2] != b"--":
        start = _line_end(body, position)
        blank = body.find(b"\r\n\r\n", start, start + _MAX_HEADER_BYTES)
        if blank < 0:
            raise _malformed("it is truncated, or a field has too long headers")
        end = body.find(delimiter, blank + 4)
        if end < 0:
            raise _malformed("it is truncated")
        yield body[start:blank], body[blank + 4 : end]
        position = end + len(delimiter)


def _line_end(body: bytes, position: int) -> int:
    """Where the line of a delimiter ends; it may have white space behind the boundary."""
    end = body.find(b"\r\n", position)
    if end < 0:
        raise _malformed("it is truncated")
    if body[position:end].strip(b" \t"):
        raise _malformed("a boundary is followed by other bytes")
    return end + 2


def _field(block: bytes, content: bytes) -> Field:
    disposition = encoding = content_type = ""
    for name, value in _headers(block):
        if name == "content-disposition":
            if disposition:
                raise _malformed("a field has two names")
            disposition = value
        elif name == "content-transfer-encoding":
            encoding = value.strip().lower()
        elif name == "content-type":
            content_type = value
    kind, parameters = headers.parse(disposition)
    if kind != "form-data" or "name" not in parameters:
        raise _malformed("a field has no name")
    if encoding not in _NOT_ENCODED:
        raise UnsupportedEncoding("Content-Transfer-Encoding", encoding)
    filename = headers.extended(parameters.get("filename*", "")) or None
    if filename is None and "filename" in parameters:
        filename = headers.unquoted(parameters["filename"])
    name = unquote(headers.unquoted(parameters["name"]), errors="replace")
    return Field(name, filename, content, content_type)


def _headers(block: bytes) -> Iterator[tuple[str, str]]:
    """Names, in lower case, and values; a value may continue on further lines."""
    try:
        lines = block.decode().split("\r\n")
    except UnicodeDecodeError:
        raise _malformed("a header is not UTF-8") from None
    unfolded: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1].append(line[1:])
        else:
            unfolded.append([line])
    if len(unfolded) > _MAX_HEADERS:
        raise _malformed(f"a field has more than {_MAX_HEADERS} headers")
    for pieces in unfolded:
        name, colon, value = " ".join(pieces).partition(":")
        if not colon:
            raise _malformed("a header has no colon")
        yield name.strip().lower(), value.strip(" \t")


def _malformed(reason: str) -> MalformedBody:
    return MalformedBody(f"The multipart body cannot be read: {reason}.")
