"""Forms that are too large for the API: the file on disk, the other fields in memory."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from files_api_client.proxy.errors import ProxyError
from files_api_client.proxy.spool import FLUSH_SIZE, Spool

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MAX_TEXT = 1024**2
_MAX_FIELDS = 64  # as the API has it
# RFC 8187; looked for where no quoted string is.
_EXTENDED = re.compile(rb";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^';]*'([^\s;]+)", re.IGNORECASE)
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_EXPIRY = "expires_after"
_NESTED = re.compile(r"expires_after(?:\[(\w+)\]|\.(\w+))")


@dataclass
class Form:
    """A form with one large field.

    Attributes:
        filename: of the large field, if it has one.
        media_type: of the large field, "" if the client does not say it.
        texts: the fields about purpose and expiry; others do not count.
        found: whether the large field was there.
    """

    filename: str | None = None
    media_type: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    found: bool = False


# Gets what was read before the large field, and how many bytes of the body are not of that field,
# if it is the last one.
Begin: TypeAlias = Callable[["Form", int], object]


async def read(
    content_type: str, body: AsyncIterator[bytes], name: str, content: Spool, begin: Begin
) -> Form:
    """Reads a form.

    Args:
        content_type: of the request.
        body: the form.
        name: of the large field.
        content: takes its bytes.
        begin: called when the first of them comes.

    Raises ProxyError if the form cannot be read, or the disk is full.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise ProxyError(400, "The request must be multipart/form-data with a boundary.")
    behind = len(b"\r\n--" + boundary + b"--\r\n")
    reading = _Reading(name, content, lambda form, before: begin(form, before + behind))
    parser = MultipartParser(boundary, reading.callbacks())
    # What precedes the first boundary of the body is the content of a part that does not count.
    parser.write(b"--" + boundary + b"\r\n\r\n\r\n")
    try:
        async for chunk in body:
            parser.write(chunk)
            reading.before += len(chunk)
            await content.flush(FLUSH_SIZE)
    except FormParserError:
        raise _malformed("it is no form") from None
    if not reading.ended:
        raise _malformed("its last boundary is missing")
    await content.flush()
    content.end()
    return reading.form


class _Reading:
    """Collects what the parser finds.

    Attributes:
        form: what was found.
        ended: whether that is all.
        before: how many bytes of the body the parser got before the ones that it has now.
    """

    def __init__(self, name: str, content: Spool, begin: Begin) -> None:
        self.form = Form()
        self.ended = False
        self.before = 0
        self._begin_large = begin
        self._name = name
        self._content = content
        self._field = ""
        self._head = (bytearray(), bytearray())
        self._heads: dict[str, bytes] = {}
        self._text = bytearray()
        self._read = 0
        self._count = -1  # what comes first does not count: see `read`

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._head[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._head[1].extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._named,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self._heads, self._text, self._field = {}, bytearray(), ""
        self._count += 1
        if self._count > _MAX_FIELDS:
            raise _malformed(f"it has more than {_MAX_FIELDS} fields")

    def _header(self) -> None:
        name, value = self._head
        try:
            value.decode()
        except UnicodeDecodeError:
            raise _malformed("a header is not UTF-8") from None
        self._heads[name.decode("latin-1").lower()] = bytes(value)
        self._head = (bytearray(), bytearray())

    def _named(self) -> None:
        if not self._count:
            return
        disposition = self._heads.get("content-disposition", b"")
        _, parameters = parse_options_header(disposition)
        if b"name" not in parameters:
            raise _malformed("a field has no name")
        encoding = self._heads.get("content-transfer-encoding", b"").strip().lower()
        if encoding not in (b"", b"binary", b"8bit", b"7bit"):
            message = "A field of the form is encoded: send its bytes as they are."
            raise ProxyError(415, message, code="unsupported_encoding")
        self._field = unquote(parameters[b"name"].decode(errors="replace"))
        if self._field in self.form.texts or (self._field == self._name and self.form.found):
            message = f"Invalid '{self._field[:100]}': was sent more than once."
            raise ProxyError(400, message, self._field[:100], "invalid_value")
        if self._field == self._name:
            self.form.found = True
            self.form.filename = _extended(disposition)
            if self.form.filename is None and b"filename" in parameters:
                self.form.filename = _plain(parameters[b"filename"])
            self.form.media_type = self._heads.get("content-type", b"").decode("latin-1")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field == self._name:
            if not self._content.size:
                self._begin_large(self.form, self.before + start)
            self._content.add(data[start:end])
            return
        if not self._count:
            return
        self._read += end - start
        if self._read > _MAX_TEXT:
            raise ProxyError(400, "The fields beside the file are larger than 1 MiB.")
        self._text += data[start:end]

    def _end(self) -> None:
        if self._field == "purpose" or self._field.startswith(_EXPIRY):
            self.form.texts[self._field] = self._text.decode(errors="replace")

    def _all(self) -> None:
        self.ended = True


def wish_to_expire(texts: dict[str, str]) -> dict[str, str]:
    """The fields about expiry, however they are encoded, as `expires_after[key]`.

    What cannot be understood stays as it is, so that the API refuses it.
    """
    wish: dict[str, str] = {}
    for name, text in texts.items():
        if not name.startswith(_EXPIRY):
            continue
        found = _NESTED.fullmatch(name)
        key = found and (found[1] or found[2])
        for each, value in ({f"expires_after[{key}]": text} if key else _whole(name, text)).items():
            if each in wish:
                message = "Invalid 'expires_after': was sent more than once."
                raise ProxyError(400, message, "expires_after", "invalid_value")
            wish[each] = value
    return wish


def _whole(name: str, text: str) -> dict[str, str]:
    """`expires_after` in one field: JSON, or plain seconds."""
    try:
        value = json.loads(text) if name == "expires_after" else None
    except ValueError:
        value = None
    if isinstance(value, int) and text.isdigit():
        value = {"anchor": "created_at", "seconds": value}
    if not isinstance(value, dict) or not value:
        return {name: text}
    return {f"expires_after[{key}]": str(each) for key, each in value.items()}


def _extended(disposition: bytes) -> str | None:
    """The file name that comes with its charset, if there is one."""
    found = _EXTENDED.search(_QUOTED.sub(b"", disposition))
    try:
        return unquote_to_bytes(found[2]).decode(found[1].decode()) if found else None
    except UnicodeDecodeError:
        return None


def _malformed(reason: str) -> ProxyError:
    return ProxyError(400, f"The multipart body cannot be read: {reason}.")


def _plain(filename: bytes) -> str:
    """A file name, with what browsers and SDKs escape in it."""
    for escaped in (b"%22", b"%0D", b"%0A"):
        filename = filename.replace(escaped, unquote_to_bytes(escaped))
    return filename.decode(errors="replace")
