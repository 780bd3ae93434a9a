"""What a caller may choose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MIB = 1024**2

# The API: the largest file in a request body.
PLAIN_LIMIT = 4_500_000
# AWS: how many parts a file may have (Amazon S3, "Multipart upload limits").
MAX_PARTS = 10_000

PART_SIZE = 64 * MIB
DIRECT_LIMIT = PART_SIZE
PARALLEL = 8
RETRIES = 3

# Called with the bytes sent so far and the bytes there are.
Progress = Callable[[int, int], object]
# Called with the service's answer that announces an upload in parts.
OnPending = Callable[[Mapping[str, Any]], object]

# Of all that an httpx2 client can be told, how to reach a server holds for the storage, too. What
# is said to the service (headers, cookies, auth, hooks) is none of the storage's business.
NETWORK = (
    "cert",
    "http1",
    "http2",
    "limits",
    "mounts",
    "proxy",
    "timeout",
    "transport",
    "trust_env",
    "verify",
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How files are sent.

    Attributes:
        progress: called with each chunk that was sent; may raise to stop.
        parallel: how many parts are on their way at once.
        part_size: bytes of a part, more where a file would have more than 10,000 of them.
        direct_limit: bytes up to which a large file goes in one PUT; larger ones go in parts.
        retries: how often a request that failed is tried again.
        on_pending: called with the file before its parts are sent; may raise to stop.
        keep_pending: whether a file whose parts could not be sent is kept, to be resumed.
    """

    progress: Progress | None = None
    parallel: int = PARALLEL
    part_size: int = PART_SIZE
    direct_limit: int = DIRECT_LIMIT
    retries: int = RETRIES
    on_pending: OnPending | None = None
    keep_pending: bool = False

    def __post_init__(self) -> None:
        least = {"parallel": 1, "part_size": 1, "direct_limit": 0, "retries": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}.")


def for_storage(settings: dict[str, Any]) -> dict[str, Any]:
    """Of an httpx2 client's settings those that hold for the storage, too."""
    return {name: settings[name] for name in NETWORK if name in settings}
