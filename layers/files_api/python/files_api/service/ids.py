"""Ids of files, uploads and parts: UUIDs of version 7, so ids sort by creation."""

import os
import re
import time

PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_CANONICAL = re.compile(PATTERN[1:-1])


def new_id(now_ns: int | None = None) -> str:
    """A new id.

    Args:
        now_ns: the time it carries, in nanoseconds of Unix time; the present if absent.

    Returns:
        48 bits of milliseconds, 12 bits of the fraction below them, 62 random bits (RFC 9562,
        sections 5.7 and 6.2, method 3), in canonical form.
    """
    milliseconds, rest = divmod(time.time_ns() if now_ns is None else now_ns, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    value = f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random:032x}"
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of our ids: a canonical, lower-case UUID of version 7."""
    return _CANONICAL.fullmatch(text) is not None


def creation_time(id: str) -> int:
    """When the id was made, in Unix seconds."""
    return int(id[:8] + id[9:13], 16) // 1000
