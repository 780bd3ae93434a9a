"""The headers that a proxy passes on."""

from collections.abc import Iterable, Iterator
from typing import Final

# RFC 9110, section 7.6.1. `Content-Length` and `Host` are set anew for each connection, and
# `Expect` is answered before the body is read.
_HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding"),
        "upgrade",
    )
)


def end_to_end(raw: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    """The headers of a message that are not about its connection, in their order and spelling."""
    for name, value in raw:
        if name.decode("latin-1").lower() not in _HOP_BY_HOP:
            yield name.decode("latin-1"), value.decode("utf-8", "replace")
