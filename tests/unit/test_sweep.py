"""What a late look at every object finds undone, and does; and what it leaves alone."""

from collections.abc import Callable

import pytest

from files_api.ids import new_file_id
from files_api.model import File, Upload, part_key
from files_api.uploads import UPLOAD_SECONDS
from tests.unit.memory_uploads import UploadWorld
from tests.unit.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("direct", [False, True])
def test_bytes_without_a_record_are_removed(world: World, direct: bool) -> None:
    file, _ = world.promise()
    world.records.drop("acme", file.id)
    key = file.key("acme") if direct else f"files/acme/{file.id}"
    world.blobs.put(key, b"abc")

    for _ in range(2):
        world.sweep.blob_created(key)

    assert world.blobs.keys() == set()


def owned_by_a_file(world: World) -> File:
    return world.create()


def owned_by_a_direct_file(world: World) -> File:
    return world.uploaded(settled=True)


def owned_by_a_promise(world: World) -> File:
    return world.uploaded(settled=False)


@pytest.mark.parametrize("make", [owned_by_a_file, owned_by_a_direct_file, owned_by_a_promise])
def test_bytes_that_a_record_or_a_promise_owns_stay(
    world: World, make: Callable[[World], File]
) -> None:
    file = make(world)

    for _ in range(2):
        world.sweep.blob_created(file.key("acme"))

    assert world.downloads.content("acme", file.id)[1] == b"abc"


def test_bytes_under_one_prefix_are_not_owned_by_a_record_of_the_other(world: World) -> None:
    promised, _ = world.promise()
    stray = f"files/acme/{promised.id}"
    world.blobs.put(stray, b"abc")

    world.sweep.blob_created(stray)

    assert world.blobs.keys() == set()


def test_bytes_of_another_project_are_not_owned_by_this_ones_record(world: World) -> None:
    file = world.create()
    world.blobs.put(file.key("globex"), b"abc")

    world.sweep.blob_created(file.key("globex"))
    world.sweep.blob_created(file.key("acme"))

    assert world.blobs.keys() == {file.key("acme")}


def test_bytes_that_no_event_told_of_become_their_file(world: World) -> None:
    file = world.uploaded(settled=False)
    assert world.listed() == []

    for _ in range(2):
        world.sweep.blob_created(file.key("acme"))

    assert world.listed() == [file.id]


@pytest.mark.parametrize("key", ["", "elsewhere/acme/1", "files/acme", "files/a/b/c", "parts/a/b"])
def test_a_key_that_is_none_of_ours_is_an_error_and_nothing_is_removed(
    world: World, key: str
) -> None:
    world.blobs.put(key, b"abc")

    with pytest.raises(ValueError, match=r"no key of|not enough values"):
        world.sweep.blob_created(key)

    assert world.blobs.keys() == {key}


# --- Parts ----------------------------------------------------------------------------------------


@pytest.fixture
def uploading() -> UploadWorld:
    return UploadWorld()


def sweep(world: UploadWorld, upload: Upload, ids: list[str]) -> None:
    """Looks at the bytes of parts, twice, in two orders."""
    for part_id in [*ids, *reversed(ids)]:
        world.sweep.blob_created(part_key("acme", upload.id, part_id))


def died(world: UploadWorld, upload: Upload, ids: list[str], before: str) -> File:
    """Completes an upload by a function that is ended before it does one thing."""

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    usual = {"assemble": world.blobs, "remove_parts": world.upload_records}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usual[before], before, crash)
        with pytest.raises(KeyboardInterrupt):
            world.complete(upload, ids)
    file = world.complete(upload, ids)[1]
    world.later.asked.clear()
    assert file is not None
    return file


def test_the_part_of_an_open_upload_stays(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc", b"def")
    for _ in range(2):
        sweep(uploading, upload, ids)
        uploading.clock.now += UPLOAD_SECONDS  # expired: its item goes, and the parts with it

    assert len(uploading.upload_records.parts("acme", upload.id)) == 2
    assert len(uploading.blobs.keys()) == 2


def test_bytes_of_no_part_are_removed(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc")
    stray = new_file_id()
    uploading.blobs.put(part_key("acme", upload.id, stray), b"xyz")

    sweep(uploading, upload, [stray, *ids])

    assert uploading.blobs.keys() == {part_key("acme", upload.id, ids[0])}


def test_an_assembly_that_died_is_started_again_once(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc", b"def", b"ghi")
    file = died(uploading, upload, [ids[2], ids[0], ids[1]], before="assemble")
    assert file.status == "uploaded"

    for part_id in ids:
        uploading.sweep.blob_created(part_key("acme", upload.id, part_id))
    assert uploading.later.asked == [("acme", upload.id)]
    uploading.assembly.run("acme", upload.id)

    assert uploading.content(uploading.complete(upload, ids)[1]) == b"ghiabcdef"
    assert uploading.is_clean(upload)


def test_parts_that_outlived_their_file_s_making_are_removed(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc", b"def")
    file = died(uploading, upload, ids, before="remove_parts")
    assert not uploading.is_clean(upload)

    sweep(uploading, upload, ids[:1])

    assert uploading.is_clean(upload)
    assert uploading.content(file) == b"abcdef"
    assert uploading.later.asked == []


def test_parts_that_outlived_their_upload_are_removed(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc", b"def")
    uploading.upload_records.forget("acme", upload.id)

    sweep(uploading, upload, ids[:1])

    assert uploading.is_clean(upload)
