"""The purge: what a deleted or expired record leaves behind is deleted, and nothing else."""

import pytest

from files_api.service.blob_keys import PartBlob
from files_api.service.model import Usage
from files_api.service.purge import RemovedFile, RemovedPart, RemovedPendingFile, RemovedUpload
from tests.fakes.world import World, assert_gone
from tests.support.samples import NOW


def test_expiry_of_one_item_purges_the_other_and_the_bytes(world: World) -> None:
    other, file = world.create(), world.create(purpose="batch")
    world.records.expire(("acme", f"PURPOSE#batch#{file.id}"), NOW + 31 * 86_400)
    (removed,) = world.records.stream
    assert removed == RemovedFile("acme", file)

    for _ in range(3):
        assert world.purge.removed([removed]) == set()

    assert world.blobs.keys() == {other.blob_key("acme")}
    assert world.listed() == [other.id]
    assert world.records.usage("acme") == Usage(1, other.bytes)
    assert {sort_key for _, sort_key in world.records.items()} == {
        f"FILE#{other.id}",
        f"PURPOSE#assistants#{other.id}",
    }


@pytest.mark.parametrize("finalized", [False, True])
def test_bytes_stay_with_a_file_that_was_pending(world: World, finalized: bool) -> None:
    file = world.arrived(finalized=finalized)

    for _ in range(2):
        assert world.purge.removed([RemovedPendingFile("acme", file)]) == set()

    assert world.download(file.id)[1] == b"abc"


@pytest.mark.parametrize("finalized", [False, True])
def test_bytes_go_with_a_file_that_is_gone(world: World, finalized: bool) -> None:
    file = world.arrived(finalized=finalized)
    if finalized:
        world.records.delete("acme", file)
    else:
        world.records.delete_pending("acme", file.id)

    for _ in range(2):
        assert world.purge.removed([RemovedPendingFile("acme", file)]) == set()

    assert world.blobs.keys() == set()
    assert_gone(world, "acme", file.id)


# --- Uploads --------------------------------------------------------------------------------------


def test_bytes_of_a_removed_part_are_deleted(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")

    for _ in range(2):
        assert world.purge.removed([RemovedPart("acme", upload.id, ids[0])]) == set()

    assert world.blobs.keys() == {PartBlob("acme", upload.id, ids[1]).key}


def test_parts_of_a_removed_upload_are_deleted(world: World) -> None:
    upload, _ = world.filled(b"abc", b"def")
    other, _ = world.filled(b"ghi")
    world.upload_records.forget("acme", upload.id)

    for _ in range(2):
        assert world.purge.removed([RemovedUpload("acme", upload.id)]) == set()

    assert world.is_clean(upload)
    assert not world.is_clean(other)


def test_removed_records_name_the_blobs_they_leave(world: World) -> None:
    file, direct = world.create(), world.arrived(finalized=False)

    assert RemovedFile("acme", file).key == f"files/acme/{file.id}"
    assert RemovedPendingFile("acme", direct).key == f"direct/acme/{direct.id}"
    assert RemovedUpload("acme", "1").key == "parts/acme/1/"
    assert RemovedPart("acme", "1", "2").key == "parts/acme/1/2"
