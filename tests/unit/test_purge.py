"""What is removed, and what never is, whatever keeps the files."""

from collections.abc import Callable

import pytest

from files_api.model import File
from tests.unit.samples import NOW
from tests.unit.world import World, assert_gone


@pytest.fixture
def world() -> World:
    return World()


def uploaded(world: World, *, settled: bool) -> File:
    """A promised file whose bytes are there; `settled` if a call has noticed them."""
    file, link = world.promise()
    assert world.blobs.upload(link, b"abc")
    if settled:
        world.files.settle("acme", file.id)
    return file


@pytest.mark.parametrize("part", ["F#{}", "P#batch#{}"])
def test_when_one_part_of_an_expired_record_goes_the_rest_and_the_bytes_go(
    world: World, part: str
) -> None:
    kept, file = world.create(), world.create(purpose="batch")
    world.records.sweep(("acme", part.format(file.id)), NOW + 31 * 86_400)
    (gone,) = world.records.stream

    for _ in range(3):
        world.purge.file_removed(gone.project, gone.file)

    assert world.blobs.keys() == {kept.key("acme")}
    assert world.listed() == [kept.id]
    assert {sort_key for _, sort_key in world.records.items()} == {
        f"F#{kept.id}",
        f"P#assistants#{kept.id}",
    }


@pytest.mark.parametrize("settled", [False, True])
def test_a_promise_that_was_kept_leaves_the_bytes_to_the_file(world: World, settled: bool) -> None:
    file = uploaded(world, settled=settled)

    for _ in range(2):
        world.purge.promise_removed("acme", file)

    assert world.downloads.content("acme", file.id)[1] == b"abc"


def test_when_a_promise_is_off_its_bytes_go(world: World) -> None:
    file = uploaded(world, settled=False)
    world.records.drop("acme", file.id)

    for _ in range(2):
        world.purge.promise_removed("acme", file)

    assert world.blobs.keys() == set()
    assert_gone(world, "acme", file.id)


def test_when_a_kept_promise_is_told_of_after_the_file_was_deleted_nothing_comes_back(
    world: World,
) -> None:
    file = uploaded(world, settled=True)
    world.records.remove("acme", file)

    world.purge.promise_removed("acme", file)

    assert world.blobs.keys() == set()


@pytest.mark.parametrize("direct", [False, True])
def test_bytes_without_a_record_are_removed(world: World, direct: bool) -> None:
    file, _ = world.promise()
    world.records.drop("acme", file.id)
    key = file.key("acme") if direct else f"files/acme/{file.id}"
    world.blobs.put(key, b"abc")

    for _ in range(2):
        world.purge.blob_created(key)

    assert world.blobs.keys() == set()


def owned_by_a_file(world: World) -> File:
    return world.create()


def owned_by_a_direct_file(world: World) -> File:
    return uploaded(world, settled=True)


def owned_by_a_promise(world: World) -> File:
    return uploaded(world, settled=False)


@pytest.mark.parametrize("make", [owned_by_a_file, owned_by_a_direct_file, owned_by_a_promise])
def test_bytes_that_a_record_or_a_promise_owns_stay(
    world: World, make: Callable[[World], File]
) -> None:
    file = make(world)

    for _ in range(2):
        world.purge.blob_created(file.key("acme"))

    assert world.downloads.content("acme", file.id)[1] == b"abc"


def test_bytes_under_one_prefix_are_not_owned_by_a_record_of_the_other(world: World) -> None:
    promised, _ = world.promise()
    stray = f"files/acme/{promised.id}"
    world.blobs.put(stray, b"abc")

    world.purge.blob_created(stray)

    assert world.blobs.keys() == set()


def test_bytes_of_another_project_are_not_owned_by_this_ones_record(world: World) -> None:
    file = world.create()
    world.blobs.put(file.key("globex"), b"abc")

    world.purge.blob_created(file.key("globex"))
    world.purge.blob_created(file.key("acme"))

    assert world.blobs.keys() == {file.key("acme")}
