"""The service on ports in memory, and what tests ask of it."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import pytest

from files_api.service.assembly import Assembly, FailedAssembly
from files_api.service.blob_check import BlobCheck
from files_api.service.completion import AT_ONCE_BYTES, Completion
from files_api.service.errors import ApiError, FileNotFound
from files_api.service.expiry import Expiry
from files_api.service.files import Content, Downloads, Files
from files_api.service.intake import Intake
from files_api.service.lifetimes import Lifetimes
from files_api.service.limits import Limits
from files_api.service.listing import Listing, Page
from files_api.service.model import File, NewFile, Part, PresignedUrl, Upload
from files_api.service.objects import ErrorFields
from files_api.service.part_listing import PartListing
from files_api.service.ports import PageRequest
from files_api.service.purge import Purge
from files_api.service.quota import UNLIMITED
from files_api.service.storage import Storage
from files_api.service.uploads import Cancellation, Parts, Uploads
from tests.fakes.blobs import MemoryAssembler, MemoryBlobs, MemoryDirectParts
from tests.fakes.records import (
    MemoryAssemblyQueue,
    MemoryExpiryQueue,
    MemoryFileRecords,
    MemoryUploadRecords,
)
from tests.support.samples import PURPOSES, Clock

URL_SECONDS = 600


class World:
    """The whole service on ports in memory.

    Attributes:
        clock: the time for all of it.
        max_file_bytes: the deployment's largest file.
        default_quota: of projects without their own.
        lifetimes: how long its files live.
        at_once_bytes: the largest file that is assembled while the caller waits.
        records: metadata of files.
        upload_records: metadata of uploads and parts.
        blobs: bytes of files and parts.
        direct_parts: parts of direct uploads.
        assembler: makes one blob of several.
        queue: the assembly queue.
        expiry_queue: starts the deletion of expired files.
    """

    def __init__(
        self,
        records: MemoryFileRecords | None = None,
        blobs: Callable[[Clock], MemoryBlobs] = MemoryBlobs,
    ) -> None:
        self.clock = Clock()
        self.max_file_bytes = 2 * 1024**3
        self.lifetimes = Lifetimes()
        self.at_once_bytes = AT_ONCE_BYTES
        self.default_quota = UNLIMITED
        self.records = records or MemoryFileRecords()
        self.upload_records = MemoryUploadRecords(self.records)
        self.blobs = blobs(self.clock)
        self.direct_parts = MemoryDirectParts(self.blobs, self.clock)
        self.assembler = MemoryAssembler(self.blobs, self.clock)
        self.queue = MemoryAssemblyQueue()
        self.expiry_queue = MemoryExpiryQueue()

    # --- Services ---------------------------------------------------------------------------------

    @property
    def limits(self) -> Limits:
        return Limits(PURPOSES, self.max_file_bytes, self.lifetimes)

    @property
    def storage(self) -> Storage:
        return Storage(self.records, self.default_quota)

    @property
    def listing(self) -> Listing:
        return Listing(self.records, PURPOSES, self.expiry_queue, self.clock)

    @property
    def expiry(self) -> Expiry:
        return Expiry(self.records, self.clock)

    @property
    def files(self) -> Files:
        return Files(self.records, self.blobs, self.direct_parts, self.clock)

    @property
    def downloads(self) -> Downloads:
        return Downloads(self.files, self.blobs, url_seconds=URL_SECONDS)

    @property
    def part_listing(self) -> PartListing:
        return PartListing(self.files, self.direct_parts, self.clock)

    @property
    def intake(self) -> Intake:
        return Intake(
            self.records, self.blobs, self.direct_parts, self.limits, self.storage, self.clock
        )

    @property
    def uploads(self) -> Uploads:
        return Uploads(self.upload_records, self.limits, self.storage, self.clock)

    @property
    def cancellation(self) -> Cancellation:
        return Cancellation(self.upload_records, self.clock)

    @property
    def parts(self) -> Parts:
        return Parts(self.upload_records, self.blobs, self.clock)

    @property
    def assembly(self) -> Assembly:
        return Assembly(
            self.upload_records,
            self.records,
            self.blobs,
            assembler=self.assembler,
            queue=self.queue,
            clock=self.clock,
        )

    @property
    def failed_assembly(self) -> FailedAssembly:
        return FailedAssembly(self.upload_records, self.records, self.assembler)

    @property
    def completion(self) -> Completion:
        return Completion(
            self.upload_records,
            self.records,
            self.blobs,
            assembly=self.assembly,
            queue=self.queue,
            clock=self.clock,
            at_once_bytes=self.at_once_bytes,
        )

    @property
    def purge(self) -> Purge:
        return Purge(self.records, self.upload_records, self.blobs, self.direct_parts)

    @property
    def blob_check(self) -> BlobCheck:
        return BlobCheck(
            self.records, self.upload_records, self.blobs, self.direct_parts, self.queue, self.clock
        )

    # --- Files ------------------------------------------------------------------------------------

    def create(
        self,
        content: bytes = b"abc",
        *,
        purpose: str = "assistants",
        filename: str = "notes.txt",
        lifetime: int | None = None,
    ) -> File:
        new = NewFile(filename, purpose, len(content), lifetime)
        return self.intake.create("acme", new, content)

    def create_pending(
        self,
        size: int = 3,
        *,
        purpose: str = "assistants",
        filename: str = "notes.txt",
        sha256: str | None = None,
        lifetime: int | None = None,
    ) -> tuple[File, PresignedUrl]:
        new = NewFile(filename, purpose, size, lifetime)
        return self.intake.create_pending("acme", new, sha256)

    def create_in_parts(self, size: int, part_size: int, lifetime: int | None = None) -> File:
        """A pending file whose bytes come in parts, of any size here."""
        new = NewFile("notes.txt", "assistants", size, lifetime)
        return self.intake.create_pending_in_parts("acme", new, part_size)[0].file

    def part_links(self, file: File) -> dict[int, PresignedUrl]:
        """Where to send the parts that have not arrived, by their numbers."""
        page = self.part_listing.page("acme", file.id, limit=1_000, after=0)
        return {part.number: part.link for part in page.parts if part.link}

    def arrived(self, *, finalized: bool) -> File:
        """A pending file whose bytes have arrived; finalized if a call has noticed."""
        file, url = self.create_pending()
        assert self.blobs.send(url, b"abc")
        if finalized:
            self.files.finalize("acme", file.id)
        return file

    def download(self, file_id: str) -> tuple[File, bytes | PresignedUrl]:
        """A file with its bytes or, if it is large, their URL."""
        file, content = self.downloads.content("acme", file_id)
        return file, content.bytes if isinstance(content, Content) else content

    def listed(self, project: str = "acme", purpose: str | None = None) -> list[str]:
        """The ids of all files of a list."""
        return ids(self.listing.page(project, PageRequest(10_000, purpose)))

    def url(self, project: str, file_id: str, lifetime: int = 900) -> PresignedUrl:
        """A URL of the file's content."""
        return self.files.presign(project, self.files.processed(project, file_id), lifetime)

    def content(self, file: File | None) -> bytes | None:
        """The bytes of a processed file."""
        assert file is not None
        assert self.records.get("acme", file.id) == file
        return self.blobs.get(file.blob_key("acme"))

    # --- Uploads ----------------------------------------------------------------------------------

    def open(
        self,
        size: int = 6,
        *,
        filename: str = "notes.txt",
        purpose: str = "assistants",
        mime_type: str = "text/plain",
        lifetime: int | None = None,
    ) -> Upload:
        return self.uploads.create("acme", NewFile(filename, purpose, size, lifetime, mime_type))

    def filled(self, *contents: bytes, lifetime: int | None = None) -> tuple[Upload, list[str]]:
        """An upload with a part for each of the contents, and the parts' ids."""
        upload = self.open(sum(map(len, contents)), lifetime=lifetime)
        return upload, [self.add(upload, content).id for content in contents]

    def presigned(self, *contents: bytes) -> tuple[Upload, list[str]]:
        """The same, with parts sent to presigned URLs."""
        upload = self.open(sum(map(len, contents)))
        ids = []
        for content in contents:
            part, url = self.presign(upload, len(content))
            assert self.blobs.send(url, content)
            ids.append(part.id)
        return upload, ids

    def add(self, upload: Upload, content: bytes) -> Part:
        return self.parts.add("acme", upload.id, content)

    def presign(
        self, upload: Upload, size: int, sha256: str | None = None
    ) -> tuple[Part, PresignedUrl]:
        return self.parts.presign("acme", upload.id, size, sha256)

    def complete(
        self, upload: Upload, part_ids: list[str], md5: str | None = None
    ) -> tuple[Upload, File | None]:
        return self.completion.complete("acme", upload.id, tuple(part_ids), md5)

    def is_clean(self, upload: Upload) -> bool:
        """Whether nothing is left of an upload's parts, once the purge has run."""
        return self.upload_records.parts("acme", upload.id) == []


def md5(*contents: bytes) -> str:
    """The MD5 of the contents, one after another."""
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


def raising(error: type[BaseException]) -> Callable[[], NoReturn]:
    """A call that fails."""

    def fail() -> NoReturn:
        raise error

    return fail


def once(
    port: object,
    call: str,
    *,
    before: Callable[[], object] = lambda: None,
    after: Callable[[], object] = lambda: None,
) -> None:
    """Lets something happen just before or after the next such call on a port."""
    usual = getattr(port, call)

    def interrupted(*args: Any, **options: Any) -> Any:
        setattr(port, call, usual)
        before()
        answer = usual(*args, **options)
        after()
        return answer

    setattr(port, call, interrupted)


def ids(page: Page) -> list[str]:
    """The ids of a page's files."""
    return [json.loads(file)["id"] for file in page.files]


def refusal(call: Callable[[], object], error: type[ApiError]) -> tuple[int, ErrorFields]:
    """Status and error object of a call that is refused."""
    with pytest.raises(error) as refused:
        call()
    return refused.value.status, refused.value.public()["error"]


def invalid(param: str, reason: str) -> tuple[int, ErrorFields]:
    """The `refusal` of a field with an invalid value."""
    return 400, {
        "message": f"Invalid '{param}': {reason}",
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }


def too_large(message: str, param: str) -> tuple[int, dict[str, str | None]]:
    """The `refusal` of too many bytes."""
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
        world.url,
        world.files.delete,
    ]
    for call in calls:
        assert refusal(partial(call, project, file_id), FileNotFound) == (
            404,
            {
                "message": f"No such File object: {file_id}",
                "type": "invalid_request_error",
                "param": "id",
                "code": None,
            },
        )
