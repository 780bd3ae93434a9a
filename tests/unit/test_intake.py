"""Creating files: sent in the request body, or pending until a direct upload."""

import hashlib
import itertools
import uuid
from collections.abc import Callable

import pytest

from files_api.service.errors import EmptyFile, FileTooLarge, InvalidValue
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.intake import Intake
from files_api.service.lifetimes import DAY, Lifetimes
from files_api.service.model import MAX_DIRECT_BYTES, File, NewFile, PendingFile, PresignedUrl
from tests.fakes.world import World, invalid, once, raising, refusal, too_large
from tests.support.samples import NOW

# Each makes a file of some bytes.
DOORS: dict[str, Callable[..., File]] = {
    "in the body": lambda world, size=3, **fields: world.create(bytes(size), **fields),
    "direct": lambda world, size=3, **fields: world.create_pending(size, **fields)[0],
}
every_door = pytest.mark.parametrize("create", DOORS.values(), ids=DOORS)


@every_door
def test_file_is_as_requested(world: World, create: Callable[..., File]) -> None:
    world.clock.now = NOW + 0.999

    file = create(world, 7, filename="../a/notes.txt", purpose="vision", lifetime=3600)

    direct = create is DOORS["direct"]
    assert uuid.UUID(file.id).version == 7
    assert file == File(
        id=file.id,
        bytes=7,
        created_at=NOW,
        filename="notes.txt",
        purpose="vision",
        status="pending" if direct else "processed",
        expires_at=NOW + 3600,
        direct=direct,
    )
    assert world.files.retrieve("acme", file.id) == file


@every_door
@pytest.mark.parametrize(
    ("purpose", "lifetime", "seconds"),
    [
        ("assistants", None, None),
        ("vision", None, None),
        ("batch", None, 30 * DAY),
        ("batch", 3600, 3600),
        ("assistants", 2_592_000, 2_592_000),
    ],
)
def test_file_expires_as_requested_or_by_its_purpose(
    world: World,
    create: Callable[..., File],
    purpose: str,
    lifetime: int | None,
    seconds: int | None,
) -> None:
    file = create(world, purpose=purpose, lifetime=lifetime)

    assert file.expires_at == (None if seconds is None else NOW + seconds)


@every_door
def test_bounds_of_lifetimes_hold_at_every_door(world: World, create: Callable[..., File]) -> None:
    earlier = create(world)
    world.lifetimes = Lifetimes(default=3 * DAY, least=2 * DAY, most=7 * DAY)

    assert refusal(lambda: create(world, lifetime=DAY), InvalidValue) == invalid(
        "expires_after", "seconds must be from 172800 to 604800."
    )
    assert create(world, lifetime=7 * DAY).expires_at == NOW + 7 * DAY
    assert create(world).expires_at == NOW + 3 * DAY
    assert world.files.retrieve("acme", earlier.id).expires_at is None


@every_door
@pytest.mark.parametrize("purpose", ["", "Batch", "batch ", "user_data", "assistants,batch"])
def test_unknown_purpose_is_rejected(
    world: World, create: Callable[..., File], purpose: str
) -> None:
    assert refusal(lambda: create(world, purpose=purpose), InvalidValue) == invalid(
        "purpose", "must be one of assistants, batch, vision."
    )
    assert world.records.items() == []


@every_door
def test_empty_file_is_rejected(world: World, create: Callable[..., File]) -> None:
    with pytest.raises(EmptyFile):
        create(world, 0)

    assert world.records.items() == []


@pytest.mark.parametrize(
    ("door", "maximum", "largest", "message", "param"),
    [
        (
            "in the body",
            1024**4,
            MAX_INLINE_BYTES,
            "A file in the request body can have at most 4500000 bytes. Send a larger file by "
            "direct upload (POST /v1/files with a JSON body, in parts with part_size) or with the "
            "Uploads API (POST /v1/uploads).",
            "file",
        ),
        ("in the body", 1000, 1000, "The maximum file size is 1000 bytes.", "file"),
        ("direct", 4_501_000, 4_501_000, "The maximum file size is 4501000 bytes.", "bytes"),
    ],
)
def test_too_large_file_is_told_the_limit_and_alternatives(
    world: World, door: str, maximum: int, largest: int, message: str, param: str
) -> None:
    assert MAX_DIRECT_BYTES == 5 * 1024**3
    world.max_file_bytes = maximum
    create = DOORS[door]
    assert create(world, largest).bytes == largest
    before = world.records.items()

    assert refusal(lambda: create(world, largest + 1), FileTooLarge) == too_large(message, param)
    assert world.records.items() == before


# --- Files in the request body --------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"\x00", b"\r\n--", bytes(range(256)) * 100])
def test_created_file_is_visible_to_every_call_at_once(world: World, content: bytes) -> None:
    file = world.create(content)

    assert world.download(file.id) == (file, content)
    assert world.listed() == world.listed(purpose="assistants") == [file.id]
    assert world.listed(purpose="batch") == []


@pytest.mark.parametrize(("port", "call"), [("records", "add"), ("blobs", "put")])
def test_interrupted_creation_leaves_no_visible_file(world: World, port: str, call: str) -> None:
    once(getattr(world, port), call, before=raising(ConnectionError))

    with pytest.raises(ConnectionError):
        world.create()

    assert world.listed() == world.listed(purpose="assistants") == []


def test_file_is_never_visible_without_its_bytes(world: World) -> None:
    stored: list[set[str]] = []
    once(world.records, "add", before=lambda: stored.append(world.blobs.keys()))

    file = world.create()

    assert stored == [{file.blob_key("acme")}]


# --- Direct uploads -------------------------------------------------------------------------------


def test_pending_file_outlives_its_presigned_url_by_three_hours(world: World) -> None:
    file, url = world.create_pending()

    assert url.expires_at == NOW + 900
    assert world.records.get_pending("acme", file.id) == PendingFile(file, NOW + 900 + 3 * 3600)
    assert world.listed() == []
    assert world.blobs.keys() == set()


def test_url_of_a_direct_upload_lasts_900_seconds_whenever_a_second_ends(world: World) -> None:
    ticks = itertools.count(NOW + 0.5, 0.5)
    lasting: list[int] = []
    presign = world.blobs.presign_put

    def note(key: str, size: int, sha256: str | None, lifetime: int) -> PresignedUrl:
        lasting.append(lifetime)
        return presign(key, size, sha256, lifetime)

    world.blobs.presign_put = note  # type: ignore[method-assign]
    intake = Intake(
        world.records,
        world.blobs,
        world.direct_parts,
        world.limits,
        world.storage,
        lambda: next(ticks),
    )

    for _ in range(2):
        intake.create_pending("acme", NewFile("a.txt", "batch", 3))

    assert lasting == [900, 900]


@pytest.mark.parametrize("sha256", [None, hashlib.sha256(b"abc").hexdigest()])
def test_presigned_url_accepts_only_the_announced_bytes(world: World, sha256: str | None) -> None:
    _, url = world.create_pending(3, sha256=sha256)

    assert not world.blobs.send(url, b"abcd")
    assert world.blobs.send(url, b"xyz") == (sha256 is None)
    assert world.blobs.send(url, b"abc") == (sha256 is not None)
