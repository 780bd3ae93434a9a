"""Uploads until they are completed: opened, filled with parts, cancelled, expired."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from files_api.service.blob_keys import PartBlob, parse_blob_key
from files_api.service.errors import EmptyFile, FileTooLarge, InvalidValue, UploadNotFound
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.model import MAX_DIRECT_BYTES, Part, Upload
from files_api.service.purge import RemovedUpload
from files_api.service.uploads import PART_SECONDS, UPLOAD_SECONDS
from tests.fakes.world import World, invalid, once, raising, refusal, too_large
from tests.support.samples import NOW

SHA256 = hashlib.sha256(b"abc").hexdigest()
CALLS: dict[str, Callable[[World, str, str], object]] = {
    "add": lambda world, project, upload_id: world.parts.add(project, upload_id, b"abc"),
    "presign": lambda world, project, upload_id: world.parts.presign(project, upload_id, 3, None),
    "cancel": lambda world, project, upload_id: world.cancellation.cancel(project, upload_id),
    "complete": lambda world, project, upload_id: world.completion.complete(
        project, upload_id, ("a",)
    ),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
each_part = pytest.mark.parametrize(
    "call", [CALLS["add"], CALLS["presign"]], ids=["add", "presign"]
)

type Call = Callable[[World, str, str], object]


def assert_refused_as(
    status: str, world: World, upload: Upload, call: Call, project: str = "acme"
) -> None:
    """The call is refused because of the upload's status."""
    assert refusal(partial(call, world, project, upload.id), InvalidValue) == invalid(
        "upload_id", f"the upload is {status}."
    )


# --- Opening --------------------------------------------------------------------------------------


def test_new_upload_is_as_requested_and_open_for_an_hour(world: World) -> None:
    world.clock.now = NOW + 0.999

    upload = world.open(
        9, filename="../a/é.txt", purpose="vision", mime_type="text/x", lifetime=3600
    )

    assert uuid.UUID(upload.id).version == 7
    assert upload == Upload(
        id=upload.id,
        bytes=9,
        created_at=NOW,
        filename="é.txt",
        purpose="vision",
        mime_type="text/x",
        expires_at=NOW + 3600,
        lifetime=3600,
        status="pending",
    )
    assert world.upload_records.get("acme", upload.id) == upload
    assert upload.public() == {
        "id": upload.id,
        "object": "upload",
        "bytes": 9,
        "created_at": NOW,
        "filename": "é.txt",
        "purpose": "vision",
        "status": "pending",
        "expires_at": NOW + 3600,
        "file": None,
    }


def test_upload_that_the_deployment_does_not_accept_is_rejected(world: World) -> None:
    world.max_file_bytes = 10**13

    assert world.open(10**13).bytes == 10**13
    assert refusal(lambda: world.open(10**13 + 1), FileTooLarge) == too_large(
        "The maximum file size is 10000000000000 bytes.", "bytes"
    )
    assert refusal(lambda: world.open(purpose="user_data"), InvalidValue) == invalid(
        "purpose", "must be one of assistants, batch, vision."
    )
    assert refusal(lambda: world.open(lifetime=3599), InvalidValue) == invalid(
        "expires_after", "seconds must be from 3600 to 2592000."
    )


# --- Parts ----------------------------------------------------------------------------------------


def test_part_is_a_blob_of_its_own(world: World) -> None:
    upload = world.open()
    world.clock.now = NOW + 5.5

    part = world.add(upload, b"abc")

    assert uuid.UUID(part.id).version == 7
    assert part == Part(part.id, upload.id, 3, NOW + 5)
    assert part.public() == {
        "id": part.id,
        "object": "upload.part",
        "created_at": NOW + 5,
        "upload_id": upload.id,
    }
    assert world.upload_records.parts("acme", upload.id) == [part]
    assert world.blobs.get(PartBlob("acme", upload.id, part.id).key) == b"abc"
    assert world.listed() == []


def test_presigned_part_is_sent_to_its_url(world: World) -> None:
    upload = world.open()

    part, url = world.presign(upload, 3, SHA256)

    assert part == Part(part.id, upload.id, 3, NOW)
    assert url.expires_at == NOW + 900
    assert world.upload_records.parts("acme", upload.id) == [part]
    assert [world.blobs.send(url, each) for each in (b"abcd", b"abd", b"abc")] == [
        False,
        False,
        True,
    ]
    assert world.blobs.get(PartBlob("acme", upload.id, part.id).key) == b"abc"


def test_empty_part_is_rejected(world: World) -> None:
    upload = world.open()

    with pytest.raises(EmptyFile) as refused:
        world.add(upload, b"")

    assert refused.value.param == "data"
    assert world.upload_records.parts("acme", upload.id) == []


def test_part_is_at_most_as_large_as_its_transfer_allows(world: World) -> None:
    world.max_file_bytes = 2**40
    upload = world.open(2**40)

    assert world.add(upload, bytes(MAX_INLINE_BYTES)).bytes == MAX_INLINE_BYTES
    assert world.presign(upload, MAX_DIRECT_BYTES)[0].bytes == MAX_DIRECT_BYTES

    assert refusal(lambda: world.add(upload, bytes(MAX_INLINE_BYTES + 1)), FileTooLarge) == (
        too_large(
            "A part in the request body can have at most 4500000 bytes. For a larger part, "
            'request a presigned URL with a JSON body: {"bytes": …}.',
            "data",
        )
    )
    assert refusal(lambda: world.presign(upload, MAX_DIRECT_BYTES + 1), FileTooLarge) == (
        too_large("The maximum part size is 5368709120 bytes.", "bytes")
    )


@each_part
def test_each_new_part_extends_the_upload(world: World, call: Call) -> None:
    upload = world.open(100)
    for seconds in (0, UPLOAD_SECONDS - PART_SECONDS, *[PART_SECONDS - 1] * 5):
        world.clock.now += seconds

        call(world, "acme", upload.id)

        least = int(world.clock()) + PART_SECONDS
        known = world.upload_records.get("acme", upload.id)
        assert known == replace(upload, expires_at=max(upload.expires_at, least))
    assert len(world.upload_records.parts("acme", upload.id)) == 7


def test_no_part_extends_the_upload_beyond_a_week(world: World) -> None:
    upload = world.open(1_000_000)
    last = upload.created_at + 7 * 86_400
    while (known := world.upload_records.get("acme", upload.id)) and known.expires_at < last:
        world.clock.now = known.expires_at - 1
        world.add(upload, b"abc")

    assert known
    assert known.expires_at == last
    world.clock.now = last - 1
    world.add(upload, b"abc")
    world.clock.now = last
    assert refusal(lambda: world.add(upload, b"abc"), InvalidValue) == invalid(
        "upload_id", "the upload is expired."
    )


TOO_MANY = (
    "the upload accepts at most 10000 parts, and half as many bytes again as it was created for, "
    "including parts that are sent again."
)


@pytest.mark.parametrize(
    ("size", "sizes", "refused"),
    [
        (6, [6, 3], 1),
        (6, [9], 1),
        (6, [], 10),
        (1, [1], 1),
        (10**9, [], MAX_DIRECT_BYTES),
    ],
)
def test_parts_have_half_as_many_bytes_again_at_most(
    world: World, size: int, sizes: list[int], refused: int
) -> None:
    upload = world.open(size)
    for each in sizes:
        world.presign(upload, each)

    assert refusal(lambda: world.presign(upload, refused), InvalidValue) == invalid(
        "upload_id", TOO_MANY
    )
    assert len(world.upload_records.parts("acme", upload.id)) == len(sizes)


def test_part_that_failed_can_be_sent_again(world: World) -> None:
    upload = world.open(3)
    once(world.blobs, "put", before=raising(ConnectionError))
    with pytest.raises(ConnectionError):
        world.add(upload, b"abc")

    assert world.add(upload, b"abc").bytes == 3


def test_upload_accepts_10000_parts_at_most(world: World) -> None:
    upload = world.open(1_000_000)
    for _ in range(10_000):
        part = Part(new_id(), upload.id, 1, NOW)
        assert world.upload_records.reserve_part("acme", part, NOW)

    assert refusal(lambda: world.add(upload, b"a"), InvalidValue) == invalid("upload_id", TOO_MANY)


def test_large_presigned_part_extends_the_upload_by_its_transfer(world: World) -> None:
    world.max_file_bytes = 2**40
    upload = world.open(2**40)

    world.presign(upload, MAX_DIRECT_BYTES)

    known = world.upload_records.get("acme", upload.id)
    assert known == replace(upload, expires_at=NOW + 900 + 3 * 3_600)


@each_part
def test_late_part_does_not_reopen_a_closed_upload(world: World, call: Call) -> None:
    upload = world.open()
    world.clock.now += UPLOAD_SECONDS - 1
    cancel = partial(world.cancellation.cancel, "acme", upload.id)
    once(world.upload_records, "extend", before=cancel)

    assert_refused_as("cancelled", world, upload, call)
    assert world.is_clean(upload)


@pytest.mark.parametrize("late", ["add", "presign"])
def test_part_that_races_with_a_cancellation_is_deleted_later(world: World, late: str) -> None:
    upload = world.open(100)
    world.add(upload, b"abc")
    cancel = partial(world.cancellation.cancel, "acme", upload.id)
    once(world.upload_records, "add_part", before=cancel)
    CALLS[late](world, "acme", upload.id)
    assert not world.is_clean(upload)

    if late == "add":
        world.blob_check.check(parse_blob_key(world.blobs.created[-1]))
    else:  # its bytes never come
        world.upload_records.forget("acme", upload.id)
        world.purge.removed([RemovedUpload("acme", upload.id)])

    assert world.is_clean(upload)


# --- Uploads that are unknown or closed -----------------------------------------------------------


@every_call
def test_unknown_or_foreign_upload_is_not_found(world: World, call: Call) -> None:
    mine, _ = world.filled(b"abc")
    before = world.blobs.keys()

    for project, upload_id in [
        ("globex", mine.id),
        ("acme", new_id()),
        ("acme", "upload_abc123"),
        ("acme", f"{mine.id}#x"),
    ]:
        assert refusal(partial(call, world, project, upload_id), UploadNotFound) == (
            404,
            {
                "message": f"No such Upload object: {upload_id}",
                "type": "invalid_request_error",
                "param": "id",
                "code": None,
            },
        )
    assert world.blobs.keys() == before
    assert world.upload_records.get("acme", mine.id) == mine


@every_call
def test_upload_rejects_every_call_once_it_is_cancelled_or_expired(
    world: World, call: Call
) -> None:
    cancelled, _ = world.filled(b"abc")
    expired, ids = world.filled(b"abc")
    world.cancellation.cancel("acme", cancelled.id)
    world.clock.now = NOW + UPLOAD_SECONDS

    assert_refused_as("cancelled", world, cancelled, call)
    assert_refused_as("expired", world, expired, call)
    assert world.is_clean(cancelled)
    assert refusal(lambda: world.complete(expired, ids), InvalidValue) == invalid(
        "upload_id", "the upload is expired."
    )
    assert world.listed() == []


@pytest.mark.parametrize("call", ["add", "presign", "cancel"])
def test_completed_upload_rejects_other_calls(world: World, call: str) -> None:
    upload, ids = world.filled(b"abc")
    _, file = world.complete(upload, ids)

    assert_refused_as("completed", world, upload, CALLS[call])
    assert world.content(file) == b"abc"


# --- Cancelling -----------------------------------------------------------------------------------


def test_interrupted_cancellation_is_finished_by_the_next(world: World) -> None:
    upload, _ = world.filled(b"abc", b"def")
    once(world.upload_records, "delete_parts", before=raising(ConnectionError))

    with pytest.raises(ConnectionError):
        world.cancellation.cancel("acme", upload.id)
    assert not world.is_clean(upload)

    assert_refused_as("cancelled", world, upload, CALLS["cancel"])
    assert world.is_clean(upload)


def test_cancelled_upload_has_no_parts_and_no_file(world: World) -> None:
    upload, _ = world.filled(b"abc", b"def")

    cancelled = world.cancellation.cancel("acme", upload.id)

    assert cancelled == replace(upload, status="cancelled")
    assert cancelled.public() == upload.public() | {"status": "cancelled"}
    assert world.upload_records.get("acme", upload.id) == cancelled
    assert world.is_clean(upload)
    assert world.listed() == []
