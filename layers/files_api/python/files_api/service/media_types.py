"""Media types: as the client says, else by the file's name."""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimetypes import MimeTypes

UNKNOWN = "application/octet-stream"
# RFC 6838, "Naming Requirements", and parameters (RFC 9110, section 8.3.1).
_NAME = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_TYPE = f"{_NAME}/{_NAME}(?: *;[ -~]*)?"
PATTERN = f"^(?:{_TYPE})$"
MAX_LENGTH = 255
# What Python's table lacks, or has had only since some version.
_MORE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def stated(text: str | None) -> str | None:
    """What a client says of its file, if that is a media type and says anything."""
    if not text or len(text) > MAX_LENGTH or not re.fullmatch(_TYPE, text):
        return None
    return None if text.partition(";")[0].strip().lower() == UNKNOWN else text


def of_name(filename: str) -> str:
    """The media type of files with such a name."""
    found, encoding = _table().guess_type(f"/{filename}")
    if encoding:  # the bytes are those of the archive, not of what is in it
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2"}.get(encoding, UNKNOWN)
    return found or UNKNOWN


@cache
def _table() -> "MimeTypes":
    """Python's own table, whatever the machine has beside it."""
    from mimetypes import MimeTypes  # only where a link is made

    table = MimeTypes()
    for suffix, media_type in _MORE.items():
        table.add_type(media_type, suffix)
    return table
