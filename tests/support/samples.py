"""A clock that tests set, and files to go with it."""

from files_api.service.ids import new_id
from files_api.service.model import File
from files_api.service.objects import FileStatus

NOW = 1_780_300_800  # Unix seconds: 2026-06-01 08:00:00 UTC
PURPOSES = ("assistants", "batch", "vision")


class Clock:
    """A clock that stands until it is moved.

    Attributes:
        now: Unix seconds.
    """

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def a_file(
    age: float = 0,
    *,
    purpose: str = "assistants",
    expires_at: int | None = None,
    filename: str = "notes.txt",
    status: FileStatus = "processed",
    direct: bool = False,
) -> File:
    """A file made `age` seconds before `NOW`."""
    return File(
        id=new_id(int((NOW - age) * 1_000) * 1_000_000),
        bytes=3,
        created_at=int(NOW - age),
        filename=filename,
        purpose=purpose,
        expires_at=expires_at,
        status=status,
        direct=direct,
    )
