"""What completing an upload promises, whatever keeps uploads and bytes."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files_api.completion import MAX_MD5_BYTES
from files_api.errors import InvalidValue
from files_api.files import Files
from files_api.ids import new_file_id
from files_api.intake import DAY
from files_api.model import MAX_DIRECT_BYTES, File, Pending, Upload, part_key
from files_api.segments import MAX_PARTS
from files_api.uploads import UPLOAD_SECONDS
from tests.unit.memory_uploads import UploadWorld
from tests.unit.samples import NOW
from tests.unit.world import invalid, refusal


def md5(*contents: bytes) -> str:
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


@pytest.fixture
def world() -> UploadWorld:
    return UploadWorld()


# --- Completing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [None, 3600])
def test_a_completed_upload_is_a_file(world: UploadWorld, lifetime: int | None) -> None:
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
    assert world.listed() == [file.doc()]
    assert world.records.pending("acme", file.id) is None
    assert world.is_clean(upload)
    assert world.later.asked == []


def test_a_file_for_a_batch_expires_after_thirty_days(world: UploadWorld) -> None:
    upload = world.create(3, purpose="batch")

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
def test_the_order_of_the_ids_is_the_order_of_the_bytes(
    case: tuple[list[bytes], list[int], list[bool], bool],
) -> None:
    contents, order, direct, check = case
    world = UploadWorld()
    upload = world.create(sum(map(len, contents)))
    ids = []
    for content, promised in zip(contents, direct, strict=True):
        if promised:
            part, link = world.promise(upload, len(content))
            assert world.blobs.upload(link, content)
        else:
            part = world.add(upload, content)
        ids.append(part.id)
    wanted = b"".join(contents[n] for n in order)

    _, file = world.complete(
        upload, [ids[n] for n in order], md5(wanted).upper() if check else None
    )

    assert world.content(file) == wanted


def test_parts_that_are_not_named_are_left_out(world: UploadWorld) -> None:
    upload = world.create(3)
    ids = [world.add(upload, content).id for content in (b"abc", b"xyz", b"z")]

    _, file = world.complete(upload, [ids[1]])

    assert world.content(file) == b"xyz"
    assert world.is_clean(upload)


def assert_still_open(world: UploadWorld, upload: Upload) -> None:
    assert world.upload_records.get("acme", upload.id) == upload
    assert world.listed() == []
    assert world.blobs.sizes("files/") == {}


@pytest.mark.parametrize("pick", [[], [0, 0], [0, 1, 0]])
def test_no_parts_or_one_twice_are_refused(world: UploadWorld, pick: list[int]) -> None:
    upload, ids = world.filled(b"abc", b"abc")

    assert refusal(lambda: world.complete(upload, [ids[n] for n in pick]), InvalidValue) == invalid(
        "part_ids", "must name 1 to 10000 parts, each once."
    )
    assert_still_open(world, upload)


def test_more_parts_than_s3_takes_are_refused(world: UploadWorld) -> None:
    upload, _ = world.filled(b"abc")
    ids = [f"{n}" for n in range(MAX_PARTS + 1)]

    assert refusal(lambda: world.complete(upload, ids), InvalidValue) == invalid(
        "part_ids", "must name 1 to 10000 parts, each once."
    )
    assert refusal(lambda: world.complete(upload, ids[1:]), InvalidValue) == invalid(
        "part_ids", "1 is no part of this upload."
    )
    assert_still_open(world, upload)


def test_parts_of_other_uploads_are_refused(world: UploadWorld) -> None:
    upload, ids = world.filled(b"abc")
    _, others = world.filled(b"abc")

    for bad in (others[0], new_file_id(), "part_abc", ""):
        assert refusal(
            lambda bad=bad: world.complete(upload, [ids[0], bad]),  # type: ignore[misc]
            InvalidValue,
        ) == invalid("part_ids", f"{bad} is no part of this upload.")
    assert_still_open(world, upload)


def test_a_promised_part_whose_bytes_have_not_come_is_refused(world: UploadWorld) -> None:
    upload = world.create(6)
    first = world.add(upload, b"abc")
    second, link = world.promise(upload, 3)

    assert refusal(lambda: world.complete(upload, [first.id, second.id]), InvalidValue) == invalid(
        "part_ids", f"{second.id} has no content yet."
    )
    assert_still_open(world, upload)

    assert world.blobs.upload(link, b"def")
    assert world.content(world.complete(upload, [first.id, second.id])[1]) == b"abcdef"


@pytest.mark.parametrize("pick", [[0], [0, 1, 2]])
def test_sizes_that_do_not_add_up_are_refused(world: UploadWorld, pick: list[int]) -> None:
    upload = world.create(7)
    contents = (b"abc", b"defg", b"h")
    ids = [world.add(upload, content).id for content in contents]
    total = sum(len(contents[n]) for n in pick)

    assert refusal(lambda: world.complete(upload, [ids[n] for n in pick]), InvalidValue) == invalid(
        "part_ids", f"these parts have {total} bytes, the upload was to have 7."
    )
    assert_still_open(world, upload)


def test_an_md5_that_is_not_that_of_the_parts_in_their_order_is_refused(
    world: UploadWorld,
) -> None:
    upload, (first, second) = world.filled(b"abc", b"def")

    for order in ([first, second], [second, first]):
        assert refusal(
            lambda order=order: world.complete(upload, order, md5(b"def", b"abd")),  # type: ignore[misc]
            InvalidValue,
        ) == invalid("md5", "it is not that of the parts in this order.")
    assert refusal(
        lambda: world.complete(upload, [first, second], md5(b"defabc")), InvalidValue
    ) == invalid("md5", "it is not that of the parts in this order.")
    assert_still_open(world, upload)

    _, file = world.complete(upload, [second, first], md5(b"defabc"))
    assert world.content(file) == b"defabc"


def test_more_bytes_than_can_be_read_for_their_md5_are_refused_with_one(
    world: UploadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.max_file_bytes = MAX_MD5_BYTES + 1
    upload = world.create(MAX_MD5_BYTES + 1)
    sizes = {world.promise(upload, size)[0].id: size for size in _in_parts(upload.bytes)}
    keys = {part_key("acme", upload.id, part_id): size for part_id, size in sizes.items()}
    monkeypatch.setattr(world.blobs, "sizes", lambda _: keys)

    assert refusal(lambda: world.complete(upload, list(sizes), "0" * 32), InvalidValue) == invalid(
        "md5",
        "it is checked for up to 17179869184 bytes. For more, leave it out, and promise each part "
        "with its sha256.",
    )
    assert world.complete(upload, list(sizes))[0].status == "completed"


def _in_parts(size: int) -> list[int]:
    """The sizes of the fewest parts that have so many bytes."""
    return [min(MAX_DIRECT_BYTES, size - at) for at in range(0, size, MAX_DIRECT_BYTES)]


# --- Again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [0, UPLOAD_SECONDS])
def test_completing_again_says_the_same(world: UploadWorld, wait: int) -> None:
    upload, ids = world.filled(b"abc", b"def")
    first = world.complete(upload, ids)
    world.clock.now += wait

    assert world.complete(upload, ids) == first
    assert world.complete(upload, ids[::-1], "0" * 32) == first
    assert world.content(first[1]) == b"abcdef"
    assert len(world.listed()) == 1
    assert world.later.asked == []


def test_completing_again_after_the_file_was_deleted_says_that_there_is_none(
    world: UploadWorld,
) -> None:
    upload, ids = world.filled(b"abc")
    completed, file = world.complete(upload, ids)
    assert file is not None
    Files(world.records, world.blobs, world.clock).delete("acme", file.id)

    assert world.complete(upload, ids) == (completed, None)


def test_completing_again_after_the_file_has_expired_says_that_there_is_none(
    world: UploadWorld,
) -> None:
    upload, ids = world.filled(b"abc", lifetime=3600)
    completed, file = world.complete(upload, ids)
    world.clock.now += 3599
    assert world.complete(upload, ids) == (completed, file)

    world.clock.now += 1
    assert world.complete(upload, ids) == (completed, None)


# --- Races ----------------------------------------------------------------------------------------


def race(world: UploadWorld, rival: Callable[[], object]) -> None:
    """Lets a rival through just before the next call closes its upload."""
    close = world.upload_records.close

    def beaten(project: str, upload: Upload, promise: Pending | None = None) -> bool:
        world.upload_records.close = close  # type: ignore[method-assign]
        rival()
        return close(project, upload, promise)

    world.upload_records.close = beaten  # type: ignore[method-assign]


def test_of_two_racing_completions_one_makes_the_file_and_both_say_so(world: UploadWorld) -> None:
    upload, ids = world.filled(b"abc", b"def")
    won: list[tuple[Upload, File | None]] = []
    race(world, lambda: won.append(world.complete(upload, ids[::-1])))

    lost = world.complete(upload, ids)

    assert [lost] == won
    assert world.content(lost[1]) == b"defabc"
    assert len(world.listed()) == 1
    assert len(world.blobs.sizes("files/")) == 1


def test_a_completion_that_loses_to_a_cancellation_says_so_and_leaves_nothing(
    world: UploadWorld,
) -> None:
    upload, ids = world.filled(b"abc")
    race(world, lambda: world.uploads.cancel("acme", upload.id))

    assert refusal(lambda: world.complete(upload, ids), InvalidValue) == invalid(
        "upload_id", "the upload is cancelled."
    )
    assert world.listed() == []
    assert world.is_clean(upload)


@pytest.mark.parametrize(("rival", "said"), [("complete", "completed"), ("cancel", "cancelled")])
def test_a_cancellation_that_loses_says_to_what(world: UploadWorld, rival: str, said: str) -> None:
    upload, ids = world.filled(b"abc")
    rivals: dict[str, Callable[[], object]] = {
        "complete": lambda: world.complete(upload, ids),
        "cancel": lambda: world.uploads.cancel("acme", upload.id),
    }
    race(world, rivals[rival])

    assert refusal(lambda: world.uploads.cancel("acme", upload.id), InvalidValue) == invalid(
        "upload_id", f"the upload is {said}."
    )
    assert len(world.listed()) == (1 if rival == "complete" else 0)
