"""What the way in for new files promises, whatever keeps them."""

import hashlib
import uuid

import pytest

from files_api.errors import EmptyFile, FileTooLarge, InvalidValue
from files_api.files import MAX_INLINE_BYTES
from files_api.intake import DAY
from files_api.model import MAX_DIRECT_BYTES, File, Pending
from tests.unit.memory import MemoryBlobs, MemoryRecords
from tests.unit.samples import NOW
from tests.unit.world import World, error_of


@pytest.fixture
def world() -> World:
    return World()


# --- Plain uploads --------------------------------------------------------------------------------


def test_a_file_is_created_as_told(world: World) -> None:
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
def test_what_was_created_is_seen_by_every_call_at_once(world: World, content: bytes) -> None:
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
def test_a_file_expires_when_told_batch_files_after_thirty_days_and_all_others_never(
    world: World, purpose: str, lifetime: int | None, expires_at: int | None
) -> None:
    assert world.create(purpose=purpose, lifetime=lifetime).expires_at == expires_at


@pytest.mark.parametrize("purpose", ["", "Batch", "batch ", "user_data", "assistants,batch"])
def test_an_unknown_purpose_is_refused(world: World, purpose: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        world.create(purpose=purpose)

    assert error_of(refused.value) == {
        "message": "Invalid 'purpose': must be one of assistants, batch, vision.",
        "type": "invalid_request_error",
        "param": "purpose",
        "code": "invalid_value",
    }
    assert world.listed() == []


def test_an_empty_file_is_refused(world: World) -> None:
    with pytest.raises(EmptyFile):
        world.create(b"")
    assert world.listed() == []


def test_a_plain_upload_takes_files_up_to_its_limit_and_says_where_larger_ones_go(
    world: World,
) -> None:
    assert world.create(bytes(MAX_INLINE_BYTES)).bytes == MAX_INLINE_BYTES

    with pytest.raises(FileTooLarge) as refused:
        world.create(bytes(MAX_INLINE_BYTES + 1))

    error = error_of(refused.value)
    assert (refused.value.status, error["param"], error["code"]) == (413, "file", "file_too_large")
    for said in (str(MAX_INLINE_BYTES), "direct upload", "Uploads API"):
        assert said in str(error["message"])


def test_a_stack_takes_files_up_to_its_maximum(world: World) -> None:
    world.max_file_bytes = 1000
    assert world.create(bytes(1000)).bytes == 1000

    with pytest.raises(FileTooLarge) as refused:
        world.create(bytes(1001))

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "Files may have up to 1000 bytes here.",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )


class FullTable(MemoryRecords):
    """Records that take none in."""

    def add(self, project: str, file: File) -> None:
        raise ConnectionError(project, file)


class FullBucket(MemoryBlobs):
    """Blobs that take none in."""

    def put(self, key: str, content: bytes) -> None:
        raise ConnectionError(key, content)


@pytest.mark.parametrize("world", [World(records=FullTable()), World(blobs=FullBucket())])
def test_an_upload_that_breaks_off_anywhere_leaves_nothing_to_see(world: World) -> None:
    with pytest.raises(ConnectionError):
        world.create()

    assert world.listed() == []
    assert world.listed(purpose="assistants") == []


class Witness(MemoryRecords):
    """Records that look, when one is written, whether its bytes are there."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__()
        self._blobs = blobs

    def add(self, project: str, file: File) -> None:
        assert self._blobs.get(file.key(project)) is not None
        super().add(project, file)


def test_no_reader_ever_sees_a_file_without_its_bytes() -> None:
    blobs = MemoryBlobs()
    world = World(records=Witness(blobs), blobs=blobs)

    assert world.listed() == [] != [world.create().id]


# --- Direct uploads -------------------------------------------------------------------------------


def test_a_file_is_promised_as_told_and_told_where_its_bytes_go(world: World) -> None:
    world.clock.now = NOW + 0.999

    file, link = world.promise(7, filename="../a/notes.txt", purpose="vision", lifetime=3600)

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
    assert link.expires_at == NOW + 900
    assert world.files.retrieve("acme", file.id) == file
    assert world.listed() == []
    assert world.blobs.keys() == set()


def test_a_promise_is_good_until_three_hours_after_its_link(world: World) -> None:
    file, link = world.promise()

    assert world.records.pending("acme", file.id) == Pending(file, link.expires_at + 3 * 3600)


@pytest.mark.parametrize("sha256", [None, hashlib.sha256(b"abc").hexdigest()])
def test_a_promise_is_of_its_bytes_and_no_others(world: World, sha256: str | None) -> None:
    _, link = world.promise(3, sha256=sha256)

    assert not world.blobs.upload(link, b"abcd")
    assert world.blobs.upload(link, b"xyz") == (sha256 is None)
    assert world.blobs.upload(link, b"abc") == (sha256 is not None)


@pytest.mark.parametrize(
    ("purpose", "lifetime", "expires_at"),
    [
        ("assistants", None, None),
        ("batch", None, NOW + 30 * DAY),
        ("batch", 3600, NOW + 3600),
    ],
)
def test_a_promised_file_expires_like_any_other(
    world: World, purpose: str, lifetime: int | None, expires_at: int | None
) -> None:
    assert world.promise(purpose=purpose, lifetime=lifetime)[0].expires_at == expires_at


def test_no_file_of_an_unknown_purpose_is_promised(world: World) -> None:
    with pytest.raises(InvalidValue, match="must be one of assistants, batch, vision"):
        world.promise(purpose="user_data")

    assert world.records.items() == []


def test_no_empty_file_is_promised(world: World) -> None:
    with pytest.raises(EmptyFile):
        world.promise(0)

    assert world.records.items() == []


def test_a_promise_is_of_as_many_bytes_as_the_stack_takes(world: World) -> None:
    world.max_file_bytes = MAX_INLINE_BYTES + 1000
    assert world.promise(world.max_file_bytes)[0].bytes == world.max_file_bytes

    with pytest.raises(FileTooLarge) as refused:
        world.promise(world.max_file_bytes + 1)

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "Files may have up to 4501000 bytes here.",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )
    assert len(world.records.items()) == 1


def test_a_promise_is_of_as_many_bytes_as_one_put_takes(world: World) -> None:
    assert MAX_DIRECT_BYTES == 5 * 1024**3
    world.max_file_bytes = 5 * 1024**4
    assert world.promise(MAX_DIRECT_BYTES)[0].bytes == MAX_DIRECT_BYTES

    with pytest.raises(FileTooLarge) as refused:
        world.promise(MAX_DIRECT_BYTES + 1)

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "A direct upload takes files of up to 5368709120 bytes. Send larger ones "
            "with the Uploads API (POST /v1/uploads).",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )
    assert len(world.records.items()) == 1
