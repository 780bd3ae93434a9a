"""What an upload promises until it is completed, whatever keeps uploads and bytes."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from files_api.errors import EmptyFile, FileTooLarge, InvalidValue, UploadNotFound
from files_api.files import MAX_INLINE_BYTES
from files_api.ids import new_file_id
from files_api.model import MAX_DIRECT_BYTES, Part, Upload, part_key
from files_api.uploads import PART_SECONDS, UPLOAD_SECONDS
from tests.unit.memory_uploads import UploadWorld
from tests.unit.samples import NOW
from tests.unit.world import invalid, refusal, too_large

SHA256 = hashlib.sha256(b"abc").hexdigest()


@pytest.fixture
def world() -> UploadWorld:
    return UploadWorld()


# --- Opening --------------------------------------------------------------------------------------


def test_an_upload_is_opened_as_told_for_an_hour(world: UploadWorld) -> None:
    world.clock.now = NOW + 0.999

    upload = world.create(
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


def test_an_unknown_purpose_is_refused(world: UploadWorld) -> None:
    assert refusal(lambda: world.create(purpose="user_data"), InvalidValue) == invalid(
        "purpose", "must be one of assistants, batch, vision."
    )


def test_an_upload_is_as_large_as_the_stack_takes(world: UploadWorld) -> None:
    world.max_file_bytes = 10**13

    assert world.create(10**13).bytes == 10**13
    assert refusal(lambda: world.create(10**13 + 1), FileTooLarge) == too_large(
        "Files may have up to 10000000000000 bytes here.", "bytes"
    )


# --- Parts ----------------------------------------------------------------------------------------


def test_a_part_is_kept_apart_until_the_upload_is_completed(world: UploadWorld) -> None:
    upload = world.create()
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
    assert world.blobs.get(part_key("acme", upload.id, part.id)) == b"abc"
    assert world.listed() == []


def test_a_promised_part_comes_by_its_link(world: UploadWorld) -> None:
    upload = world.create()

    part, link = world.promise(upload, 3, SHA256)

    assert part == Part(part.id, upload.id, 3, NOW)
    assert link.expires_at == NOW + 900
    assert world.upload_records.parts("acme", upload.id) == [part]
    assert not world.blobs.upload(link, b"abcd")
    assert not world.blobs.upload(link, b"abd")
    assert world.blobs.upload(link, b"abc")
    assert world.blobs.get(part_key("acme", upload.id, part.id)) == b"abc"


def test_an_empty_part_is_refused(world: UploadWorld) -> None:
    upload = world.create()

    assert refusal(lambda: world.add(upload, b""), EmptyFile) == (
        400,
        {
            "message": "The data is empty.",
            "type": "invalid_request_error",
            "param": "data",
            "code": "empty_file",
        },
    )
    assert world.upload_records.parts("acme", upload.id) == []


def test_a_part_is_as_large_as_its_way_takes(world: UploadWorld) -> None:
    upload = world.create()

    assert world.add(upload, bytes(MAX_INLINE_BYTES)).bytes == MAX_INLINE_BYTES
    assert world.promise(upload, MAX_DIRECT_BYTES)[0].bytes == MAX_DIRECT_BYTES

    assert refusal(lambda: world.add(upload, bytes(MAX_INLINE_BYTES + 1)), FileTooLarge) == (
        too_large(
            "A part sent this way has up to 4500000 bytes. For a larger one, ask for an upload "
            'URL with a JSON body: {"bytes": …}.',
            "data",
        )
    )
    assert refusal(lambda: world.promise(upload, MAX_DIRECT_BYTES + 1), FileTooLarge) == (
        too_large("A part has up to 5368709120 bytes.", "bytes")
    )


@pytest.mark.parametrize("call", ["add", "promise"])
def test_an_upload_does_not_expire_while_parts_come(world: UploadWorld, call: str) -> None:
    upload = world.create()
    for seconds in (0, UPLOAD_SECONDS - PART_SECONDS, *[PART_SECONDS - 1] * 5):
        world.clock.now += seconds

        CALLS[call](world, "acme", upload.id)

        least = int(world.clock()) + PART_SECONDS
        known = world.upload_records.get("acme", upload.id)
        assert known == replace(upload, expires_at=max(upload.expires_at, least))
    assert len(world.upload_records.parts("acme", upload.id)) == 7


def test_an_upload_does_not_expire_while_a_promised_part_may_be_on_its_way(
    world: UploadWorld,
) -> None:
    upload = world.create()

    world.promise(upload, MAX_DIRECT_BYTES)

    known = world.upload_records.get("acme", upload.id)
    assert known == replace(upload, expires_at=NOW + 900 + 3 * 3_600)


@pytest.mark.parametrize("call", ["add", "promise"])
def test_a_late_part_does_not_open_an_upload_again_that_was_closed_meanwhile(
    world: UploadWorld, call: str
) -> None:
    upload = world.create()
    world.clock.now += UPLOAD_SECONDS - 1
    extend = world.upload_records.extend

    def beaten(project: str, upload_id: str, expires_at: int) -> bool:
        world.uploads.cancel("acme", upload.id)
        return extend(project, upload_id, expires_at)

    world.upload_records.extend = beaten  # type: ignore[method-assign]

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is cancelled."
    )
    assert world.is_clean(upload)


@pytest.mark.parametrize("late", [UploadWorld.add, UploadWorld.promise])
def test_a_part_that_crosses_the_end_of_its_upload_goes_in_the_end(
    world: UploadWorld, late: Callable[..., object]
) -> None:
    upload, _ = world.filled(b"abc")
    add_part = world.upload_records.add_part

    def crossing(project: str, part: Part) -> None:
        world.uploads.cancel("acme", upload.id)
        add_part(project, part)

    world.upload_records.add_part = crossing  # type: ignore[method-assign]
    late(world, upload, b"def" if late is UploadWorld.add else 3)
    assert not world.is_clean(upload)

    if late is UploadWorld.add:
        world.sweep.blob_created(world.blobs.created[-1])
    else:  # its bytes never come
        world.upload_records.forget("acme", upload.id)
        world.purge.upload_removed("acme", upload.id)

    assert world.is_clean(upload)


# --- No such upload, or one that takes nothing more -----------------------------------------------


CALLS: dict[str, Callable[[UploadWorld, str, str], object]] = {
    "add": lambda world, project, upload_id: world.parts.add(project, upload_id, b"abc"),
    "promise": lambda world, project, upload_id: world.parts.promise(project, upload_id, 3, None),
    "complete": lambda world, project, upload_id: world.completion.complete(
        project, upload_id, ("a",)
    ),
    "cancel": lambda world, project, upload_id: world.uploads.cancel(project, upload_id),
}
every_call = pytest.mark.parametrize("call", CALLS)


@every_call
def test_an_upload_that_is_not_there_or_anothers_is_not_found(
    world: UploadWorld, call: str
) -> None:
    mine, _ = world.filled(b"abc")
    before = world.blobs.keys()

    for project, upload_id in [
        ("globex", mine.id),
        ("acme", new_file_id()),
        ("acme", "upload_abc123"),
        ("acme", f"{mine.id}#x"),
    ]:
        assert refusal(
            lambda project=project, found=upload_id: CALLS[call](world, project, found),  # type: ignore[misc]
            UploadNotFound,
        ) == (
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
def test_a_cancelled_upload_takes_nothing_more(world: UploadWorld, call: str) -> None:
    upload, _ = world.filled(b"abc")
    world.uploads.cancel("acme", upload.id)

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is cancelled."
    )
    assert world.is_clean(upload)


@every_call
def test_an_upload_takes_nothing_more_from_the_second_it_expires(
    world: UploadWorld, call: str
) -> None:
    upload, ids = world.filled(b"abc")
    world.clock.now = NOW + UPLOAD_SECONDS

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is expired."
    )
    assert refusal(lambda: world.complete(upload, ids), InvalidValue)
    assert world.listed() == []


@pytest.mark.parametrize("call", ["add", "promise", "cancel"])
def test_a_completed_upload_takes_nothing_more(world: UploadWorld, call: str) -> None:
    upload, ids = world.filled(b"abc")
    _, file = world.complete(upload, ids)

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is completed."
    )
    assert world.content(file) == b"abc"


# --- Cancelling -----------------------------------------------------------------------------------


def test_a_cancellation_that_was_cut_off_is_done_by_the_next(
    world: UploadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, _ = world.filled(b"abc", b"def")

    def dies(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(world.upload_records, "remove_parts", dies)
        with pytest.raises(ConnectionError):
            world.uploads.cancel("acme", upload.id)
    assert not world.is_clean(upload)

    assert refusal(lambda: world.uploads.cancel("acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is cancelled."
    )
    assert world.is_clean(upload)


def test_a_cancelled_upload_has_no_parts_and_no_file(world: UploadWorld) -> None:
    upload, _ = world.filled(b"abc", b"def")

    cancelled = world.uploads.cancel("acme", upload.id)

    assert cancelled == replace(upload, status="cancelled")
    assert cancelled.public() == upload.public() | {"status": "cancelled"}
    assert world.upload_records.get("acme", upload.id) == cancelled
    assert world.is_clean(upload)
    assert world.listed() == []
