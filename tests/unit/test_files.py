"""What the calls on one file promise, whatever keeps it."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from files_api.errors import FileNotFound, FileNotReady
from files_api.files import MAX_INLINE_BYTES
from files_api.model import File, Link, Pending
from tests.unit.memory import MemoryBlobs, MemoryRecords
from tests.unit.samples import NOW, a_file
from tests.unit.world import LINK_SECONDS, World, assert_gone, error_of


@pytest.fixture
def world() -> World:
    return World()


# --- Looking up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file_id",
    [
        a_file().id,
        "",
        "file-abc123",
        "../other",
        "P#batch#",
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_what_is_not_there_or_no_id_at_all_is_not_found_by_any_call(
    world: World, file_id: str
) -> None:
    world.create()

    assert_gone(world, "acme", file_id)


def test_an_id_in_upper_case_is_none_of_ours(world: World) -> None:
    assert_gone(world, "acme", world.create().id.upper())


def test_the_files_of_another_project_are_not_found_and_not_touched(world: World) -> None:
    file = world.create()

    assert_gone(world, "globex", file.id)

    assert world.listed("globex") == []
    assert world.downloads.content("acme", file.id) == (file, b"abc")
    assert world.listed() == [file.id]


def test_a_file_is_gone_for_every_call_from_the_second_that_it_expires(world: World) -> None:
    file = world.create(lifetime=3600)

    world.clock.now = NOW + 3599.999
    assert world.files.retrieve("acme", file.id) == file
    assert world.downloads.content("acme", file.id) == (file, b"abc")
    assert world.listed() == [file.id]
    world.clock.now = NOW + 3600
    assert_gone(world, "acme", file.id)
    assert world.listed() == []
    assert world.listed(purpose="assistants") == []


def test_content_that_was_deleted_meanwhile_is_not_found(world: World) -> None:
    file = world.create()
    world.blobs.delete(file.key("acme"))

    with pytest.raises(FileNotFound):
        world.downloads.content("acme", file.id)


# --- Deleting -------------------------------------------------------------------------------------


def test_a_deleted_file_is_gone_for_every_call_and_its_bytes_with_it(world: World) -> None:
    kept, file = world.create(), world.create()

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.listed() == [kept.id]
    assert world.listed(purpose="assistants") == [kept.id]
    assert world.blobs.get(file.key("acme")) is None
    assert world.downloads.content("acme", kept.id) == (kept, b"abc")


class Overtaken(MemoryRecords):
    """Records from which another call always removes a file first."""

    def remove(self, project: str, file: File) -> bool:
        super().remove(project, file)
        return super().remove(project, file)


def test_a_delete_that_another_overtakes_finds_nothing() -> None:
    world = World(records=Overtaken())
    file = world.create()

    with pytest.raises(FileNotFound):
        world.files.delete("acme", file.id)


def test_of_racing_deletes_exactly_one_wins(world: World) -> None:
    file = world.create()
    ready = threading.Barrier(8)
    outcomes: list[str] = []

    def race() -> None:
        ready.wait()
        try:
            world.files.delete("acme", file.id)
            outcomes.append("deleted")
        except FileNotFound:
            outcomes.append("not found")

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["deleted"] + ["not found"] * 7


class StuckBucket(MemoryBlobs):
    """Blobs that let none go."""

    def delete(self, key: str) -> None:
        raise ConnectionError(key)


def test_a_delete_that_breaks_off_leaves_no_record_without_bytes() -> None:
    world = World(blobs=StuckBucket())
    file = world.create()

    with pytest.raises(ConnectionError):
        world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.listed() == []


# --- Files that are promised ----------------------------------------------------------------------


def test_a_promised_file_is_pending_in_no_list_and_has_no_content(world: World) -> None:
    file, _ = world.promise()

    assert world.files.retrieve("acme", file.id) == file
    assert file.status == "pending"
    assert world.listed() == world.listed(purpose="assistants") == []
    for call in (world.downloads.content, lambda p, i: world.files.link(p, i, 900)):
        with pytest.raises(FileNotReady) as refused:
            call("acme", file.id)
        assert (refused.value.status, error_of(refused.value)) == (
            400,
            {
                "message": f"The File object {file.id} has no content yet.",
                "type": "invalid_request_error",
                "param": "id",
                "code": "file_not_ready",
            },
        )
    assert_gone(world, "globex", file.id)


@pytest.mark.parametrize("first", ["retrieve", "content", "link", "settle"])
def test_a_promised_file_is_there_once_its_bytes_are_whoever_notices_first(
    world: World, first: str
) -> None:
    promised, link = world.promise(filename="é.txt", lifetime=3600)
    file = replace(promised, status="processed")

    assert world.blobs.upload(link, b"abc")
    notice(world, first, file.id)

    assert world.listed() == world.listed(purpose="assistants") == [file.id]
    assert world.files.retrieve("acme", file.id) == file
    assert world.downloads.content("acme", file.id) == (file, b"abc")
    assert world.records.pending("acme", file.id) is None


def notice(world: World, call: str, file_id: str) -> None:
    match call:
        case "retrieve":
            assert world.files.retrieve("acme", file_id).status == "processed"
        case "content":
            assert world.downloads.content("acme", file_id)[1] == b"abc"
        case "link":
            assert world.files.link("acme", file_id, 900).expires_at == NOW + 900
        case "settle":
            world.files.settle("acme", file_id)


def test_bytes_of_another_number_than_promised_are_no_file(world: World) -> None:
    file, _ = world.promise(3)
    for content in (b"ab", b"abcd", b""):
        world.blobs.put(file.key("acme"), content)

        world.files.settle("acme", file.id)

        assert world.files.retrieve("acme", file.id) == file
        assert world.listed() == []


def test_a_promise_is_off_in_the_second_that_it_expires_and_late_bytes_are_removed(
    world: World,
) -> None:
    file, link = world.promise()
    world.blobs.upload(link, b"abc")

    world.clock.now = NOW + 900 + 3 * 3600 - 0.001
    assert world.files.retrieve("acme", a_promise_like(world, file)).status == "pending"
    world.clock.now = NOW + 900 + 3 * 3600
    assert_gone(world, "acme", file.id)
    world.files.settle("acme", file.id)

    assert world.blobs.get(file.key("acme")) is None
    assert world.listed() == []


def a_promise_like(world: World, file: File) -> str:
    """The id of a promise that expires with that of the file and whose bytes never came."""
    pending = world.records.pending("acme", file.id)
    assert pending
    other = replace(pending, file=replace(file, id=a_file().id))
    world.records.promise("acme", other)
    return other.file.id


def test_a_file_may_expire_before_its_promise_does(world: World) -> None:
    file, link = world.promise(lifetime=3600)
    world.blobs.upload(link, b"abc")

    world.clock.now = NOW + 3600

    assert_gone(world, "acme", file.id)
    world.files.settle("acme", file.id)
    assert world.blobs.get(file.key("acme")) is None
    assert world.listed() == []


@pytest.mark.parametrize("uploaded", [False, True])
def test_a_promised_file_can_be_deleted_before_and_after_its_bytes_came(
    world: World, uploaded: bool
) -> None:
    file, link = world.promise()
    if uploaded:
        world.blobs.upload(link, b"abc")

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.records.items() == []
    assert world.blobs.keys() == set()


def test_bytes_that_come_for_a_deleted_file_are_removed_and_it_stays_deleted(world: World) -> None:
    file, link = world.promise()
    world.files.delete("acme", file.id)

    assert world.blobs.upload(link, b"abc")
    world.files.settle("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.blobs.keys() == set()
    assert world.records.items() == []


@pytest.mark.parametrize("times", [1, 2, 3])
def test_settling_again_and_late_changes_nothing(world: World, times: int) -> None:
    promised, link = world.promise()
    world.blobs.upload(link, b"abc")
    for _ in range(times):
        world.files.settle("acme", promised.id)
        assert world.downloads.content("acme", promised.id)[1] == b"abc"

    world.clock.now = NOW + 10 * 86_400
    world.files.settle("acme", promised.id)

    assert world.files.retrieve("acme", promised.id) == replace(promised, status="processed")
    assert world.listed() == [promised.id]


def test_settling_before_there_are_bytes_changes_nothing(world: World) -> None:
    file, link = world.promise()

    world.files.settle("acme", file.id)

    assert world.files.retrieve("acme", file.id) == file
    assert world.blobs.upload(link, b"abc")
    assert world.files.retrieve("acme", file.id).status == "processed"


@pytest.mark.parametrize("file_id", [a_file().id, "no-id"])
def test_bytes_that_nobody_promised_are_removed(world: World, file_id: str) -> None:
    world.blobs.put(f"direct/acme/{file_id}", b"abc")

    world.files.settle("acme", file_id)

    assert world.blobs.keys() == set()


# --- Racing calls on a promise --------------------------------------------------------------------


class Interleaved(MemoryRecords):
    """Records on which something else happens just before one of the calls, once.

    Attributes:
        before: the call's name, to what happens before it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}

    def _meanwhile(self, call: str) -> None:
        self.before.pop(call, lambda: None)()

    def pending(self, project: str, file_id: str) -> Pending | None:
        self._meanwhile("pending")
        return super().pending(project, file_id)

    def keep(self, project: str, file: File) -> bool:
        self._meanwhile("keep")
        return super().keep(project, file)

    def drop(self, project: str, file_id: str) -> bool:
        self._meanwhile("drop")
        return super().drop(project, file_id)


@pytest.mark.parametrize("call", ["pending", "keep"])
@pytest.mark.parametrize("first", ["retrieve", "content", "link", "settle"])
def test_a_promise_that_another_call_keeps_meanwhile_is_seen_as_the_file(
    call: str, first: str
) -> None:
    records = Interleaved()
    world = World(records=records)
    file, link = world.promise()
    world.blobs.upload(link, b"abc")
    records.before[call] = lambda: world.files.settle("acme", file.id)

    notice(world, first, file.id)

    assert records.before == {}
    assert world.downloads.content("acme", file.id) == (replace(file, status="processed"), b"abc")
    assert world.listed() == [file.id]


@pytest.mark.parametrize("call", ["pending", "keep"])
def test_a_file_that_another_call_deletes_meanwhile_is_gone(call: str) -> None:
    records = Interleaved()
    world = World(records=records)
    file, link = world.promise()
    world.blobs.upload(link, b"abc")
    records.before[call] = lambda: world.files.delete("acme", file.id)

    with pytest.raises(FileNotFound):
        world.files.retrieve("acme", file.id)

    assert records.before == {}
    assert (records.items(), world.blobs.keys()) == ([], set())


def test_a_delete_is_not_outrun_by_the_bytes() -> None:
    records = Interleaved()
    world = World(records=records)
    file, link = world.promise()

    def arrive() -> None:
        world.blobs.upload(link, b"abc")
        world.files.settle("acme", file.id)

    records.before["drop"] = arrive

    world.files.delete("acme", file.id)

    assert records.before == {}
    assert_gone(world, "acme", file.id)
    assert (records.items(), world.blobs.keys()) == ([], set())


def test_of_two_deletes_of_a_promise_one_wins() -> None:
    records = Interleaved()
    world = World(records=records)
    file, _ = world.promise()
    records.before["drop"] = lambda: world.files.delete("acme", file.id)

    with pytest.raises(FileNotFound):
        world.files.delete("acme", file.id)

    assert (records.before, records.items()) == ({}, [])


# --- Links ----------------------------------------------------------------------------------------


def test_small_content_comes_at_once_and_large_content_as_a_link(world: World) -> None:
    small = world.create(bytes(MAX_INLINE_BYTES))
    promised, link = world.promise(MAX_INLINE_BYTES + 1, filename="large.bin")
    world.blobs.upload(link, bytes(MAX_INLINE_BYTES + 1))

    assert world.downloads.content("acme", small.id) == (small, bytes(MAX_INLINE_BYTES))
    large = replace(promised, status="processed")
    assert world.downloads.content("acme", large.id) == (
        large,
        Link(f"memory:get/direct/acme/{large.id}?large.bin", NOW + LINK_SECONDS),
    )


@pytest.mark.parametrize("lifetime", [60, 3600])
def test_a_link_leads_to_the_files_bytes_for_the_time_that_was_asked(
    world: World, lifetime: int
) -> None:
    file = world.create(filename="é.txt")

    assert world.files.link("acme", file.id, lifetime) == Link(
        f"memory:get/files/acme/{file.id}?é.txt", NOW + lifetime
    )


@pytest.mark.parametrize("age", [0, 3000, 3001, 3540.5, 3599, 3599.999])
def test_a_link_is_never_good_past_the_files_expiry(world: World, age: float) -> None:
    file = world.create(lifetime=3600)
    world.records.add("acme", large := replace(file, bytes=MAX_INLINE_BYTES + 1))
    world.clock.now = NOW + age

    link = world.files.link("acme", file.id, 900)
    _, content_link = world.downloads.content("acme", large.id)

    assert link.expires_at == min(int(NOW + age) + 900, NOW + 3600)
    assert isinstance(content_link, Link)
    assert content_link.expires_at == min(int(NOW + age) + LINK_SECONDS, NOW + 3600)
