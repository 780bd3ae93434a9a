"""Creating files: sent in the request body, or pending until a direct upload."""

import hashlib
import uuid

import pytest

from files_api.service.errors import EmptyFile, FileTooLarge, InvalidValue
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.intake import DAY
from files_api.service.model import MAX_DIRECT_BYTES, File, PendingFile
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.records import MemoryFileRecords
from tests.fakes.world import World, error_of
from tests.support.samples import NOW, Clock


@pytest.fixture
def world() -> World:
    return World()


# --- Files in the request body --------------------------------------------------------------------


def test_created_file_is_as_requested(world: World) -> None:
    world.clock.now = NOW + 0.999

    file = world.create(b"abc", filename="../a/notes.txt", purpose="vision", lifetime=3600)

    assert uuid.UUID(file.id).version == 7
    assert file == File(
        id=file.id,
        bytes=3,
        created_at=NOW,
        filename="notes.txt",
        purpose="vision",
        status="processed",
        expires_at=NOW + 3600,
    )


@pytest.mark.parametrize("content", [b"\x00", b"\r\n--", bytes(range(256)) * 100])
def test_created_file_is_visible_to_every_call_at_once(world: World, content: bytes) -> None:
    file = world.create(content)

    assert world.files.retrieve("acme", file.id) == file
    assert world.downloads.content("acme", file.id) == (file, content)
    assert world.listed() == [file.id]
    assert world.listed(purpose="assistants") == [file.id]
    assert world.listed(purpose="batch") == []


@pytest.mark.parametrize(
    ("purpose", "lifetime", "expires_at"),
    [
        ("assistants", None, None),
        ("vision", None, None),
        ("batch", None, NOW + 30 * DAY),
        ("batch", 3600, NOW + 3600),
        ("assistants", 2_592_000, NOW + 2_592_000),
    ],
)
def test_file_expires_as_requested_or_by_its_purpose(
    world: World, purpose: str, lifetime: int | None, expires_at: int | None
) -> None:
    assert world.create(purpose=purpose, lifetime=lifetime).expires_at == expires_at


@pytest.mark.parametrize("purpose", ["", "Batch", "batch ", "user_data", "assistants,batch"])
def test_unknown_purpose_is_rejected(world: World, purpose: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        world.create(purpose=purpose)

    assert error_of(refused.value) == {
        "message": "Invalid 'purpose': must be one of assistants, batch, vision.",
        "type": "invalid_request_error",
        "param": "purpose",
        "code": "invalid_value",
    }
    assert world.listed() == []


def test_empty_file_is_rejected(world: World) -> None:
    with pytest.raises(EmptyFile):
        world.create(b"")
    assert world.listed() == []


def test_file_too_large_for_the_body_is_told_alternatives(world: World) -> None:
    assert world.create(bytes(MAX_INLINE_BYTES)).bytes == MAX_INLINE_BYTES

    with pytest.raises(FileTooLarge) as refused:
        world.create(bytes(MAX_INLINE_BYTES + 1))

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "A file in the request body can have at most 4500000 bytes. Send a larger "
            "file by direct upload (POST /v1/files with a JSON body) or with the Uploads API "
            "(POST /v1/uploads).",
            "type": "invalid_request_error",
            "param": "file",
            "code": "file_too_large",
        },
    )


def test_file_larger_than_the_deployments_maximum_is_rejected(world: World) -> None:
    world.max_file_bytes = 1000
    assert world.create(bytes(1000)).bytes == 1000

    with pytest.raises(FileTooLarge) as refused:
        world.create(bytes(1001))

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "The maximum file size is 1000 bytes.",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )


class FullTable(MemoryFileRecords):
    """Records that cannot be written."""

    def add(self, project: str, file: File) -> None:
        raise ConnectionError(project, file)


class FullBucket(MemoryBlobs):
    """Blobs that cannot be written."""

    def put(self, key: str, content: bytes) -> None:
        raise ConnectionError(key, content)


@pytest.mark.parametrize("world", [World(records=FullTable()), World(blobs=FullBucket)])
def test_interrupted_creation_leaves_no_visible_file(world: World) -> None:
    with pytest.raises(ConnectionError):
        world.create()

    assert world.listed() == []
    assert world.listed(purpose="assistants") == []


class Witness(MemoryFileRecords):
    """Records that check, when one is written, that its bytes are stored."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__()
        self._blobs = blobs

    def add(self, project: str, file: File) -> None:
        assert self._blobs.get(file.blob_key(project)) is not None
        super().add(project, file)


def test_file_is_never_visible_without_its_bytes() -> None:
    blobs = MemoryBlobs(Clock())
    world = World(records=Witness(blobs), blobs=lambda _: blobs)

    assert world.listed() == []
    file = world.create()
    assert world.listed() == [file.id]


# --- Direct uploads -------------------------------------------------------------------------------


def test_pending_file_is_as_requested(world: World) -> None:
    world.clock.now = NOW + 0.999

    file, url = world.create_pending(7, filename="../a/notes.txt", purpose="vision", lifetime=3600)

    assert uuid.UUID(file.id).version == 7
    assert file == File(
        id=file.id,
        bytes=7,
        created_at=NOW,
        filename="notes.txt",
        purpose="vision",
        status="pending",
        expires_at=NOW + 3600,
        direct=True,
    )
    assert url.expires_at == NOW + 900
    assert world.files.retrieve("acme", file.id) == file
    assert world.listed() == []
    assert world.blobs.keys() == set()


def test_pending_file_outlives_its_presigned_url_by_three_hours(world: World) -> None:
    file, url = world.create_pending()

    assert world.records.get_pending("acme", file.id) == PendingFile(
        file, url.expires_at + 3 * 3600
    )


@pytest.mark.parametrize("sha256", [None, hashlib.sha256(b"abc").hexdigest()])
def test_presigned_url_accepts_only_the_announced_bytes(world: World, sha256: str | None) -> None:
    _, url = world.create_pending(3, sha256=sha256)

    assert not world.blobs.send(url, b"abcd")
    assert world.blobs.send(url, b"xyz") == (sha256 is None)
    assert world.blobs.send(url, b"abc") == (sha256 is not None)


@pytest.mark.parametrize(
    ("purpose", "lifetime", "expires_at"),
    [
        ("assistants", None, None),
        ("batch", None, NOW + 30 * DAY),
        ("batch", 3600, NOW + 3600),
    ],
)
def test_pending_file_expires_as_requested_or_by_its_purpose(
    world: World, purpose: str, lifetime: int | None, expires_at: int | None
) -> None:
    assert world.create_pending(purpose=purpose, lifetime=lifetime)[0].expires_at == expires_at


def test_pending_file_of_an_unknown_purpose_is_rejected(world: World) -> None:
    with pytest.raises(InvalidValue, match="must be one of assistants, batch, vision"):
        world.create_pending(purpose="user_data")

    assert world.records.items() == []


def test_empty_pending_file_is_rejected(world: World) -> None:
    with pytest.raises(EmptyFile):
        world.create_pending(0)

    assert world.records.items() == []


def test_pending_file_larger_than_the_maximum_is_rejected(world: World) -> None:
    world.max_file_bytes = MAX_INLINE_BYTES + 1000
    assert world.create_pending(world.max_file_bytes)[0].bytes == world.max_file_bytes

    with pytest.raises(FileTooLarge) as refused:
        world.create_pending(world.max_file_bytes + 1)

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "The maximum file size is 4501000 bytes.",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )
    assert len(world.records.items()) == 1


def test_pending_file_larger_than_one_put_is_rejected(world: World) -> None:
    assert MAX_DIRECT_BYTES == 5 * 1024**3
    world.max_file_bytes = 5 * 1024**4
    assert world.create_pending(MAX_DIRECT_BYTES)[0].bytes == MAX_DIRECT_BYTES

    with pytest.raises(FileTooLarge) as refused:
        world.create_pending(MAX_DIRECT_BYTES + 1)

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "A direct upload can have at most 5368709120 bytes. Send a larger file with "
            "the Uploads API (POST /v1/uploads).",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )
    assert len(world.records.items()) == 1
