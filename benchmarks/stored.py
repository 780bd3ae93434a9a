"""What the stub of AWS stores: the files, uploads and parts that the calls are about."""

from typing import Final

PROJECT: Final = "acme"
SECRET: Final = "sk-iN5cR6mJ0oXo0cX9Z1qk7i2b9cQ3mVtWk8y4dHs6pLe"  # noqa: S105  of no real key
CONTENT: Final = bytes(range(256)) * 4

FILE_ID: Final = "019a7b3c-5d2e-7f41-8a6b-3c9d0e1f2a4b"  # of 1 KiB
LARGE_FILE_ID: Final = "019a7b3c-5d2e-7f42-8a6b-3c9d0e1f2a4b"  # too large for an answer
LARGE_BYTES: Final = 100_000_000
PENDING_FILE_ID: Final = "019a7b3c-5d2e-7f43-8a6b-3c9d0e1f2a4b"  # of 1 KiB, which have arrived
ASSEMBLED_FILE_ID: Final = "019a7b3c-5d2e-7f44-8a6b-3c9d0e1f2a4b"  # of a completed upload
NO_FILE_ID: Final = "019a7b3c-5d2e-7f45-8a6b-3c9d0e1f2a4b"

UPLOAD_ID: Final = "019a7b3c-5d2e-7f51-8a6b-3c9d0e1f2a00"  # open
LARGE_UPLOAD_ID: Final = "019a7b3c-5d2e-7f52-8a6b-3c9d0e1f2a00"  # open, too large for one call
COMPLETED_UPLOAD_ID: Final = "019a7b3c-5d2e-7f53-8a6b-3c9d0e1f2a00"  # not assembled yet
MERGED_UPLOAD_ID: Final = "019a7b3c-5d2e-7f54-8a6b-3c9d0e1f2a00"  # open, with short parts
MERGED_LATER_ID: Final = (
    "019a7b3c-5d2e-7f55-8a6b-3c9d0e1f2a00"  # with more of them, not assembled yet
)

_MIB: Final = 1024**2
# The bytes of each part. S3 copies parts of at least 5 MiB; shorter ones pass through a function.
PART_BYTES: Final = {
    UPLOAD_ID: (64 * _MIB, 64 * _MIB, len(CONTENT)),
    LARGE_UPLOAD_ID: (1024 * _MIB, 1024 * _MIB, len(CONTENT)),
    COMPLETED_UPLOAD_ID: (64 * _MIB, 64 * _MIB, len(CONTENT)),
    MERGED_UPLOAD_ID: (4_500_000,) * 28,  # as much as is merged while the caller waits
    MERGED_LATER_ID: (4_500_000,) * 100,
}


def parts(upload_id: str) -> dict[str, int]:
    """The ids and sizes of an upload's parts."""
    return {
        f"{upload_id[:-2]}{number:02x}": size
        for number, size in enumerate(PART_BYTES[upload_id], start=1)
    }
