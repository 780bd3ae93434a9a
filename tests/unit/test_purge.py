"""What is removed, and what never is, whatever keeps the files."""

import pytest

from files_api.files import Files
from files_api.ids import new_file_id
from files_api.model import part_key
from tests.unit.memory_uploads import UploadWorld
from tests.unit.samples import NOW
from tests.unit.world import World, assert_gone


@pytest.fixture
def world() -> World:
    return World()


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
    file = world.uploaded(settled=settled)

    for _ in range(2):
        world.purge.promise_removed("acme", file)

    assert world.downloads.content("acme", file.id)[1] == b"abc"


def test_when_a_promise_is_off_its_bytes_go(world: World) -> None:
    file = world.uploaded(settled=False)
    world.records.drop("acme", file.id)

    for _ in range(2):
        world.purge.promise_removed("acme", file)

    assert world.blobs.keys() == set()
    assert_gone(world, "acme", file.id)


def test_when_a_kept_promise_is_told_of_after_the_file_was_deleted_nothing_comes_back(
    world: World,
) -> None:
    file = world.uploaded(settled=True)
    world.records.remove("acme", file)

    world.purge.promise_removed("acme", file)

    assert world.blobs.keys() == set()


# --- Uploads --------------------------------------------------------------------------------------


@pytest.fixture
def uploading() -> UploadWorld:
    return UploadWorld()


def test_when_a_part_goes_its_bytes_go(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc", b"def")

    for _ in range(2):
        uploading.purge.part_removed("acme", upload.id, ids[0])

    assert uploading.blobs.keys() == {part_key("acme", upload.id, ids[1])}


def test_when_an_upload_goes_its_parts_go(uploading: UploadWorld) -> None:
    upload, _ = uploading.filled(b"abc", b"def")
    other, _ = uploading.filled(b"ghi")
    uploading.upload_records.forget("acme", upload.id)

    for _ in range(2):
        uploading.purge.upload_removed("acme", upload.id)

    assert uploading.is_clean(upload)
    assert not uploading.is_clean(other)


def test_the_file_of_an_upload_that_was_given_up_says_so(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(*(b"x" for _ in range(257)))
    _, file = uploading.complete(upload, ids)
    assert file is not None

    for _ in range(2):
        uploading.purge.assembly_failed("acme", upload.id)

    files = Files(uploading.records, uploading.blobs, uploading.clock)
    failed = files.retrieve("acme", file.id)
    assert (failed.status, failed.status_details) == ("error", "It could not be put together.")
    assert uploading.is_clean(upload)
    assert uploading.listed() == []
    # and it is deleted like any other
    files.delete("acme", file.id)
    assert uploading.records.items() == []


def test_an_upload_that_became_a_file_after_all_is_one(uploading: UploadWorld) -> None:
    upload, ids = uploading.filled(b"abc")
    _, file = uploading.complete(upload, ids)

    uploading.purge.assembly_failed("acme", upload.id)
    uploading.purge.assembly_failed("acme", new_file_id())

    assert uploading.content(file) == b"abc"
