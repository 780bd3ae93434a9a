"""Completing an upload: its parts become a file, once, in the order of their ids."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files_api.service.blob_keys import PartBlob
from files_api.service.completion import MAX_MD5_BYTES
from files_api.service.errors import InvalidValue
from files_api.service.ids import new_id
from files_api.service.intake import DAY
from files_api.service.model import MAX_DIRECT_BYTES, File, PendingFile, Upload
from files_api.service.ports import PageRequest
from files_api.service.segments import MAX_PARTS
from files_api.service.uploads import UPLOAD_SECONDS
from tests.fakes.world import World, invalid, refusal
from tests.support.samples import NOW


def md5(*contents: bytes) -> str:
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


@pytest.fixture
def world() -> World:
    return World()


# --- Completing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [None, 3600])
def test_completed_upload_becomes_a_file(world: World, lifetime: int | None) -> None:
    upload, ids = world.filled(b"abc", b"defg", lifetime=lifetime)
    world.clock.now = NOW + 60.9

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert uuid.UUID(file.id).version == 7
    assert file == File(
        id=file.id,
        bytes=7,
        created_at=NOW + 60,
        filename="notes.txt",
        purpose="assistants",
        status="processed",
        expires_at=None if lifetime is None else NOW + 60 + lifetime,
    )
    assert completed == replace(
        upload, status="completed", file_id=file.id, part_ids=tuple(ids), md5=None
    )
    assert completed.public(file)["file"] == file.public()
    assert world.content(file) == b"abcdefg"
    assert world.listing.page("acme", PageRequest(10)).files == [file.public_json()]
    assert world.records.get_pending("acme", file.id) is None
    assert world.is_clean(upload)
    assert world.queue.sent == []


def test_batch_file_expires_after_thirty_days(world: World) -> None:
    upload = world.open(3, purpose="batch")

    _, file = world.complete(upload, [world.add(upload, b"abc").id])

    assert file is not None
    assert file.expires_at == NOW + 30 * DAY


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8).flatmap(
        lambda contents: st.tuples(
            st.just(contents),
            st.permutations(range(len(contents))),
            st.lists(st.booleans(), min_size=len(contents), max_size=len(contents)),
            st.booleans(),
        )
    )
)
def test_order_of_the_ids_is_the_order_of_the_bytes(
    case: tuple[list[bytes], list[int], list[bool], bool],
) -> None:
    contents, order, presigned, check = case
    world = World()
    upload = world.open(sum(map(len, contents)))
    ids = []
    for content, is_presigned in zip(contents, presigned, strict=True):
        if is_presigned:
            part, url = world.presign(upload, len(content))
            assert world.blobs.send(url, content)
        else:
            part = world.add(upload, content)
        ids.append(part.id)
    wanted = b"".join(contents[n] for n in order)

    _, file = world.complete(
        upload, [ids[n] for n in order], md5(wanted).upper() if check else None
    )

    assert world.content(file) == wanted


def test_unnamed_parts_are_left_out(world: World) -> None:
    upload = world.open(3)
    ids = [world.add(upload, content).id for content in (b"abc", b"xyz", b"z")]

    _, file = world.complete(upload, [ids[1]])

    assert world.content(file) == b"xyz"
    assert world.is_clean(upload)


def assert_still_open(world: World, upload: Upload) -> None:
    assert world.upload_records.get("acme", upload.id) == upload
    assert world.listed() == []
    assert world.blobs.sizes("files/") == {}


@pytest.mark.parametrize("pick", [[], [0, 0], [0, 1, 0]])
def test_empty_or_repeated_part_ids_are_rejected(world: World, pick: list[int]) -> None:
    upload, ids = world.filled(b"abc", b"abc")

    assert refusal(lambda: world.complete(upload, [ids[n] for n in pick]), InvalidValue) == invalid(
        "part_ids", "must name 1 to 10000 parts, each once."
    )
    assert_still_open(world, upload)


def test_more_parts_than_s3_allows_are_rejected(world: World) -> None:
    upload, _ = world.filled(b"abc")
    ids = [f"{n}" for n in range(MAX_PARTS + 1)]

    assert refusal(lambda: world.complete(upload, ids), InvalidValue) == invalid(
        "part_ids", "must name 1 to 10000 parts, each once."
    )
    assert refusal(lambda: world.complete(upload, ids[1:]), InvalidValue) == invalid(
        "part_ids", "1 is not a part of this upload."
    )
    assert_still_open(world, upload)


def test_parts_of_other_uploads_are_rejected(world: World) -> None:
    upload, ids = world.filled(b"abc")
    _, others = world.filled(b"abc")

    for bad in (others[0], new_id(), "part_abc", ""):
        assert refusal(
            lambda bad=bad: world.complete(upload, [ids[0], bad]),  # type: ignore[misc]
            InvalidValue,
        ) == invalid("part_ids", f"{bad} is not a part of this upload.")
    assert_still_open(world, upload)


def test_presigned_part_without_content_is_rejected(world: World) -> None:
    upload = world.open(6)
    first = world.add(upload, b"abc")
    second, url = world.presign(upload, 3)

    assert refusal(lambda: world.complete(upload, [first.id, second.id]), InvalidValue) == invalid(
        "part_ids", f"{second.id} has no content yet."
    )
    assert_still_open(world, upload)

    assert world.blobs.send(url, b"def")
    assert world.content(world.complete(upload, [first.id, second.id])[1]) == b"abcdef"


@pytest.mark.parametrize("pick", [[0], [0, 1, 2]])
def test_parts_of_another_total_size_are_rejected(world: World, pick: list[int]) -> None:
    upload = world.open(7)
    contents = (b"abc", b"defg", b"h")
    ids = [world.add(upload, content).id for content in contents]
    total = sum(len(contents[n]) for n in pick)

    assert refusal(lambda: world.complete(upload, [ids[n] for n in pick]), InvalidValue) == invalid(
        "part_ids",
        f"the parts have {total} bytes in total, but the upload was created for 7 bytes.",
    )
    assert_still_open(world, upload)


def test_md5_of_other_content_or_another_order_is_rejected(world: World) -> None:
    upload, (first, second) = world.filled(b"abc", b"def")

    for order in ([first, second], [second, first]):
        assert refusal(
            lambda order=order: world.complete(upload, order, md5(b"def", b"abd")),  # type: ignore[misc]
            InvalidValue,
        ) == invalid("md5", "the MD5 does not match the parts in the given order.")
    assert refusal(
        lambda: world.complete(upload, [first, second], md5(b"defabc")), InvalidValue
    ) == invalid("md5", "the MD5 does not match the parts in the given order.")
    assert_still_open(world, upload)

    _, file = world.complete(upload, [second, first], md5(b"defabc"))
    assert world.content(file) == b"defabc"


def test_md5_of_too_large_an_upload_is_rejected(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.max_file_bytes = MAX_MD5_BYTES + 1
    upload = world.open(MAX_MD5_BYTES + 1)
    sizes = {world.presign(upload, size)[0].id: size for size in _in_parts(upload.bytes)}
    keys = {PartBlob("acme", upload.id, part_id).key: size for part_id, size in sizes.items()}
    monkeypatch.setattr(world.blobs, "sizes", lambda _: keys)

    assert refusal(lambda: world.complete(upload, list(sizes), "0" * 32), InvalidValue) == invalid(
        "md5",
        "the MD5 is checked for files of at most 17179869184 bytes. For a larger file, omit it and "
        "request each part with its sha256.",
    )
    assert world.complete(upload, list(sizes))[0].status == "completed"


def _in_parts(size: int) -> list[int]:
    """The sizes of the fewest parts that have `size` bytes in total."""
    return [min(MAX_DIRECT_BYTES, size - at) for at in range(0, size, MAX_DIRECT_BYTES)]


# --- Completing again -----------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [0, UPLOAD_SECONDS])
def test_repeated_completion_returns_the_same_file(world: World, wait: int) -> None:
    upload, ids = world.filled(b"abc", b"def")
    first = world.complete(upload, ids)
    world.clock.now += wait

    assert world.complete(upload, ids) == first
    assert world.complete(upload, ids[::-1], "0" * 32) == first
    assert world.content(first[1]) == b"abcdef"
    assert len(world.listed()) == 1
    assert world.queue.sent == []


def test_repeated_completion_returns_no_deleted_file(world: World) -> None:
    upload, ids = world.filled(b"abc")
    completed, file = world.complete(upload, ids)
    assert file is not None
    world.files.delete("acme", file.id)

    assert world.complete(upload, ids) == (completed, None)


def test_repeated_completion_returns_no_expired_file(world: World) -> None:
    upload, ids = world.filled(b"abc", lifetime=3600)
    completed, file = world.complete(upload, ids)
    world.clock.now += 3599
    assert world.complete(upload, ids) == (completed, file)

    world.clock.now += 1
    assert world.complete(upload, ids) == (completed, None)


# --- Races ----------------------------------------------------------------------------------------


def race(world: World, rival: Callable[[], object]) -> None:
    """Makes a rival's call just before the next call closes its upload."""
    close = world.upload_records.close

    def overtaken(project: str, upload: Upload, pending: PendingFile | None = None) -> bool:
        world.upload_records.close = close  # type: ignore[method-assign]
        rival()
        return close(project, upload, pending)

    world.upload_records.close = overtaken  # type: ignore[method-assign]


def test_racing_completions_return_the_same_one_file(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    won: list[tuple[Upload, File | None]] = []
    race(world, lambda: won.append(world.complete(upload, ids[::-1])))

    lost = world.complete(upload, ids)

    assert [lost] == won
    assert world.content(lost[1]) == b"defabc"
    assert len(world.listed()) == 1
    assert len(world.blobs.sizes("files/")) == 1


def test_completion_overtaken_by_a_cancellation_is_rejected(world: World) -> None:
    upload, ids = world.filled(b"abc")
    race(world, lambda: world.cancellation.cancel("acme", upload.id))

    assert refusal(lambda: world.complete(upload, ids), InvalidValue) == invalid(
        "upload_id", "the upload is cancelled."
    )
    assert world.listed() == []
    assert world.is_clean(upload)


@pytest.mark.parametrize(("rival", "status"), [("complete", "completed"), ("cancel", "cancelled")])
def test_overtaken_cancellation_is_rejected(world: World, rival: str, status: str) -> None:
    upload, ids = world.filled(b"abc")
    rivals: dict[str, Callable[[], object]] = {
        "complete": lambda: world.complete(upload, ids),
        "cancel": lambda: world.cancellation.cancel("acme", upload.id),
    }
    race(world, rivals[rival])

    assert refusal(lambda: world.cancellation.cancel("acme", upload.id), InvalidValue) == invalid(
        "upload_id", f"the upload is {status}."
    )
    assert len(world.listed()) == (1 if rival == "complete" else 0)
