"""File names: what is kept of a name as sent, and how it travels back in a header."""

import re
from urllib.parse import quote

MAX_CHARACTERS = 255
UNNAMED = "upload"  # what the OpenAI SDKs call a file that has no name

# C0, C1, the two separators that end a line (Unicode categories Cc, Zl and Zp), and halves of
# characters, which JSON can spell and UTF-8 cannot (Cs).
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_QUOTED_STRING = re.compile(r'[^ !#-\[\]-~]|["\\]')
_MAX_SUFFIX = 32


def clean(name: str) -> str:
    r"""The name as sent, less directories, control characters and the leading dots of a path.

    `../../etc/passwd` becomes `passwd`, `C:\a\b.txt` becomes `b.txt`. A name longer than 255
    characters is cut before its suffix; one of which nothing is left becomes `upload`.
    """
    base = re.split(r"[/\\]", _CONTROL.sub("", name))[-1].lstrip(".")
    if len(base) > MAX_CHARACTERS:
        _, dot, suffix = base.rpartition(".")
        suffix = dot + suffix if len(suffix) < _MAX_SUFFIX else ""
        base = base[: MAX_CHARACTERS - len(suffix)] + suffix
    return base or UNNAMED


def content_disposition(name: str) -> str:
    """The `Content-Disposition` that offers a download under `name`.

    Both forms of the name, as RFC 6266 (appendix D) advises: a plain one for old clients, with `_`
    for what it cannot hold, and `filename*` with the name in full (RFC 8187).
    """
    plain = _NOT_IN_QUOTED_STRING.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
