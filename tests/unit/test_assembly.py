"""Files that are put together after the call, or in several runs, or never."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from files_api.assembly import ASSEMBLY_SECONDS
from files_api.files import Files
from files_api.ids import new_file_id
from files_api.model import ASSEMBLY_RUN_SECONDS, File, Pending, Upload, part_key
from files_api.segments import MIN_PART_BYTES, Segment
from tests.unit.memory import MemoryBlobs
from tests.unit.memory_uploads import UploadWorld
from tests.unit.samples import NOW, Clock

MIB = 1024**2
MANY = [bytes([n % 251]) for n in range(257)]  # more parts than are assembled while a caller waits


def md5(*contents: bytes) -> str:
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


@pytest.fixture
def world() -> UploadWorld:
    return UploadWorld()


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

    def assemble(self, key: str, segments: list[Segment], *_: object, **__: object) -> bool:
        assert key.startswith("files/acme/")
        assert segments
        return True


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
    assert len(world.listed()) == (0 if late else 1)


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
    upload, ids = world.upload(b"a" * (65 * MIB), b"b" * (65 * MIB))
    completed, file = world.complete(upload, ids, digest)
    assert file is not None
    assert world.later.asked == [("acme", upload.id)]
    return completed, file


def test_what_takes_longer_is_no_file_until_it_is_assembled(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)

    assert file.status == "uploaded"
    assert world.records.pending("acme", file.id) == Pending(file, NOW + ASSEMBLY_SECONDS)
    assert Files(world.records, world.blobs, world.clock).retrieve("acme", file.id) == file
    assert world.listed() == []
    assert len(world.upload_records.parts("acme", upload.id)) == len(ids)

    world.assembly.run("acme", upload.id)

    done = replace(file, status="processed")
    assert world.content(done) == b"".join(MANY)
    assert world.listed() == [done.doc()]
    assert world.is_clean(upload)
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

    assert world.upload_records.get("acme", upload.id) == upload
    assert world.listed() == []
    assert len(world.upload_records.parts("acme", upload.id)) == 1


def test_an_md5_is_checked_however_long_it_takes(world: UploadWorld) -> None:
    digest = md5(b"a" * (65 * MIB), b"b" * (65 * MIB))
    upload, file = large(world, digest.upper())
    assert upload.md5 == digest

    world.assembly.run("acme", upload.id)

    assert world.records.get("acme", file.id) == replace(file, status="processed")
    assert world.is_clean(upload)


def test_an_md5_that_is_wrong_makes_an_error_of_the_file(world: UploadWorld) -> None:
    upload, file = large(world, "0" * 32)
    files = Files(world.records, world.blobs, world.clock)

    world.assembly.run("acme", upload.id)

    broken = replace(file, status="error", status_details="The md5 does not match the content.")
    assert files.retrieve("acme", file.id) == broken
    assert broken.public()["status_details"] == "The md5 does not match the content."
    assert world.completion.complete("acme", upload.id, upload.part_ids) == (upload, broken)
    assert world.listed() == []
    assert world.is_clean(upload)
    assert world.blobs.get(file.key("acme")) is None

    world.assembly.run("acme", upload.id)
    assert files.retrieve("acme", file.id) == broken
    assert world.later.asked == [("acme", upload.id)]


def while_it_works(world: UploadWorld, work: str, meanwhile: Callable[[], object]) -> None:
    """Has something happen just before the blobs have done their work."""
    usual = getattr(world.blobs, work)

    def slow(*asked: object, **how: object) -> object:
        meanwhile()
        return usual(*asked, **how)

    setattr(world.blobs, work, slow)


def test_a_file_that_is_deleted_while_it_is_assembled_leaves_nothing(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)
    files = Files(world.records, world.blobs, world.clock)
    while_it_works(world, "assemble", lambda: files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.blobs.get(file.key("acme")) is None
    assert world.is_clean(upload)
    assert world.complete(upload, ids) == (upload, None)


def test_a_file_that_is_deleted_while_its_md5_is_taken_never_returns(world: UploadWorld) -> None:
    upload, file = large(world, "0" * 32)
    files = Files(world.records, world.blobs, world.clock)
    while_it_works(world, "md5", lambda: files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.completion.complete("acme", upload.id, upload.part_ids) == (upload, None)


def test_an_assembly_that_another_overtakes_leaves_the_file_as_it_is(world: UploadWorld) -> None:
    upload, file, _ = completed_later(world)
    usual = world.blobs.assemble

    def overtaken(key: str, *asked: Any, **how: Any) -> bool:
        world.blobs.assemble = usual  # type: ignore[method-assign]
        world.assembly.run("acme", upload.id)
        world.blobs.put(key, b"".join(MANY))  # the slower one has read its parts before
        return True

    world.blobs.assemble = overtaken  # type: ignore[method-assign]

    world.assembly.run("acme", upload.id)

    assert world.content(replace(file, status="processed")) == b"".join(MANY)
    assert len(world.listed()) == 1


class Died(BaseException):
    """The function was ended in the midst of its work."""


@pytest.mark.parametrize("contents", [[b"abc"], MANY], ids=["at once", "later"])
@pytest.mark.parametrize("before", [True, False])
def test_an_assembly_that_died_is_started_again_by_who_completes_again(
    world: UploadWorld, contents: list[bytes], before: bool
) -> None:
    upload, ids = world.filled(*contents)
    usual = world.blobs.assemble

    def dies(*asked: Any, **how: Any) -> bool:
        world.blobs.assemble = usual  # type: ignore[method-assign]
        if not before:
            usual(*asked, **how)
        raise Died

    world.blobs.assemble = dies  # type: ignore[method-assign]

    def complete() -> None:
        world.complete(upload, ids)
        world.assembly.run("acme", upload.id)

    with pytest.raises(Died):
        complete()
    world.later.asked.clear()
    world.clock.now += ASSEMBLY_RUN_SECONDS

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.later.asked == [("acme", upload.id)]
    assert Files(world.records, world.blobs, world.clock).retrieve("acme", file.id) == file
    world.assembly.run("acme", upload.id)
    assert world.content(replace(file, status="processed")) == b"".join(contents)
    assert world.is_clean(upload)


def test_a_part_that_is_missing_makes_an_error_of_the_file(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)
    world.blobs.delete(part_key("acme", upload.id, ids[7]))

    world.assembly.run("acme", upload.id)

    broken = replace(file, status="error", status_details="A part of the file is missing.")
    assert Files(world.records, world.blobs, world.clock).retrieve("acme", file.id) == broken
    assert world.is_clean(upload)


def test_a_promise_that_is_off_is_assembled_no_more(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)
    world.clock.now += ASSEMBLY_SECONDS
    world.later.asked.clear()

    assert world.complete(upload, ids)[1] is None
    assert world.later.asked == []
    world.assembly.run("acme", upload.id)

    assert world.listed() == []
    assert world.blobs.get(file.key("acme")) is None
    assert world.is_clean(upload)


def test_an_error_is_one_for_good(world: UploadWorld) -> None:
    upload, file, _ = completed_later(world)
    usual = world.blobs.assemble

    def beaten(*asked: Any, **how: Any) -> bool:
        done = usual(*asked, **how)
        world.purge.assembly_failed("acme", upload.id)  # another run was the third to fail
        return done

    world.blobs.assemble = beaten  # type: ignore[method-assign]
    world.assembly.run("acme", upload.id)

    files = Files(world.records, world.blobs, world.clock)
    assert files.retrieve("acme", file.id).status == "error"
    assert world.listed() == []
    assert world.blobs.get(file.key("acme")) is None


def test_what_fails_while_the_caller_waits_is_done_later(
    world: UploadWorld, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    upload, ids = world.filled(b"abc", b"def")
    usual = world.blobs.assemble

    def fails(*_: object, **__: object) -> bool:
        world.blobs.assemble = usual  # type: ignore[method-assign]
        raise ConnectionError

    world.blobs.assemble = fails  # type: ignore[method-assign]
    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.later.asked == [("acme", upload.id)]
    assert [line["message"] for line in logged()] == ["not assembled at once, to be tried later"]
    world.assembly.run("acme", upload.id)
    assert world.content(replace(file, status="processed")) == b"abcdef"


def test_nobody_begins_an_assembly_that_goes_on(world: UploadWorld) -> None:
    upload, file, ids = completed_later(world)
    asked = world.later.asked
    asked.clear()

    def meanwhile() -> None:
        for seconds in (0, ASSEMBLY_RUN_SECONDS - 1):
            world.clock.now += seconds
            assert world.complete(upload, ids)[1] == file
            world.sweep.blob_created(part_key("acme", upload.id, max(ids)))
        assert asked == []
        world.clock.now += 1  # nobody can be at it any more
        world.complete(upload, ids)
        world.sweep.blob_created(part_key("acme", upload.id, max(ids)))
        assert asked == [("acme", upload.id)] * 2

    while_it_works(world, "assemble", meanwhile)
    world.assembly.run("acme", upload.id)


def test_what_deleted_files_leave_unfinished_is_abandoned(
    world: UploadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, file, _ = completed_later(world)
    abandoned: list[str] = []
    monkeypatch.setattr(world.blobs, "abandon", abandoned.append)
    Files(world.records, world.blobs, world.clock).delete("acme", file.id)

    world.assembly.run("acme", upload.id)

    assert abandoned == [file.key("acme")]
    assert world.is_clean(upload)


# --- In several runs ------------------------------------------------------------------------------


class Slow(MemoryBlobs):
    """Blobs that take their time to make one of several.

    Attributes:
        seconds: how long that takes.
        done: how much of it there is from earlier tries.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.time = clock
        self.seconds = 0.0
        self.done = 0.0

    def assemble(
        self, key: str, segments: list[Segment], until: float, *, again: bool = False
    ) -> bool:
        begun = self.done if again else 0
        self.done = min(begun + max(until - self.time.now, 0), self.seconds)
        self.time.now += self.done - begun
        return self.done == self.seconds and super().assemble(key, segments, until + 1)


@pytest.fixture
def slow() -> UploadWorld:
    return UploadWorld(Slow)


def takes(world: UploadWorld, seconds: float) -> None:
    assert isinstance(world.blobs, Slow)
    world.blobs.seconds = seconds


def test_what_does_not_fit_the_call_after_all_goes_on_later(slow: UploadWorld) -> None:
    upload, ids = slow.filled(b"abc", b"def")
    takes(slow, 20)

    completed, file = slow.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert slow.clock.now == NOW + 8
    assert slow.later.asked == [("acme", upload.id)]
    assert slow.listed() == []

    slow.assembly.run("acme", upload.id)

    assert slow.clock.now == NOW + 20
    assert slow.content(replace(file, status="processed")) == b"abcdef"
    assert slow.is_clean(upload)


def test_an_assembly_goes_on_from_run_to_run(slow: UploadWorld) -> None:
    upload, file, _ = completed_later(slow)
    takes(slow, 2_000)
    runs = 0

    while slow.later.asked:
        assert slow.later.asked.pop() == ("acme", upload.id)
        assert slow.listed() == []
        slow.assembly.run("acme", upload.id)
        runs += 1

    assert (runs, slow.clock.now) == (4, NOW + 2_000)
    assert slow.content(replace(file, status="processed")) == b"".join(MANY)
    assert slow.is_clean(upload)


def test_an_md5_is_taken_once_however_many_runs_there_are(slow: UploadWorld) -> None:
    upload, _ = large(slow, md5(b"a" * (65 * MIB), b"b" * (65 * MIB)))
    takes(slow, 2_000)
    taken: list[list[str]] = []
    usual = slow.blobs.md5

    def noted(keys: list[str]) -> str:
        taken.append(keys)
        slow.clock.now += 700  # longer than a run begins anything
        return usual(keys)

    slow.blobs.md5 = noted  # type: ignore[method-assign]
    while slow.later.asked:
        slow.later.asked.pop()
        slow.assembly.run("acme", upload.id)

    assert len(taken) == 1
    assert len(slow.listed()) == 1


def test_segments_are_such_as_s3_takes(world: UploadWorld) -> None:
    contents = [b"a" * MIN_PART_BYTES, b"b" * 1000, b"c" * 6 * MIB, b"d", b"e" * 3]
    upload, ids = world.upload(*contents)

    assert world.content(world.complete(upload, ids)[1]) == b"".join(contents)
