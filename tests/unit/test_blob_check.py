"""The blob check: which blobs it deletes, which work it resumes, and what it leaves alone."""

from collections.abc import Callable

import pytest

from files_api.service.blob_keys import PartBlob, parse_blob_key
from files_api.service.ids import new_id
from files_api.service.model import File, Upload
from files_api.service.uploads import UPLOAD_SECONDS
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def check(world: World, key: str) -> None:
    """Checks the blob that was created under a key."""
    world.blob_check.check(parse_blob_key(key))


@pytest.mark.parametrize("direct", [False, True])
def test_blob_without_a_record_is_deleted(world: World, direct: bool) -> None:
    file, _ = world.create_pending()
    world.records.delete_pending("acme", file.id)
    key = file.blob_key("acme") if direct else f"files/acme/{file.id}"
    world.blobs.put(key, b"abc")

    for _ in range(2):
        check(world, key)

    assert world.blobs.keys() == set()


def owned_by_a_file(world: World) -> File:
    return world.create()


def owned_by_a_direct_file(world: World) -> File:
    return world.arrived(finalized=True)


def owned_by_a_pending_file(world: World) -> File:
    return world.arrived(finalized=False)


@pytest.mark.parametrize("make", [owned_by_a_file, owned_by_a_direct_file, owned_by_a_pending_file])
def test_blob_of_a_file_or_a_pending_file_stays(
    world: World, make: Callable[[World], File]
) -> None:
    file = make(world)

    for _ in range(2):
        check(world, file.blob_key("acme"))

    assert world.downloads.content("acme", file.id)[1] == b"abc"


def test_blob_is_not_owned_by_a_file_with_another_key_prefix(world: World) -> None:
    pending, _ = world.create_pending()
    stray = f"files/acme/{pending.id}"
    world.blobs.put(stray, b"abc")

    check(world, stray)

    assert world.blobs.keys() == set()


def test_blob_is_not_owned_by_a_file_of_another_project(world: World) -> None:
    file = world.create()
    world.blobs.put(file.blob_key("globex"), b"abc")

    check(world, file.blob_key("globex"))
    check(world, file.blob_key("acme"))

    assert world.blobs.keys() == {file.blob_key("acme")}


def test_file_whose_storage_event_was_lost_is_finalized(world: World) -> None:
    file = world.arrived(finalized=False)
    assert world.listed() == []

    for _ in range(2):
        check(world, file.blob_key("acme"))

    assert world.listed() == [file.id]


@pytest.mark.parametrize("key", ["", "elsewhere/acme/1", "files/acme", "files/a/b/c", "parts/a/b"])
def test_unknown_key_is_an_error_and_nothing_is_deleted(world: World, key: str) -> None:
    world.blobs.put(key, b"abc")

    with pytest.raises(ValueError, match=r"not the key of|not enough values"):
        check(world, key)

    assert world.blobs.keys() == {key}


# --- Parts ----------------------------------------------------------------------------------------


def check_parts(world: World, upload: Upload, ids: list[str]) -> None:
    """Checks the blobs of parts, twice, in two orders."""
    for part_id in [*ids, *reversed(ids)]:
        check(world, PartBlob("acme", upload.id, part_id).key)


def crashed(world: World, upload: Upload, ids: list[str], before: str) -> File:
    """Completes an upload by a function that ends before it does one thing."""

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    ports: dict[str, object] = {"assemble": world.assembler, "delete_parts": world.upload_records}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ports[before], before, crash)
        with pytest.raises(KeyboardInterrupt):
            world.complete(upload, ids)
    file = world.complete(upload, ids)[1]
    world.queue.sent.clear()
    assert file is not None
    return file


def test_parts_of_an_open_upload_stay(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    for _ in range(2):
        check_parts(world, upload, ids)
        world.clock.now += UPLOAD_SECONDS  # expired: it will be purged, and its parts with it

    assert len(world.upload_records.parts("acme", upload.id)) == 2
    assert len(world.blobs.keys()) == 2


def test_blob_of_no_part_is_deleted(world: World) -> None:
    upload, ids = world.filled(b"abc")
    stray = new_id()
    world.blobs.put(PartBlob("acme", upload.id, stray).key, b"xyz")

    check_parts(world, upload, [stray, *ids])

    assert world.blobs.keys() == {PartBlob("acme", upload.id, ids[0]).key}


def test_crashed_assembly_is_started_again_once(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def", b"ghi")
    file = crashed(world, upload, [ids[2], ids[0], ids[1]], before="assemble")
    assert file.status == "uploaded"

    for part_id in ids:
        check(world, PartBlob("acme", upload.id, part_id).key)
    assert world.queue.sent == [("acme", upload.id)]
    world.assembly.run("acme", upload.id)

    assert world.content(world.complete(upload, ids)[1]) == b"ghiabcdef"
    assert world.is_clean(upload)


def test_parts_left_by_a_crashed_completion_are_deleted(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    file = crashed(world, upload, ids, before="delete_parts")
    assert not world.is_clean(upload)

    check_parts(world, upload, ids[:1])

    assert world.is_clean(upload)
    assert world.content(file) == b"abcdef"
    assert world.queue.sent == []


def test_parts_without_an_upload_are_deleted(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    world.upload_records.forget("acme", upload.id)

    check_parts(world, upload, ids[:1])

    assert world.is_clean(upload)
