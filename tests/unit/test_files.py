"""What the calls on one file promise, whatever keeps it."""

import threading

import pytest

from files_api.errors import FileNotFound, FileNotReady
from files_api.files import MAX_INLINE_BYTES
from files_api.model import File, Link
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
