"""The blob check: which blobs it deletes, which work it resumes, and what it leaves alone."""

from collections.abc import Callable
from functools import partial

import pytest

from files_api.service.blob_keys import PartBlob, parse_blob_key
from files_api.service.ids import new_id
from files_api.service.model import File, Upload
from files_api.service.uploads import UPLOAD_SECONDS
from tests.fakes.world import World, once, raising


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


@pytest.mark.parametrize(
    "make",
    [World.create, partial(World.arrived, finalized=True), partial(World.arrived, finalized=False)],
    ids=["file", "direct file", "pending file"],
)
def test_blob_of_a_file_or_a_pending_file_stays(
    world: World, make: Callable[[World], File]
) -> None:
    file = make(world)

    for _ in range(2):
        check(world, file.blob_key("acme"))

    assert world.download(file.id)[1] == b"abc"
    assert world.listed() == [file.id]  # finalized, even if the storage event was lost


def test_blob_is_owned_neither_by_another_prefix_nor_another_project(world: World) -> None:
    file, (pending, _) = world.create(), world.create_pending()
    strays = [f"files/acme/{pending.id}", file.blob_key("globex")]
    for stray in strays:
        world.blobs.put(stray, b"abc")

    for key in (*strays, file.blob_key("acme")):
        check(world, key)

    assert world.blobs.keys() == {file.blob_key("acme")}


# --- Parts ----------------------------------------------------------------------------------------


def check_parts(world: World, upload: Upload, ids: list[str]) -> None:
    """Checks the blobs of parts, twice, in two orders."""
    for part_id in [*ids, *reversed(ids)]:
        check(world, PartBlob("acme", upload.id, part_id).key)


def crashed(world: World, upload: Upload, ids: list[str], port: object, call: str) -> File:
    """Completes an upload by a function that ends before it makes a call on a port."""
    once(port, call, before=raising(KeyboardInterrupt))
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
    order = [ids[2], *ids[:2]]
    file = crashed(world, upload, order, world.assembler, "assemble")
    assert file.status == "uploaded"

    for part_id in ids:
        check(world, PartBlob("acme", upload.id, part_id).key)
    assert world.queue.sent == [("acme", upload.id)]
    world.assembly.run("acme", upload.id)

    assert world.content(world.complete(upload, order)[1]) == b"ghiabcdef"
    assert world.is_clean(upload)


def test_parts_left_by_a_crashed_completion_are_deleted(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    file = crashed(world, upload, ids, world.upload_records, "delete_parts")
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
