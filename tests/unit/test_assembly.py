"""Assembly behind the call: in one run, in several, again after a crash, or failed for good."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from files_api.service.assembly import ASSEMBLY_SECONDS
from files_api.service.blob_keys import PartBlob, parse_blob_key
from files_api.service.ids import new_id
from files_api.service.model import ASSEMBLY_RUN_SECONDS, File, PendingFile, Upload
from files_api.service.ports import PageRequest
from files_api.service.segments import MIN_PART_BYTES, Segment
from tests.fakes.blobs import MemoryAssembler, MemoryBlobs
from tests.fakes.world import World
from tests.support.samples import NOW, Clock

MIB = 1024**2
MANY = [bytes([n % 251]) for n in range(257)]  # more parts than are assembled while a caller waits


def md5(*contents: bytes) -> str:
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


@pytest.fixture
def world() -> World:
    return World()


class HollowBlobs(MemoryBlobs):
    """Blobs of any size, without content.

    Attributes:
        lengths: the number of bytes under each key.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.lengths: dict[str, int] = {}

    def sizes(self, prefix: str) -> dict[str, int]:
        return {key: size for key, size in self.lengths.items() if key.startswith(prefix)}

    def md5(self, keys: list[str]) -> str:
        assert set(keys) == set(self.lengths)
        return "0" * 32


class HollowAssembler(MemoryAssembler):
    """Assembles blobs without content."""

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
def test_small_upload_is_assembled_in_the_call_a_large_one_later(
    sizes: list[int], checked: bool, status: str
) -> None:
    world = World(blobs=HollowBlobs)
    assert isinstance(world.blobs, HollowBlobs)
    world.assembler = HollowAssembler(world.blobs, world.clock)
    upload = world.open(sum(sizes))
    ids = [world.presign(upload, size)[0].id for size in sizes]
    for part_id, size in zip(ids, sizes, strict=True):
        world.blobs.lengths[PartBlob("acme", upload.id, part_id).key] = size

    completed, file = world.complete(upload, ids, "0" * 32 if checked else None)

    assert file is not None
    assert (completed.status, file.status) == ("completed", status)
    later = status == "uploaded"
    assert world.queue.sent == ([("acme", upload.id)] if later else [])
    assert len(world.listed()) == (0 if later else 1)


def queued(world: World, digest: str | None = None) -> tuple[Upload, File, list[str]]:
    """A completed upload that waits to be assembled, its file, its parts."""
    upload, ids = world.filled(*MANY)
    completed, file = world.complete(upload, ids, digest)
    assert file is not None
    assert world.queue.sent == [("acme", upload.id)]
    return completed, file, ids


def large(world: World, digest: str) -> tuple[Upload, File]:
    """A completed upload that is too large to check its MD5 while the caller waits."""
    upload, ids = world.presigned(b"a" * (65 * MIB), b"b" * (65 * MIB))
    completed, file = world.complete(upload, ids, digest)
    assert file is not None
    assert world.queue.sent == [("acme", upload.id)]
    return completed, file


def test_queued_upload_has_a_pending_file_until_it_is_assembled(world: World) -> None:
    upload, file, ids = queued(world)

    assert file.status == "uploaded"
    assert world.records.get_pending("acme", file.id) == PendingFile(file, NOW + ASSEMBLY_SECONDS)
    assert world.files.retrieve("acme", file.id) == file
    assert world.listed() == []
    assert len(world.upload_records.parts("acme", upload.id)) == len(ids)

    world.assembly.run("acme", upload.id)

    processed = replace(file, status="processed")
    assert world.content(processed) == b"".join(MANY)
    assert world.listing.page("acme", PageRequest(10)).files == [processed.public_json()]
    assert world.is_clean(upload)
    assert world.complete(upload, ids) == (upload, processed)


def test_repeated_assembly_changes_nothing(world: World) -> None:
    upload, file, _ = queued(world)
    world.assembly.run("acme", upload.id)
    created = list(world.blobs.created)

    world.assembly.run("acme", upload.id)

    assert world.blobs.created == created
    assert world.content(replace(file, status="processed")) == b"".join(MANY)


def test_unknown_or_open_upload_is_not_assembled(world: World) -> None:
    upload, _ = world.filled(b"abc")

    world.assembly.run("acme", new_id())
    world.assembly.run("globex", upload.id)
    world.assembly.run("acme", upload.id)

    assert world.upload_records.get("acme", upload.id) == upload
    assert world.listed() == []
    assert len(world.upload_records.parts("acme", upload.id)) == 1


def test_md5_of_a_large_upload_is_checked_later(world: World) -> None:
    digest = md5(b"a" * (65 * MIB), b"b" * (65 * MIB))
    upload, file = large(world, digest.upper())
    assert upload.md5 == digest

    world.assembly.run("acme", upload.id)

    assert world.records.get("acme", file.id) == replace(file, status="processed")
    assert world.is_clean(upload)


def test_wrong_md5_gives_the_file_the_status_error(world: World) -> None:
    upload, file = large(world, "0" * 32)

    world.assembly.run("acme", upload.id)

    failed = replace(file, status="error", status_details="The MD5 does not match the content.")
    assert world.files.retrieve("acme", file.id) == failed
    assert failed.public()["status_details"] == "The MD5 does not match the content."
    assert world.completion.complete("acme", upload.id, upload.part_ids) == (upload, failed)
    assert world.listed() == []
    assert world.is_clean(upload)
    assert world.blobs.get(file.blob_key("acme")) is None

    world.assembly.run("acme", upload.id)
    assert world.files.retrieve("acme", file.id) == failed
    assert world.queue.sent == [("acme", upload.id)]


def before_each(port: object, call: str, meanwhile: Callable[[], object]) -> None:
    """Lets something happen just before each such call on a port."""
    usual = getattr(port, call)

    def delayed(*args: object, **options: object) -> object:
        meanwhile()
        return usual(*args, **options)

    setattr(port, call, delayed)


def test_file_deleted_during_its_assembly_leaves_nothing(world: World) -> None:
    upload, file, ids = queued(world)
    before_each(world.assembler, "assemble", lambda: world.files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.blobs.get(file.blob_key("acme")) is None
    assert world.is_clean(upload)
    assert world.complete(upload, ids) == (upload, None)


def test_file_deleted_during_its_md5_check_does_not_return(world: World) -> None:
    upload, file = large(world, "0" * 32)
    before_each(world.blobs, "md5", lambda: world.files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.completion.complete("acme", upload.id, upload.part_ids) == (upload, None)


def test_overtaken_assembly_leaves_the_file_as_it_is(world: World) -> None:
    upload, file, _ = queued(world)
    usual = world.assembler.assemble

    def overtaken(key: str, *args: Any, **options: Any) -> bool:
        world.assembler.assemble = usual  # type: ignore[method-assign]
        world.assembly.run("acme", upload.id)
        world.blobs.put(key, b"".join(MANY))  # the slower one has read its parts before
        return True

    world.assembler.assemble = overtaken  # type: ignore[method-assign]

    world.assembly.run("acme", upload.id)

    assert world.content(replace(file, status="processed")) == b"".join(MANY)
    assert len(world.listed()) == 1


class Crash(BaseException):
    """The function ended in the midst of its work."""


@pytest.mark.parametrize("contents", [[b"abc"], MANY], ids=["at once", "later"])
@pytest.mark.parametrize("before", [True, False])
def test_crashed_assembly_is_resumed_by_a_repeated_completion(
    world: World, contents: list[bytes], before: bool
) -> None:
    upload, ids = world.filled(*contents)
    usual = world.assembler.assemble

    def crash(*args: Any, **options: Any) -> bool:
        world.assembler.assemble = usual  # type: ignore[method-assign]
        if not before:
            usual(*args, **options)
        raise Crash

    world.assembler.assemble = crash  # type: ignore[method-assign]

    def complete() -> None:
        world.complete(upload, ids)
        world.assembly.run("acme", upload.id)

    with pytest.raises(Crash):
        complete()
    world.queue.sent.clear()
    world.clock.now += ASSEMBLY_RUN_SECONDS

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.queue.sent == [("acme", upload.id)]
    assert world.files.retrieve("acme", file.id) == file
    world.assembly.run("acme", upload.id)
    assert world.content(replace(file, status="processed")) == b"".join(contents)
    assert world.is_clean(upload)


def test_missing_part_gives_the_file_the_status_error(world: World) -> None:
    upload, file, ids = queued(world)
    world.blobs.delete(PartBlob("acme", upload.id, ids[7]).key)

    world.assembly.run("acme", upload.id)

    failed = replace(file, status="error", status_details="A part of the file is missing.")
    assert world.files.retrieve("acme", file.id) == failed
    assert world.is_clean(upload)


def test_expired_pending_file_is_not_assembled(world: World) -> None:
    upload, file, ids = queued(world)
    world.clock.now += ASSEMBLY_SECONDS
    world.queue.sent.clear()

    assert world.complete(upload, ids)[1] is None
    assert world.queue.sent == []
    world.assembly.run("acme", upload.id)

    assert world.listed() == []
    assert world.blobs.get(file.blob_key("acme")) is None
    assert world.is_clean(upload)


def test_assembly_that_fails_in_the_call_is_done_later(
    world: World, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    upload, ids = world.filled(b"abc", b"def")
    usual = world.assembler.assemble

    def fail(*_: object, **__: object) -> bool:
        world.assembler.assemble = usual  # type: ignore[method-assign]
        raise ConnectionError

    world.assembler.assemble = fail  # type: ignore[method-assign]
    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.queue.sent == [("acme", upload.id)]
    (line,) = logged()
    assert line["message"] == "Assembly failed and will be retried by AssembleUpload"
    assert (line["project"], line["upload_id"]) == ("acme", upload.id)
    world.assembly.run("acme", upload.id)
    assert world.content(replace(file, status="processed")) == b"abcdef"


def test_running_assembly_is_not_started_twice(world: World) -> None:
    upload, file, ids = queued(world)
    sent = world.queue.sent
    sent.clear()
    last_part = parse_blob_key(PartBlob("acme", upload.id, max(ids)).key)

    def meanwhile() -> None:
        for seconds in (0, ASSEMBLY_RUN_SECONDS - 1):
            world.clock.now += seconds
            assert world.complete(upload, ids)[1] == file
            world.blob_check.check(last_part)
        assert sent == []
        world.clock.now += 1  # by now the run has ended
        world.complete(upload, ids)
        world.blob_check.check(last_part)
        assert sent == [("acme", upload.id)] * 2

    before_each(world.assembler, "assemble", meanwhile)
    world.assembly.run("acme", upload.id)

    assert sent == [("acme", upload.id)] * 3  # the run itself had no time left


def test_unfinished_assembly_of_a_deleted_file_is_aborted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, file, _ = queued(world)
    aborted: list[str] = []
    monkeypatch.setattr(world.assembler, "abort", aborted.append)
    world.files.delete("acme", file.id)

    world.assembly.run("acme", upload.id)

    assert aborted == [file.blob_key("acme")]
    assert world.is_clean(upload)


# --- Failed for good ------------------------------------------------------------------------------


def test_failed_assembly_gives_the_file_the_status_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, file, _ = queued(world)
    aborted: list[str] = []
    monkeypatch.setattr(world.assembler, "abort", aborted.append)

    for _ in range(2):
        world.failed_assembly.record("acme", upload.id)

    failed = world.files.retrieve("acme", file.id)
    assert failed == replace(
        file, status="error", status_details="The parts could not be assembled."
    )
    assert aborted == [file.blob_key("acme")]
    assert world.is_clean(upload)
    assert world.listed() == []
    # and it can be deleted like any other file
    world.files.delete("acme", file.id)
    assert world.records.items() == []


def test_failed_assembly_does_not_change_a_processed_file(world: World) -> None:
    upload, ids = world.filled(b"abc")
    _, file = world.complete(upload, ids)

    world.failed_assembly.record("acme", upload.id)
    world.failed_assembly.record("acme", new_id())

    assert world.content(file) == b"abc"


def test_failed_file_is_never_finalized(world: World) -> None:
    upload, file, _ = queued(world)
    usual = world.assembler.assemble

    def overtaken(*args: Any, **options: Any) -> bool:
        assembled = usual(*args, **options)
        world.failed_assembly.record("acme", upload.id)  # another run was the third to fail
        return assembled

    world.assembler.assemble = overtaken  # type: ignore[method-assign]
    world.assembly.run("acme", upload.id)

    assert world.files.retrieve("acme", file.id).status == "error"
    assert world.listed() == []
    assert world.blobs.get(file.blob_key("acme")) is None


# --- In several runs ------------------------------------------------------------------------------


class SlowAssembler(MemoryAssembler):
    """Takes its time.

    Args:
        seconds: how long it takes to make one blob of several.
    """

    def __init__(self, world: World, seconds: float) -> None:
        super().__init__(world.blobs, world.clock)
        self._time = world.clock
        self._seconds = seconds
        self._done = 0.0  # by earlier calls

    def assemble(
        self, key: str, segments: list[Segment], deadline: float, *, resume: bool = False
    ) -> bool:
        before = self._done if resume else 0
        self._done = min(before + max(deadline - self._time.now, 0), self._seconds)
        self._time.now += self._done - before
        return self._done == self._seconds and super().assemble(key, segments, deadline + 1)


def test_assembly_that_does_not_fit_the_call_continues_later(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    world.assembler = SlowAssembler(world, 20)

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.clock.now == NOW + 8
    assert world.queue.sent == [("acme", upload.id)]
    assert world.listed() == []

    world.assembly.run("acme", upload.id)

    assert world.clock.now == NOW + 20
    assert world.content(replace(file, status="processed")) == b"abcdef"
    assert world.is_clean(upload)


def test_long_assembly_continues_from_run_to_run(world: World) -> None:
    upload, file, _ = queued(world)
    world.assembler = SlowAssembler(world, 2_000)
    runs = 0

    while world.queue.sent:
        assert world.queue.sent.pop() == ("acme", upload.id)
        assert world.listed() == []
        world.assembly.run("acme", upload.id)
        runs += 1

    assert (runs, world.clock.now) == (4, NOW + 2_000)
    assert world.content(replace(file, status="processed")) == b"".join(MANY)
    assert world.is_clean(upload)


def test_md5_is_checked_once_in_several_runs(world: World) -> None:
    upload, file = large(world, md5(b"a" * (65 * MIB), b"b" * (65 * MIB)))
    world.assembler = SlowAssembler(world, 2_000)
    checked: list[list[str]] = []
    usual = world.blobs.md5

    def slow(keys: list[str]) -> str:
        checked.append(keys)
        world.clock.now += 700  # longer than a run starts any request
        return usual(keys)

    world.blobs.md5 = slow  # type: ignore[method-assign]
    while world.queue.sent:
        world.queue.sent.pop()
        world.assembly.run("acme", upload.id)

    assert len(checked) == 1
    assert world.listed() == [file.id]


def test_segments_are_accepted_by_s3(world: World) -> None:
    contents = [b"a" * MIN_PART_BYTES, b"b" * 1000, b"c" * 6 * MIB, b"d", b"e" * 3]
    upload, ids = world.presigned(*contents)

    assert world.content(world.complete(upload, ids)[1]) == b"".join(contents)
