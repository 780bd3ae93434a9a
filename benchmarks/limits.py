"""The limits. If a figure breaks one, `make bench` fails."""

from collections.abc import Mapping
from typing import Final

# Ratio of a function's init to that of boto3 with two clients.
INIT: Final = 1.0
SHORTER_INITS: Final[Mapping[str, float]] = {
    "Authorize": 0.7,  # no S3 client and no pydantic
    "RetrieveFile": 0.7,  # no S3 client before a pending file is asked for, and no pydantic
    "ListFiles": 0.9,  # no S3 client
}

# Ratio of a handler's CPU to that of the same bare boto3 calls.
CPU: Final = 1.2
OTHER_CPU: Final[Mapping[str, float]] = {
    "list of 100, to typed items": 0.45,
    "complete, parts merged": 1.3,
    "complete, part copied": 1.3,
    "complete, assembled later": 1.3,
}

# A page of a list: ratio of its time to that of the bare Query, and to that of a shorter list.
LIST_RATIO: Final = 1.3
LIST_GROWTH: Final = 1.3
LIST_QUERIES: Final = 1
LIST_ITEMS: Final = 101  # for a page of 100: one more shows whether another page follows

# The share of its memory that a function may use.
MEMORY_SHARE: Final = 0.5

# A file of 1 GiB through the client's proxy: ratio of the time to that of one bare PUT.
PROXY: Final = 1.5
