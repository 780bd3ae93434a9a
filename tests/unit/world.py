"""The services on ports in memory, and what tests ask of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from files_api.errors import ApiError, FileNotFound
from files_api.files import Downloads, Files
from files_api.intake import Intake
from files_api.listing import Listing, Page
from files_api.model import File, Link
from files_api.purge import Purge
from files_api.sweep import Sweep
from tests.unit.memory import MemoryBlobs, MemoryRecords
from tests.unit.memory_uploads import MemoryLater, MemoryUploadRecords
from tests.unit.samples import PURPOSES, Clock

LINK_SECONDS = 600


class World:
    """The services on ports in memory.

    Attributes:
        clock: what time it is for all of them.
        max_file_bytes: the stack's largest file.
    """

    def __init__(
        self, records: MemoryRecords | None = None, blobs: MemoryBlobs | None = None
    ) -> None:
        self.clock = Clock()
        self.records = records or MemoryRecords()
        self.blobs = blobs or MemoryBlobs(self.clock)
        self.upload_records = MemoryUploadRecords(self.records)
        self.max_file_bytes = 10_000_000

    @property
    def listing(self) -> Listing:
        return Listing(self.records, PURPOSES, self.clock)

    @property
    def files(self) -> Files:
        return Files(self.records, self.blobs, self.clock)

    @property
    def downloads(self) -> Downloads:
        return Downloads(self.records, self.blobs, link_seconds=LINK_SECONDS, clock=self.clock)

    @property
    def purge(self) -> Purge:
        return Purge(self.records, self.upload_records, self.blobs)

    @property
    def sweep(self) -> Sweep:
        return Sweep(self.records, self.upload_records, self.blobs, MemoryLater(), self.clock)

    @property
    def intake(self) -> Intake:
        return Intake(
            self.records,
            self.blobs,
            purposes=PURPOSES,
            max_file_bytes=self.max_file_bytes,
            clock=self.clock,
        )

    def create(
        self,
        content: bytes = b"abc",
        *,
        purpose: str = "assistants",
        filename: str = "notes.txt",
        lifetime: int | None = None,
    ) -> File:
        return self.intake.create(
            "acme", filename=filename, purpose=purpose, content=content, lifetime=lifetime
        )

    def promise(
        self,
        size: int = 3,
        *,
        purpose: str = "assistants",
        filename: str = "notes.txt",
        sha256: str | None = None,
        lifetime: int | None = None,
    ) -> tuple[File, Link]:
        return self.intake.promise(
            "acme",
            filename=filename,
            purpose=purpose,
            size=size,
            sha256=sha256,
            lifetime=lifetime,
        )

    def uploaded(self, *, settled: bool) -> File:
        """A promised file whose bytes are there; `settled` if a call has noticed them."""
        file, link = self.promise()
        assert self.blobs.upload(link, b"abc")
        if settled:
            self.files.settle("acme", file.id)
        return file

    def listed(self, project: str = "acme", purpose: str | None = None) -> list[str]:
        return ids(self.listing.page(project, purpose=purpose, limit=10_000))


def ids(page: Page) -> list[str]:
    """The ids of a page's files."""
    return [json.loads(doc)["id"] for doc in page.docs]


def error_of(error: ApiError) -> dict[str, str | None]:
    """What stands in the answer to a call that raised the error."""
    return error.public()["error"]


def refusal(call: Callable[[], object], error: type[ApiError]) -> tuple[int, dict[str, str | None]]:
    """Status and error of a call that is refused."""
    with pytest.raises(error) as refused:
        call()
    return refused.value.status, error_of(refused.value)


def invalid(param: str, reason: str) -> tuple[int, dict[str, str | None]]:
    """What `refusal` gives for a field that holds what it may not."""
    return 400, {
        "message": f"Invalid '{param}': {reason}",
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }


def too_large(message: str, param: str) -> tuple[int, dict[str, str | None]]:
    """What `refusal` gives for too many bytes."""
    return 413, {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": "file_too_large",
    }


def assert_gone(world: World, project: str, file_id: str) -> None:
    """No call finds the file; each says so in the same words."""
    calls: list[Callable[[str, str], Any]] = [
        world.files.retrieve,
        world.downloads.content,
        lambda project, file_id: world.files.link(project, file_id, 900),
        world.files.delete,
    ]
    for call in calls:
        with pytest.raises(FileNotFound) as refused:
            call(project, file_id)
        assert (refused.value.status, error_of(refused.value)) == (
            404,
            {
                "message": f"No such File object: {file_id}",
                "type": "invalid_request_error",
                "param": "id",
                "code": None,
            },
        )
