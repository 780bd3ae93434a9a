"""Ranges of bytes (RFC 9110, section 14)."""

import re
from collections.abc import Callable

from files_api.service.errors import InvalidRange

_SPEC = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


def span(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a Range header asks for; None for all of them.

    A header that cannot be read, or asks for several ranges, is ignored, as section 14.2 permits.

    Raises:
        InvalidRange: none of the `size` bytes is in it.
    """
    found = _SPEC.fullmatch(header)
    if found is None or found[0].strip().endswith("=-"):
        return None
    first, last = (int(each) if each else None for each in found.groups())
    if first is None:  # the last so many bytes
        wanted = last or 0
        first, last = max(size - wanted, 0), size - 1
        if wanted == 0:
            raise InvalidRange(size)
        return first, last
    if last is not None and last < first:
        return None
    if first >= size:
        raise InvalidRange(size)
    return first, size - 1 if last is None else min(last, size - 1)


def wanted(header: Callable[[str], str], size: int, etag: str) -> tuple[int, int] | None:
    """The same of a request, by its headers: with `If-Range`, only of the bytes that it names."""
    condition = header("if-range").strip()
    if condition and condition != etag:
        return None
    return span(header("range").strip(), size)
