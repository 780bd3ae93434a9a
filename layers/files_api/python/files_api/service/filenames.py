"""File names: cleaned when they arrive, encoded when they leave in a header."""

import re
from urllib.parse import quote

MAX_CHARACTERS = 255
UNNAMED = "upload"  # as the OpenAI SDKs name a file without a name

# Control characters (Unicode category Cc), line and paragraph separators (Zl, Zp), surrogates (Cs),
# which JSON can carry and UTF-8 cannot, and bidirectional controls (UAX #9), which can make
# `gpj.exe` look like `exe.jpg`.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_NOT_IN_QUOTED_STRING = re.compile(r'[^ !#-\[\]-~]|["\\]')
_MAX_SUFFIX = 32


def clean(name: str) -> str:
    r"""Removes directories, control characters and the leading dots of a path from a name.

    `../../etc/passwd` becomes `passwd`, `C:\a\b.txt` becomes `b.txt`. A name longer than 255
    characters is cut before its suffix; an empty name becomes `upload`.
    """
    base = re.split(r"[/\\]", _CONTROL.sub("", name))[-1].lstrip(".")
    if len(base) > MAX_CHARACTERS:
        _, dot, suffix = base.rpartition(".")
        suffix = dot + suffix if len(suffix) < _MAX_SUFFIX else ""
        base = base[: MAX_CHARACTERS - len(suffix)] + suffix
    return base or UNNAMED


def content_disposition(name: str) -> str:
    """The `Content-Disposition` of a download called `name`.

    It carries the name twice, as RFC 6266 (appendix D) advises: in plain ASCII for old clients,
    with `_` for other characters, and in full as `filename*` (RFC 8187).
    """
    plain = _NOT_IN_QUOTED_STRING.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
