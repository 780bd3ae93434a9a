"""What the Uploads API promises, whatever keeps uploads and bytes."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files_api.assembly import MAX_PARTS, MIN_PART_BYTES, Segment
from files_api.errors import ApiError, EmptyFile, FileTooLarge, InvalidValue, UploadNotFound
from files_api.files import MAX_INLINE_BYTES, Files
from files_api.ids import new_file_id
from files_api.intake import DAY, MAX_DIRECT_BYTES
from files_api.model import File, Part, Pending, Upload, part_key
from files_api.ports import Query
from files_api.uploads import ASSEMBLY_SECONDS, UPLOAD_SECONDS
from tests.unit.memory import MemoryBlobs
from tests.unit.memory_uploads import UploadWorld
from tests.unit.samples import NOW, Clock
from tests.unit.world import error_of

MIB = 1024**2
MANY = [bytes([n % 251]) for n in range(257)]  # more parts than are assembled while a caller waits
SHA256 = hashlib.sha256(b"abc").hexdigest()


def md5(*contents: bytes) -> str:
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


@pytest.fixture
def world() -> UploadWorld:
    return UploadWorld()


def refusal(call: Callable[[], object], error: type[ApiError]) -> tuple[int, dict[str, str | None]]:
    """Status and error of a call that is refused."""
    with pytest.raises(error) as refused:
        call()
    return refused.value.status, error_of(refused.value)


def invalid(param: str, reason: str) -> tuple[int, dict[str, str | None]]:
    return 400, {
        "message": f"Invalid '{param}': {reason}",
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }


def too_large(message: str, param: str) -> tuple[int, dict[str, str | None]]:
    return 413, {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": "file_too_large",
    }


def listed(world: UploadWorld) -> list[str]:
    return world.records.docs(Query("acme", None, 100, True, None, int(world.clock())))


def is_clean(world: UploadWorld, upload: Upload) -> bool:
    """Whether nothing is left of an upload's parts once the purge has seen them go."""
    return world.upload_records.parts("acme", upload.id) == []


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
    assert listed(world) == []


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


# --- No such upload, or one that takes nothing more -----------------------------------------------

CALLS: dict[str, Callable[[UploadWorld, str, str], object]] = {
    "add": lambda world, project, upload_id: world.uploads.add_part(project, upload_id, b"abc"),
    "promise": lambda world, project, upload_id: world.uploads.promise_part(
        project, upload_id, 3, None
    ),
    "complete": lambda world, project, upload_id: world.uploads.complete(
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
    assert is_clean(world, upload)


@every_call
def test_an_upload_takes_nothing_more_from_the_second_it_expires(
    world: UploadWorld, call: str
) -> None:
    upload, ids = world.filled(b"abc")
    world.clock.now = NOW + UPLOAD_SECONDS - 1
    world.add(upload, b"x")
    world.clock.now += 1

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is expired."
    )
    assert refusal(lambda: world.complete(upload, ids), InvalidValue)
    assert listed(world) == []


@pytest.mark.parametrize("call", ["add", "promise", "cancel"])
def test_a_completed_upload_takes_nothing_more(world: UploadWorld, call: str) -> None:
    upload, ids = world.filled(b"abc")
    _, file = world.complete(upload, ids)

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is completed."
    )
    assert world.content(file) == b"abc"


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
    assert listed(world) == [file.doc()]
    assert world.records.pending("acme", file.id) is None
    assert is_clean(world, upload)
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
    assert is_clean(world, upload)


def assert_still_open(world: UploadWorld, upload: Upload) -> None:
    assert world.upload_records.get("acme", upload.id) == upload
    assert listed(world) == []
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


# --- Again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [0, UPLOAD_SECONDS])
def test_completing_again_says_the_same(world: UploadWorld, wait: int) -> None:
    upload, ids = world.filled(b"abc", b"def")
    first = world.complete(upload, ids)
    world.clock.now += wait

    assert world.complete(upload, ids) == first
    assert world.complete(upload, ids[::-1], "0" * 32) == first
    assert world.content(first[1]) == b"abcdef"
    assert len(listed(world)) == 1
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
    assert len(listed(world)) == 1
    assert len(world.blobs.sizes("files/")) == 1


def test_a_completion_that_loses_to_a_cancellation_says_so_and_leaves_nothing(
    world: UploadWorld,
) -> None:
    upload, ids = world.filled(b"abc")
    race(world, lambda: world.uploads.cancel("acme", upload.id))

    assert refusal(lambda: world.complete(upload, ids), InvalidValue) == invalid(
        "upload_id", "the upload is cancelled."
    )
    assert listed(world) == []
    assert is_clean(world, upload)


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
    assert len(listed(world)) == (1 if rival == "complete" else 0)


@pytest.mark.parametrize("call", ["add", "promise"])
def test_a_part_that_comes_while_the_upload_is_closed_is_refused(
    world: UploadWorld, call: str
) -> None:
    upload, ids = world.filled(b"abc")
    add_part = world.upload_records.add_part

    def late(project: str, upload: Upload, part: Part) -> bool:
        world.complete(upload, ids)
        return add_part(project, upload, part)

    world.upload_records.add_part = late  # type: ignore[method-assign]

    assert refusal(lambda: CALLS[call](world, "acme", upload.id), InvalidValue) == invalid(
        "upload_id", "the upload is completed."
    )
    assert is_clean(world, upload)


# --- Cancelling -----------------------------------------------------------------------------------


def test_a_cancelled_upload_has_no_parts_and_no_file(world: UploadWorld) -> None:
    upload, _ = world.filled(b"abc", b"def")

    cancelled = world.uploads.cancel("acme", upload.id)

    assert cancelled == replace(upload, status="cancelled")
    assert cancelled.public() == upload.public() | {"status": "cancelled"}
    assert world.upload_records.get("acme", upload.id) == cancelled
    assert is_clean(world, upload)
    assert listed(world) == []


# --- What takes longer ----------------------------------------------------------------------------


class Hollow(MemoryBlobs):
    """Blobs of any size, without content."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.lengths: dict[str, int] = {}

    def sizes(self, prefix: str) -> dict[str, int]:
        return {key: size for key, size in self.lengths.items() if key.startswith(prefix)}

    def md5(self, keys: list[str]) -> str:
        assert set(keys) == set(self.lengths)
        return "0" * 32

    def assemble(self, key: str, segments: list[Segment]) -> None:
        assert key.startswith("files/acme/")
        assert segments


@pytest.mark.parametrize(
    ("sizes", "checked", "status"),
    [
        ([512 * MIB, 512 * MIB], False, "processed"),
        ([512 * MIB, 512 * MIB + 1], False, "uploaded"),
        ([4 * MIB] * 32, False, "processed"),
        ([4 * MIB] * 32 + [1], False, "uploaded"),
        ([64 * MIB, 64 * MIB], True, "processed"),
        ([64 * MIB, 64 * MIB + 1], True, "uploaded"),
        ([1] * 256, False, "processed"),
        ([1] * 257, False, "uploaded"),
    ],
)
def test_what_surely_fits_a_call_is_done_in_it_and_the_rest_later(
    sizes: list[int], checked: bool, status: str
) -> None:
    world = UploadWorld(Hollow)
    assert isinstance(world.blobs, Hollow)
    upload = world.create(sum(sizes))
    ids = [world.promise(upload, size)[0].id for size in sizes]
    for part_id, size in zip(ids, sizes, strict=True):
        world.blobs.lengths[part_key("acme", upload.id, part_id)] = size

    completed, file = world.complete(upload, ids, "0" * 32 if checked else None)

    assert file is not None
    assert (completed.status, file.status) == ("completed", status)
    late = status == "uploaded"
    assert world.later.asked == ([("acme", upload.id)] if late else [])
    assert len(listed(world)) == (0 if late else 1)


def completed_later(
    world: UploadWorld, digest: str | None = None
) -> tuple[Upload, File, list[str]]:
    """An upload that is to be assembled later, its file, its parts."""
    upload, ids = world.filled(*MANY)
    completed, file = world.complete(upload, ids, digest)
    assert file is not None
    assert world.later.asked == [("acme", upload.id)]
    return completed, file, ids


def large(world: UploadWorld, digest: str) -> tuple[Upload, File]:
    """An upload too large for its MD5 to be taken at once."""
    contents = [b"a" * (65 * MIB), b"b" * (65 * MIB)]
    upload = world.create(130 * MIB)
    ids = []
    for content in contents:
        part, link = world.promise(upload, len(content))
        assert world.blobs.upload(link, content)
        ids.append(part.id)
    completed, file = world.complete(upload, ids, digest)
    assert file is not None
    assert world.later.asked == [("acme", upload.id)]
    return completed, file


def test_what_takes_longer_is_no_file_until_it_is_assembled(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)

    assert file.status == "uploaded"
    assert world.records.pending("acme", file.id) == Pending(file, NOW + ASSEMBLY_SECONDS)
    assert Files(world.records, world.blobs, world.clock).retrieve("acme", file.id) == file
    assert listed(world) == []
    assert len(world.upload_records.parts("acme", upload.id)) == len(ids)

    world.assembly.run("acme", upload.id)

    done = replace(file, status="processed")
    assert world.content(done) == b"".join(MANY)
    assert listed(world) == [done.doc()]
    assert is_clean(world, upload)
    assert world.complete(upload, ids) == (upload, done)


def test_an_assembly_done_again_changes_nothing(world: UploadWorld) -> None:
    upload, file, _ = completed_later(world)
    world.assembly.run("acme", upload.id)
    seen = list(world.blobs.created)

    world.assembly.run("acme", upload.id)

    assert world.blobs.created == seen
    assert world.content(replace(file, status="processed")) == b"".join(MANY)


def test_there_is_nothing_to_assemble_of_no_upload_or_an_open_one(world: UploadWorld) -> None:
    upload, _ = world.filled(b"abc")

    world.assembly.run("acme", new_file_id())
    world.assembly.run("globex", upload.id)
    world.assembly.run("acme", upload.id)

    assert_still_open(world, upload)
    assert len(world.upload_records.parts("acme", upload.id)) == 1


def test_an_open_upload_has_no_file(world: UploadWorld) -> None:
    assert world.assembly.file("acme", world.create()) is None


def test_an_md5_is_checked_however_long_it_takes(world: UploadWorld) -> None:
    digest = md5(b"a" * (65 * MIB), b"b" * (65 * MIB))
    upload, file = large(world, digest.upper())
    assert upload.md5 == digest

    world.assembly.run("acme", upload.id)

    assert world.records.get("acme", file.id) == replace(file, status="processed")
    assert is_clean(world, upload)


def test_an_md5_that_is_wrong_makes_an_error_of_the_file(world: UploadWorld) -> None:
    upload, file = large(world, "0" * 32)
    files = Files(world.records, world.blobs, world.clock)

    world.assembly.run("acme", upload.id)

    broken = replace(file, status="error", status_details="The md5 does not match the content.")
    assert files.retrieve("acme", file.id) == broken
    assert broken.public()["status_details"] == "The md5 does not match the content."
    assert world.uploads.complete("acme", upload.id, upload.part_ids) == (upload, broken)
    assert listed(world) == []
    assert is_clean(world, upload)
    assert world.blobs.get(file.key("acme")) is None

    world.assembly.run("acme", upload.id)
    assert files.retrieve("acme", file.id) == broken
    assert world.later.asked == [("acme", upload.id)]


def while_it_works(world: UploadWorld, work: str, meanwhile: Callable[[], object]) -> None:
    """Has something happen just before the blobs have done their work."""
    usual = getattr(world.blobs, work)

    def slow(*asked: object) -> object:
        meanwhile()
        return usual(*asked)

    setattr(world.blobs, work, slow)


def test_a_file_that_is_deleted_while_it_is_assembled_leaves_nothing(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)
    files = Files(world.records, world.blobs, world.clock)
    while_it_works(world, "assemble", lambda: files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.blobs.get(file.key("acme")) is None
    assert is_clean(world, upload)
    assert world.complete(upload, ids) == (upload, None)


def test_a_file_that_is_deleted_while_its_md5_is_taken_never_returns(world: UploadWorld) -> None:
    upload, file = large(world, "0" * 32)
    files = Files(world.records, world.blobs, world.clock)
    while_it_works(world, "md5", lambda: files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.uploads.complete("acme", upload.id, upload.part_ids) == (upload, None)


def test_an_assembly_that_another_overtakes_leaves_the_file_as_it_is(world: UploadWorld) -> None:
    upload, file, _ = completed_later(world)
    overtake = world.blobs.assemble

    def overtaken(key: str, segments: list[Segment]) -> None:
        world.blobs.assemble = overtake  # type: ignore[method-assign]
        world.assembly.run("acme", upload.id)
        world.blobs.put(key, b"".join(MANY))  # the slower one has read its parts before

    world.blobs.assemble = overtaken  # type: ignore[method-assign]

    world.assembly.run("acme", upload.id)

    assert world.content(replace(file, status="processed")) == b"".join(MANY)
    assert len(listed(world)) == 1


class Crash(Exception):
    """The function died."""


@pytest.mark.parametrize("contents", [[b"abc"], MANY], ids=["at once", "later"])
@pytest.mark.parametrize("before", [True, False])
def test_an_assembly_that_died_is_started_again_by_who_completes_again(
    world: UploadWorld, contents: list[bytes], before: bool
) -> None:
    upload, ids = world.filled(*contents)
    assemble = world.blobs.assemble

    def dies(key: str, segments: list[Segment]) -> None:
        world.blobs.assemble = assemble  # type: ignore[method-assign]
        if not before:
            assemble(key, segments)
        raise Crash

    world.blobs.assemble = dies  # type: ignore[method-assign]

    def complete() -> None:
        world.complete(upload, ids)
        world.assembly.run("acme", upload.id)

    with pytest.raises(Crash):
        complete()
    world.later.asked.clear()

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.later.asked == [("acme", upload.id)]
    assert Files(world.records, world.blobs, world.clock).retrieve("acme", file.id) == file
    world.assembly.run("acme", upload.id)
    assert world.content(replace(file, status="processed")) == b"".join(contents)
    assert is_clean(world, upload)


def test_segments_are_such_as_s3_takes(world: UploadWorld) -> None:
    contents = [b"a" * MIN_PART_BYTES, b"b" * 1000, b"c" * 6 * MIB, b"d", b"e" * 3]
    upload = world.create(sum(map(len, contents)))
    ids = []
    for content in contents:
        part, link = world.promise(upload, len(content))
        assert world.blobs.upload(link, content)
        ids.append(part.id)

    assert world.content(world.complete(upload, ids)[1]) == b"".join(contents)
