"""Assembly behind the call: in one run, in several, again after a crash, or failed for good."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from files_api.service.blob_keys import PartBlob
from files_api.service.completion import MAX_MD5_BYTES
from files_api.service.errors import InvalidValue
from files_api.service.ids import new_id
from files_api.service.model import (
    ASSEMBLY_RUN_SECONDS,
    ASSEMBLY_SECONDS,
    MAX_DIRECT_BYTES,
    File,
    PendingFile,
    Upload,
)
from files_api.service.ports import PageRequest
from files_api.service.segments import MIN_PART_BYTES, Segment
from tests.fakes.blobs import MemoryAssembler, MemoryBlobs
from tests.fakes.world import World, invalid, md5, once, raising, refusal
from tests.support.samples import NOW

MIB = 1024**2
ABCDEF = (b"abc", b"def")


class HollowBlobs(MemoryBlobs):
    """Blobs of any size, without content.

    Attributes:
        lengths: the number of bytes under each key.
    """

    lengths: dict[str, int]

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


def hollow(sizes: list[int]) -> tuple[World, Upload, list[str]]:
    """An upload with parts of these sizes, without content."""
    world = World(blobs=HollowBlobs)
    world.max_file_bytes = sum(sizes)
    world.assembler = HollowAssembler(world.blobs, world.clock)
    upload = world.open(sum(sizes))
    ids = [world.presign(upload, size)[0].id for size in sizes]
    keys = [PartBlob("acme", upload.id, part_id).key for part_id in ids]
    assert isinstance(world.blobs, HollowBlobs)
    world.blobs.lengths = dict(zip(keys, sizes, strict=True))
    return world, upload, ids


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
    world, upload, ids = hollow(sizes)

    completed, file = world.complete(upload, ids, "0" * 32 if checked else None)

    assert (completed.status, file and file.status) == ("completed", status)
    later = status == "uploaded"
    assert world.queue.sent == ([("acme", upload.id)] if later else [])
    assert len(world.listed()) == (0 if later else 1)


def test_md5_of_too_large_an_upload_is_rejected() -> None:
    parts, rest = divmod(MAX_MD5_BYTES + 1, MAX_DIRECT_BYTES)
    world, upload, ids = hollow([MAX_DIRECT_BYTES] * parts + [rest])

    assert refusal(lambda: world.complete(upload, ids, "0" * 32), InvalidValue) == invalid(
        "md5",
        "the MD5 is checked for files of at most 17179869184 bytes. For a larger file, omit it and "
        "request each part with its sha256.",
    )
    assert world.complete(upload, ids)[0].status == "completed"


def queued(world: World, digest: str | None = None) -> tuple[Upload, File, list[str]]:
    """A completed upload that waits to be assembled, its file, its parts."""
    world.at_once_bytes = 0
    upload, ids = world.filled(*ABCDEF)
    completed, file = world.complete(upload, ids, digest)
    assert file is not None
    assert file.status == "uploaded"
    assert world.queue.sent == [("acme", upload.id)]
    return completed, file, ids


def assert_assembled(world: World, upload: Upload, file: File) -> None:
    processed = replace(file, status="processed")
    assert world.content(processed) == b"abcdef"
    assert world.listing.page("acme", PageRequest(10)).files == [processed.public_json()]
    assert world.is_clean(upload)


def assert_failed(world: World, upload: Upload, file: File, details: str) -> None:
    failed = replace(file, status="error", status_details=details)
    assert world.files.retrieve("acme", file.id) == failed
    assert failed.public()["status_details"] == details
    assert world.completion.complete("acme", upload.id, upload.part_ids) == (upload, failed)
    assert world.listed() == []
    assert world.is_clean(upload)
    assert world.blobs.get(file.blob_key("acme")) is None


def test_queued_upload_has_a_pending_file_until_it_is_assembled(world: World) -> None:
    upload, file, ids = queued(world)

    assert world.records.get_pending("acme", file.id) == PendingFile(file, NOW + ASSEMBLY_SECONDS)
    assert world.files.retrieve("acme", file.id) == file
    assert world.listed() == []
    assert len(world.upload_records.parts("acme", upload.id)) == len(ids)

    for _ in range(2):
        world.assembly.run("acme", upload.id)
        created = len(world.blobs.created)
        assert_assembled(world, upload, file)
    assert len(world.blobs.created) == created == len(ids) + 1
    assert world.complete(upload, ids) == (upload, replace(file, status="processed"))


def test_unknown_or_open_upload_is_not_assembled(world: World) -> None:
    upload, _ = world.filled(b"abc")

    for project, upload_id in [("acme", new_id()), ("globex", upload.id), ("acme", upload.id)]:
        world.assembly.run(project, upload_id)

    assert world.upload_records.get("acme", upload.id) == upload
    assert world.listed() == []
    assert len(world.upload_records.parts("acme", upload.id)) == 1


def test_md5_of_a_queued_upload_is_checked_later(world: World) -> None:
    upload, file, _ = queued(world, md5(*ABCDEF).upper())
    assert upload.md5 == md5(*ABCDEF)

    world.assembly.run("acme", upload.id)

    assert_assembled(world, upload, file)


def test_wrong_md5_gives_the_file_the_status_error(world: World) -> None:
    upload, file, _ = queued(world, "0" * 32)

    for _ in range(2):
        world.assembly.run("acme", upload.id)

        assert_failed(world, upload, file, "The MD5 does not match the content.")
    assert world.queue.sent == [("acme", upload.id)]


def test_missing_part_gives_the_file_the_status_error(world: World) -> None:
    upload, file, ids = queued(world)
    world.blobs.delete(PartBlob("acme", upload.id, ids[1]).key)

    world.assembly.run("acme", upload.id)

    assert_failed(world, upload, file, "A part of the file is missing.")


@pytest.mark.parametrize(("call", "digest"), [("assemble", md5(*ABCDEF)), ("md5", "0" * 32)])
def test_file_deleted_during_its_assembly_leaves_nothing(
    world: World, call: str, digest: str
) -> None:
    upload, file, ids = queued(world, digest)
    port = world.assembler if call == "assemble" else world.blobs
    once(port, call, before=lambda: world.files.delete("acme", file.id))

    world.assembly.run("acme", upload.id)

    assert world.records.items() == []
    assert world.blobs.get(file.blob_key("acme")) is None
    assert world.is_clean(upload)
    assert world.complete(upload, ids) == (upload, None)


def test_overtaken_assembly_leaves_the_file_as_it_is(world: World) -> None:
    upload, file, _ = queued(world)
    # the slower one has read its parts before
    once(world.assembler, "assemble", after=lambda: world.assembly.run("acme", upload.id))

    world.assembly.run("acme", upload.id)

    assert_assembled(world, upload, file)


class Crash(BaseException):
    """The function ended in the midst of its work."""


@pytest.mark.parametrize("at_once_bytes", [0, 6], ids=["later", "at once"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_crashed_assembly_is_resumed_by_a_repeated_completion(
    world: World, at_once_bytes: int, when: str
) -> None:
    world.at_once_bytes = at_once_bytes
    upload, ids = world.filled(*ABCDEF)
    once(world.assembler, "assemble", **{when: raising(Crash)})

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
    assert_assembled(world, upload, file)


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
    upload, ids = world.filled(*ABCDEF)
    once(world.assembler, "assemble", before=raising(ConnectionError))

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.queue.sent == [("acme", upload.id)]
    (line,) = logged()
    assert (line["message"], line["project"], line["upload_id"]) == (
        "Assembly failed and will be retried by AssembleUpload",
        "acme",
        upload.id,
    )
    world.assembly.run("acme", upload.id)
    assert_assembled(world, upload, file)


def test_running_assembly_is_not_started_twice(world: World) -> None:
    upload, file, ids = queued(world)
    sent = world.queue.sent
    sent.clear()

    def meanwhile() -> None:
        for seconds, requested in [(0, 0), (ASSEMBLY_RUN_SECONDS - 1, 0), (1, 2)]:
            world.clock.now += seconds
            assert world.complete(upload, ids)[1] == file
            world.blob_check.check(PartBlob("acme", upload.id, max(ids)))
            assert sent == [("acme", upload.id)] * requested  # at last the run has ended

    once(world.assembler, "assemble", before=meanwhile)
    world.assembly.run("acme", upload.id)

    assert sent == [("acme", upload.id)] * 3  # the run itself had no time left


class NotedAborts(MemoryAssembler):
    """Notes the keys whose assemblies are aborted."""

    def __init__(self, world: World) -> None:
        super().__init__(world.blobs, world.clock)
        self.aborted: list[str] = []

    def abort(self, key: str) -> None:
        self.aborted.append(key)


def test_unfinished_assembly_of_a_deleted_file_is_aborted(world: World) -> None:
    world.assembler = assembler = NotedAborts(world)
    upload, file, _ = queued(world)
    world.files.delete("acme", file.id)

    world.assembly.run("acme", upload.id)

    assert assembler.aborted == [file.blob_key("acme")]
    assert world.is_clean(upload)


# --- Failed for good ------------------------------------------------------------------------------


def test_failed_assembly_gives_the_file_the_status_error(world: World) -> None:
    world.assembler = assembler = NotedAborts(world)
    upload, file, _ = queued(world)

    for _ in range(2):
        world.failed_assembly.record("acme", upload.id)

        assert_failed(world, upload, file, "The parts could not be assembled.")
        assert assembler.aborted == [file.blob_key("acme")]
    # and it can be deleted like any other file
    world.files.delete("acme", file.id)
    assert world.records.items() == []


def test_failed_assembly_does_not_change_a_processed_file(world: World) -> None:
    upload, ids = world.filled(b"abc")
    _, file = world.complete(upload, ids)

    for upload_id in (upload.id, new_id()):
        world.failed_assembly.record("acme", upload_id)

    assert world.content(file) == b"abc"


def test_failed_file_is_never_finalized(world: World) -> None:
    upload, file, _ = queued(world)
    # another run was the third to fail
    record = world.failed_assembly.record
    once(world.assembler, "assemble", after=lambda: record("acme", upload.id))

    world.assembly.run("acme", upload.id)

    assert_failed(world, upload, file, "The parts could not be assembled.")


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
        self._done = 0.0

    def assemble(
        self, key: str, segments: list[Segment], deadline: float, *, resume: bool = False
    ) -> bool:
        before = self._done if resume else 0
        self._done = min(before + max(deadline - self._time.now, 0), self._seconds)
        self._time.now += self._done - before
        return self._done == self._seconds and super().assemble(key, segments, deadline + 1)


def test_assembly_that_does_not_fit_the_call_continues_later(world: World) -> None:
    upload, ids = world.filled(*ABCDEF)
    world.assembler = SlowAssembler(world, 20)

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert (completed.status, file.status) == ("completed", "uploaded")
    assert world.clock.now == NOW + 8
    assert world.queue.sent == [("acme", upload.id)]
    assert world.listed() == []

    world.assembly.run("acme", upload.id)

    assert world.clock.now == NOW + 20
    assert_assembled(world, upload, file)


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
    assert_assembled(world, upload, file)


def test_md5_that_takes_a_whole_run_is_checked_once(world: World) -> None:
    upload, file, _ = queued(world, md5(*ABCDEF))
    once(world.blobs, "md5", after=lambda: setattr(world.clock, "now", NOW + 700))
    world.assembly.run("acme", upload.id)
    assert world.queue.sent == [("acme", upload.id)] * 2
    once(world.blobs, "md5", before=raising(Crash))

    world.assembly.run("acme", upload.id)

    assert_assembled(world, upload, file)


def test_segments_are_accepted_by_s3(world: World) -> None:
    contents = [b"a" * MIN_PART_BYTES, b"b" * 1000, b"c" * 6 * MIB, b"d", b"e" * 3]
    upload, ids = world.presigned(*contents)

    assert world.content(world.complete(upload, ids)[1]) == b"".join(contents)
