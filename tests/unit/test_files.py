"""Calls on one file: retrieve, presign, download, delete, finalize."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from files_api.service.errors import FileNotFound, FileNotReady
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.ids import new_id
from files_api.service.model import File, PresignedUrl
from tests.fakes.world import URL_SECONDS, World, assert_gone, once, raising, refusal
from tests.support.samples import NOW

# --- Finding --------------------------------------------------------------------------------------

UNKNOWN_ID = "019e8235-1f20-7b33-9a72-c3d8e4f10b06"


@pytest.mark.parametrize(
    "file_id",
    [
        UNKNOWN_ID,
        "",
        "file-abc123",
        "../other",
        "PURPOSE#batch#",
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_unknown_or_malformed_id_is_not_found(world: World, file_id: str) -> None:
    assert_gone(world, "acme", file_id)
    assert_gone(world, "acme", world.create().id.upper())


def test_foreign_file_is_neither_found_nor_touched(world: World) -> None:
    file = world.create()

    assert_gone(world, "globex", file.id)

    assert world.listed("globex") == []
    assert world.download(file.id) == (file, b"abc")
    assert world.listed() == [file.id]


def test_file_is_gone_from_the_second_it_expires(world: World) -> None:
    file = world.create(lifetime=3600)

    world.clock.now = NOW + 3599.999
    assert world.files.retrieve("acme", file.id) == file
    assert world.download(file.id) == (file, b"abc")
    assert world.listed() == [file.id]
    world.clock.now = NOW + 3600
    assert_gone(world, "acme", file.id)
    assert world.listed() == []
    assert world.listed(purpose="assistants") == []


def test_file_whose_bytes_were_just_deleted_is_not_found(world: World) -> None:
    file = world.create()
    world.blobs.delete(file.blob_key("acme"))

    with pytest.raises(FileNotFound):
        world.download(file.id)


# --- Deleting -------------------------------------------------------------------------------------


def test_deleted_file_is_gone_with_its_bytes(world: World) -> None:
    other, file = world.create(), world.create()

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.listed() == [other.id]
    assert world.listed(purpose="assistants") == [other.id]
    assert world.blobs.get(file.blob_key("acme")) is None
    assert world.download(other.id) == (other, b"abc")


def test_overtaken_delete_finds_no_file(world: World) -> None:
    file = world.create()
    once(world.records, "delete", before=lambda: world.records.delete("acme", file))

    with pytest.raises(FileNotFound):
        world.files.delete("acme", file.id)


def test_exactly_one_of_racing_deletes_succeeds(world: World) -> None:
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


@pytest.mark.parametrize("make", [World.create, lambda world: world.create_pending()[0]])
def test_delete_succeeds_though_the_store_fails(
    make: Callable[[World], File], world: World, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    file = make(world)
    once(world.blobs, "delete", before=raising(ConnectionError))

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.listed() == []
    (line,) = logged()
    assert line["blob_key"] == file.blob_key("acme")
    assert file.filename not in json.dumps(line)


# --- Pending files --------------------------------------------------------------------------------


def test_pending_file_is_unlisted_and_has_no_content(world: World) -> None:
    file, _ = world.create_pending()

    assert world.files.retrieve("acme", file.id) == file
    assert file.status == "pending"
    assert world.listed() == world.listed(purpose="assistants") == []
    calls: list[Callable[[str, str], object]] = [world.downloads.content, world.url]
    for call in calls:
        assert refusal(partial(call, "acme", file.id), FileNotReady) == (
            400,
            {
                "message": f"The File object {file.id} has no content yet.",
                "type": "invalid_request_error",
                "param": "id",
                "code": "file_not_ready",
            },
        )
    assert_gone(world, "globex", file.id)


@pytest.mark.parametrize("first", ["retrieve", "content", "url", "finalize"])
def test_first_call_to_see_the_bytes_finalizes_a_pending_file(world: World, first: str) -> None:
    pending, url = world.create_pending(filename="é.txt", lifetime=3600)
    file = replace(pending, status="processed")

    assert world.blobs.send(url, b"abc")
    notice(world, first, file.id)

    assert world.listed() == world.listed(purpose="assistants") == [file.id]
    assert world.files.retrieve("acme", file.id) == file
    assert world.download(file.id) == (file, b"abc")
    assert world.records.get_pending("acme", file.id) is None


def notice(world: World, call: str, file_id: str) -> None:
    """Makes the call, which sees the bytes of a pending file."""
    match call:
        case "retrieve":
            assert world.files.retrieve("acme", file_id).status == "processed"
        case "content":
            assert world.download(file_id)[1] == b"abc"
        case "url":
            assert world.url("acme", file_id, 900).expires_at == NOW + 900
        case "finalize":
            world.files.finalize("acme", file_id)


def test_bytes_of_another_size_do_not_finalize_a_file(world: World) -> None:
    file, _ = world.create_pending(3)
    for content in (b"ab", b"abcd", b""):
        world.blobs.put(file.blob_key("acme"), content)

        world.files.finalize("acme", file.id)

        assert world.files.retrieve("acme", file.id) == file
        assert world.listed() == []


@pytest.mark.parametrize(("lifetime", "seconds"), [(None, 900 + 3 * 3600), (3600, 3600)])
def test_expired_pending_file_is_gone_and_its_late_bytes_deleted(
    world: World, lifetime: int | None, seconds: int
) -> None:
    file, url = world.create_pending(lifetime=lifetime)
    world.blobs.send(url, b"abc")

    world.clock.now = NOW + seconds
    assert_gone(world, "acme", file.id)
    world.files.finalize("acme", file.id)

    assert world.blobs.get(file.blob_key("acme")) is None
    assert world.listed() == []


def test_pending_file_can_be_read_until_it_expires(world: World) -> None:
    file, _ = world.create_pending()

    world.clock.now = NOW + 900 + 3 * 3600 - 0.001

    assert world.files.retrieve("acme", file.id) == file


@pytest.mark.parametrize("content", [b"", b"abc"])
def test_pending_file_can_be_deleted_with_and_without_bytes(world: World, content: bytes) -> None:
    file, url = world.create_pending()
    assert world.blobs.send(url, content) == bool(content)

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert (world.records.items(), world.blobs.keys()) == ([], set())


def test_bytes_for_a_deleted_file_are_deleted(world: World) -> None:
    file, url = world.create_pending()
    world.files.delete("acme", file.id)

    assert world.blobs.send(url, b"abc")
    world.files.finalize("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.blobs.keys() == set()
    assert world.records.items() == []


def test_finalizing_again_and_late_changes_nothing(world: World) -> None:
    file = replace(world.arrived(finalized=True), status="processed")

    for days in (0, 0, 10):
        world.clock.now += days * 86_400
        world.files.finalize("acme", file.id)

        assert world.download(file.id) == (file, b"abc")
        assert world.listed() == [file.id]


def test_finalizing_before_the_bytes_arrive_changes_nothing(world: World) -> None:
    file, url = world.create_pending()

    world.files.finalize("acme", file.id)

    assert world.files.retrieve("acme", file.id) == file
    assert world.blobs.send(url, b"abc")
    assert world.files.retrieve("acme", file.id).status == "processed"


@pytest.mark.parametrize("file_id", [UNKNOWN_ID, "no-id"])
def test_finalizing_without_a_record_deletes_the_bytes(world: World, file_id: str) -> None:
    world.blobs.put(f"direct/acme/{file_id}", b"abc")

    world.files.finalize("acme", file_id)

    assert world.blobs.keys() == set()


# --- Racing calls on a pending file ---------------------------------------------------------------


@pytest.mark.parametrize("call", ["get_pending", "finalize"])
@pytest.mark.parametrize("first", ["retrieve", "content", "url", "finalize"])
def test_file_finalized_by_a_racing_call_is_found(world: World, call: str, first: str) -> None:
    pending = world.arrived(finalized=False)
    raced: list[object] = []
    finalize = partial(world.files.finalize, "acme", pending.id)
    once(world.records, call, before=lambda: raced.append(finalize()))

    notice(world, first, pending.id)
    assert len(raced) == 1

    file = replace(pending, status="processed")
    assert world.download(file.id) == (file, b"abc")
    assert world.listed() == [file.id]


@pytest.mark.parametrize(
    ("call", "overtaken"),
    [("get_pending", "retrieve"), ("finalize", "retrieve"), ("delete_pending", "delete")],
)
def test_file_deleted_by_a_racing_call_is_gone(world: World, call: str, overtaken: str) -> None:
    file, url = world.create_pending()
    if overtaken == "retrieve":
        assert world.blobs.send(url, b"abc")
    once(world.records, call, before=lambda: world.files.delete("acme", file.id))

    with pytest.raises(FileNotFound):
        getattr(world.files, overtaken)("acme", file.id)

    assert (world.records.items(), world.blobs.keys()) == ([], set())


def test_delete_wins_over_bytes_that_arrive_meanwhile(world: World) -> None:
    file, url = world.create_pending()

    def arrive() -> None:
        assert world.blobs.send(url, b"abc")
        world.files.finalize("acme", file.id)

    once(world.records, "delete_pending", before=arrive)

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert (world.records.items(), world.blobs.keys()) == ([], set())


# --- Presigned URLs -------------------------------------------------------------------------------


def test_large_content_is_returned_as_a_presigned_url(world: World) -> None:
    small = world.create(bytes(MAX_INLINE_BYTES))
    pending, url = world.create_pending(MAX_INLINE_BYTES + 1, filename="large.bin")
    world.blobs.send(url, bytes(MAX_INLINE_BYTES + 1))

    assert world.download(small.id) == (small, bytes(MAX_INLINE_BYTES))
    large = replace(pending, status="processed")
    assert world.download(large.id) == (
        large,
        PresignedUrl(f"memory:get/direct/acme/{large.id}?large.bin", NOW + URL_SECONDS),
    )


@pytest.mark.parametrize("lifetime", [60, 3600])
def test_presigned_url_is_valid_for_the_requested_time(world: World, lifetime: int) -> None:
    file = world.create(filename="é.txt")

    assert world.url("acme", file.id, lifetime) == PresignedUrl(
        f"memory:get/files/acme/{file.id}?é.txt", NOW + lifetime
    )


@pytest.mark.parametrize("age", [0, 3000, 3001, 3540.5, 3599, 3599.999])
def test_presigned_url_is_not_valid_beyond_the_files_expiry(world: World, age: float) -> None:
    file = world.create(lifetime=3600)
    large = replace(file, id=new_id(), bytes=MAX_INLINE_BYTES + 1)
    world.records.add("acme", large)
    world.clock.now = NOW + age

    url = world.url("acme", file.id, 900)
    _, content_url = world.download(large.id)

    assert url.expires_at == min(int(NOW + age) + 900, NOW + 3600)
    assert isinstance(content_url, PresignedUrl)
    assert content_url.expires_at == min(int(NOW + age) + URL_SECONDS, NOW + 3600)
