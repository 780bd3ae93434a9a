"""Header values with parameters, such as `form-data; name="file"`, parsed in linear time."""

import re
from urllib.parse import unquote

from files_api.service.errors import MalformedBody

# One parameter: its name, then a quoted string, with quotes escaped by backslashes or with plain
# backslashes, or a token. Possessive quantifiers (`++`, `*+`) never go back, and each match starts
# where the last one ended, so the time is linear in the length.
_PARAMETER = re.compile(
    r"""
    ; [ \t]*+
    (?:
        ([^\s=;"]++) [ \t]*+ = [ \t]*+
        (
            "(?:[^"\\]++|\\.)*+" (?= [ \t]*+ (?: ; | \Z ) )
            | "(?: [^"]++ | "(?![ \t]*+ (?: ; | \Z )) )*+"
            | [^;"]*+ (?= [ \t]*+ (?: ; | \Z ) )
        )
    )?
    [ \t]*+
    """,
    re.DOTALL | re.VERBOSE,
)
# RFC 8187 requires the first, RFC 5987 also the second; Python's other codecs are not for text.
_CHARSETS = ("utf-8", "iso-8859-1")


def parse(header: str) -> tuple[str, dict[str, str]]:
    """The value of a header in lower case, and its parameters.

    Names of parameters are in lower case. Quoted strings keep their quotes; see `unquoted`. What
    cannot be read as a parameter is skipped, up to the next semicolon. If a parameter is repeated,
    the first one counts.

    Raises:
        MalformedBody: there are two names, and nobody can tell which one the client meant.
    """
    value, semicolon, _ = header.partition(";")
    parameters: dict[str, str] = {}
    position = len(value)
    while semicolon and position < len(header):
        found = _PARAMETER.match(header, position)
        if found is None or (found.end() < len(header) and header[found.end()] != ";"):
            position = header.find(";", position + 1)
            if position < 0:
                break
            continue
        if found[1]:
            name = found[1].lower()
            if name == "name" and name in parameters:
                raise MalformedBody("A field has two names.")
            parameters.setdefault(name, found[2].rstrip(" \t"))
        position = found.end()
    return value.strip(" \t").lower(), parameters


def unquoted(text: str) -> str:
    """The text of a parameter, as clients of forms write it.

    In quoted strings, older clients escape quotes by backslashes, and newer ones by percent signs
    (WHATWG HTML, "multipart form data"). A backslash before any other character stays, because it
    may belong to a Windows path.
    """
    if text.startswith('"'):
        text = text[1:-1]
        if '\\"' in text:
            return text.replace("\\\\", "\\").replace('\\"', '"')
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def extended(text: str) -> str | None:
    """The text of a parameter with a charset (RFC 8187), such as `UTF-8''%E2%82%AC`.

    None if it cannot be decoded.
    """
    charset, quote, rest = text.partition("'")
    _, second_quote, encoded = rest.partition("'")
    if not (quote and second_quote) or charset.lower() not in _CHARSETS:
        return None
    try:
        return unquote(encoded, encoding=charset, errors="strict")
    except UnicodeDecodeError:
        return None
