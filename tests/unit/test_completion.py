"""Completing an upload: its parts become a file, once, in the order of their ids."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.service.errors import InvalidValue
from files_api.service.ids import new_id
from files_api.service.lifetimes import DAY, Lifetimes
from files_api.service.model import File, Upload
from files_api.service.ports import PageRequest
from files_api.service.segments import MAX_PARTS
from files_api.service.uploads import UPLOAD_SECONDS
from tests.fakes.world import World, invalid, md5, once, raising, refusal
from tests.support.samples import NOW

# --- Completing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [None, 3600])
def test_completed_upload_becomes_a_file(world: World, lifetime: int | None) -> None:
    upload, ids = world.filled(b"abc", b"defg", lifetime=lifetime)
    world.clock.now = NOW + 60.9

    completed, file = world.complete(upload, ids)

    assert file is not None
    assert uuid.UUID(file.id).version == 7
    assert file == File(
        id=file.id,
        bytes=7,
        created_at=NOW + 60,
        filename="notes.txt",
        purpose="assistants",
        status="processed",
        expires_at=None if lifetime is None else NOW + 60 + lifetime,
        mime_type="text/plain",
    )
    assert completed == replace(
        upload, status="completed", file_id=file.id, part_ids=tuple(ids), md5=None
    )
    assert completed.public(file)["file"] == file.public()
    assert world.content(file) == b"abcdefg"
    assert world.listing.page("acme", PageRequest(10)).files == [file.public_json()]
    assert world.records.get_pending("acme", file.id) is None
    assert world.is_clean(upload)
    assert world.queue.sent == []


def test_file_lives_as_long_as_the_bounds_said_when_its_upload_was_opened(world: World) -> None:
    world.lifetimes = Lifetimes(most=7 * DAY)
    upload = world.open(3)
    world.lifetimes = Lifetimes(default=DAY, most=2 * DAY)

    _, file = world.complete(upload, [world.add(upload, b"abc").id])

    assert file is not None
    assert file.expires_at == NOW + 7 * DAY


def test_batch_file_expires_after_thirty_days(world: World) -> None:
    upload = world.open(3, purpose="batch")

    _, file = world.complete(upload, [world.add(upload, b"abc").id])

    assert file is not None
    assert file.expires_at == NOW + 30 * DAY


@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8).flatmap(
        lambda contents: st.tuples(
            st.just(contents),
            st.permutations(range(len(contents))),
            st.lists(st.booleans(), min_size=len(contents), max_size=len(contents)),
            st.booleans(),
        )
    )
)
def test_order_of_the_ids_is_the_order_of_the_bytes(
    case: tuple[list[bytes], list[int], list[bool], bool],
) -> None:
    contents, order, presigned, check = case
    world = World()
    upload = world.open(sum(map(len, contents)))
    ids = []
    for content, is_presigned in zip(contents, presigned, strict=True):
        if is_presigned:
            part, url = world.presign(upload, len(content))
            assert world.blobs.send(url, content)
        else:
            part = world.add(upload, content)
        ids.append(part.id)
    wanted = b"".join(contents[n] for n in order)

    _, file = world.complete(
        upload, [ids[n] for n in order], md5(wanted).upper() if check else None
    )

    assert world.content(file) == wanted


def test_unnamed_parts_are_left_out(world: World) -> None:
    upload = world.open(3)
    ids = [world.add(upload, content).id for content in (b"z", b"xyz")]

    _, file = world.complete(upload, [ids[1]])

    assert world.content(file) == b"xyz"
    assert world.is_clean(upload)


def assert_rejected(
    world: World, upload: Upload, ids: list[str], param: str, reason: str, md5: str | None = None
) -> None:
    """The completion is refused, and the upload still open."""
    call = partial(world.complete, upload, ids, md5)
    assert refusal(call, InvalidValue) == invalid(param, reason)
    assert world.upload_records.get("acme", upload.id) == upload
    assert world.listed() == []
    assert world.blobs.sizes("files/") == {}


@pytest.mark.parametrize("pick", [[], [0, 0], [0, 1, 0], range(MAX_PARTS + 1)])
def test_empty_repeated_or_too_many_part_ids_are_rejected(
    world: World, pick: Sequence[int]
) -> None:
    upload, _ = world.filled(b"abc")

    ids = [f"{n}" for n in pick]
    assert_rejected(world, upload, ids, "part_ids", "must name 1 to 10000 parts, each once.")


def test_parts_of_other_uploads_are_rejected(world: World) -> None:
    upload, ids = world.filled(b"abc")
    _, others = world.filled(b"abc")

    for bad in (others[0], new_id(), "part_abc", ""):
        reason = f"{bad} is not a part of this upload."
        assert_rejected(world, upload, [ids[0], bad], "part_ids", reason)
    most = [f"{n}" for n in range(MAX_PARTS)]
    assert_rejected(world, upload, most, "part_ids", "0 is not a part of this upload.")


def test_presigned_part_without_content_is_rejected(world: World) -> None:
    upload = world.open(6)
    first = world.add(upload, b"abc")
    second, url = world.presign(upload, 3)

    reason = f"{second.id} has no content yet."
    assert_rejected(world, upload, [first.id, second.id], "part_ids", reason)

    assert world.blobs.send(url, b"def")
    assert world.content(world.complete(upload, [first.id, second.id])[1]) == b"abcdef"


@pytest.mark.parametrize("pick", [[0], [0, 1, 2]])
def test_parts_of_another_total_size_are_rejected(world: World, pick: list[int]) -> None:
    upload = world.open(7)
    contents = (b"abc", b"defg", b"h")
    ids = [world.add(upload, content).id for content in contents]
    total = sum(len(contents[n]) for n in pick)

    reason = f"the parts have {total} bytes in total, but the upload was created for 7 bytes."
    assert_rejected(world, upload, [ids[n] for n in pick], "part_ids", reason)


def test_md5_of_other_content_or_another_order_is_rejected(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")

    reason = "the MD5 does not match the parts in the given order."
    for order in (ids, ids[::-1]):
        assert_rejected(world, upload, order, "md5", reason, md5(b"defabd"))
    assert_rejected(world, upload, ids, "md5", reason, md5(b"defabc"))

    _, file = world.complete(upload, ids[::-1], md5(b"defabc"))
    assert world.content(file) == b"defabc"


# --- Completing again -----------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [0, UPLOAD_SECONDS])
def test_repeated_completion_returns_the_same_file(world: World, wait: int) -> None:
    upload, ids = world.filled(b"abc", b"def")
    first = world.complete(upload, ids)
    world.clock.now += wait

    assert world.complete(upload, ids) == first
    assert world.content(first[1]) == b"abcdef"
    assert len(world.listed()) == 1
    assert world.queue.sent == []


MD5 = hashlib.md5(b"abcdef", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ((1, MD5), (1, MD5.upper()), None),
        ((1, MD5), (1, None), None),
        ((1, None), (1, None), None),
        ((1, None), (-1, None), "the upload was completed with other parts."),
        ((1, MD5), (-1, MD5), "the upload was completed with other parts."),
        ((1, MD5), (1, "0" * 32), "the upload was completed without this MD5."),
        ((1, None), (1, MD5), "the upload was completed without this MD5."),
    ],
)
@pytest.mark.parametrize("racing", [False, True])
def test_completion_says_only_what_it_checked(
    world: World,
    first: tuple[int, str | None],
    second: tuple[int, str | None],
    reason: str | None,
    *,
    racing: bool,
) -> None:
    upload, ids = world.filled(b"abc", b"def")
    calls = [partial(world.complete, upload, ids[:: each[0]], each[1]) for each in (first, second)]
    won: list[object] = []
    if racing and second in ((1, None), (1, MD5), (1, MD5.upper())):  # else refused before the race
        once(world.upload_records, "close", before=lambda: won.append(calls[0]()))
    else:
        won.append(calls[0]())

    if reason is None:
        assert [calls[1]()] == won
    else:
        param = "md5" if "MD5" in reason else "part_ids"
        assert refusal(calls[1], InvalidValue) == invalid(param, reason)
    assert len(world.listed()) == 1


def test_repeated_completion_returns_no_deleted_or_expired_file(world: World) -> None:
    deleted, expiring = world.filled(b"abc"), world.filled(b"abc", lifetime=3600)
    completed, file = world.complete(*deleted)
    assert file is not None
    world.files.delete("acme", file.id)
    assert world.complete(*deleted) == (completed, None)

    completed, file = world.complete(*expiring)
    for seconds, found in [(3599, file), (1, None)]:
        world.clock.now += seconds
        assert world.complete(*expiring) == (completed, found)


# --- Races: another call closes the upload first --------------------------------------------------


def test_racing_completions_return_the_same_one_file(world: World) -> None:
    upload, ids = world.filled(b"abc", b"def")
    won: list[object] = []
    once(
        world.upload_records, "close", before=lambda: won.append(world.complete(upload, ids[::-1]))
    )

    lost = world.complete(upload, ids[::-1])

    assert [lost] == won
    assert world.content(lost[1]) == b"defabc"
    assert len(world.listed()) == 1
    assert len(world.blobs.sizes("files/")) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_racing_completions_start_one_assembly(world: World, moment: str) -> None:
    world.at_once_bytes = 5
    upload, ids = world.filled(b"abc", b"def")
    rival: list[object] = []
    race = {moment: lambda: rival.append(world.complete(upload, ids))}
    once(world.upload_records, "close", **race)

    assert [world.complete(upload, ids)] == rival

    assert world.queue.sent == [("acme", upload.id)]


def test_assembly_that_could_not_start_starts_with_the_next_call(world: World) -> None:
    world.at_once_bytes = 5
    upload, ids = world.filled(b"abc", b"def")
    once(world.queue, "send", before=raising(ConnectionError))
    with pytest.raises(ConnectionError):
        world.complete(upload, ids)

    world.complete(upload, ids)

    assert world.queue.sent == [("acme", upload.id)]


def test_assembly_that_a_crash_has_lost_starts_a_minute_later(world: World) -> None:
    world.at_once_bytes = 5
    upload, ids = world.filled(b"abc", b"def")
    for call in ("send", "update_pending"):
        port = world.queue if call == "send" else world.records
        once(port, call, before=raising(ConnectionError))
    with pytest.raises(ConnectionError):
        world.complete(upload, ids)

    for wait, sent in [(0, 0), (59, 0), (1, 1)]:
        world.clock.now += wait
        world.complete(upload, ids)
        assert len(world.queue.sent) == sent


@pytest.mark.parametrize(
    ("call", "rival", "status"),
    [
        ("complete", "cancel", "cancelled"),
        ("cancel", "complete", "completed"),
        ("cancel", "cancel", "cancelled"),
    ],
)
def test_overtaken_call_is_rejected(world: World, call: str, rival: str, status: str) -> None:
    upload, ids = world.filled(b"abc")
    calls: dict[str, Callable[[], object]] = {
        "complete": lambda: world.complete(upload, ids),
        "cancel": lambda: world.cancellation.cancel("acme", upload.id),
    }
    once(world.upload_records, "close", before=calls[rival])

    assert refusal(calls[call], InvalidValue) == invalid("upload_id", f"the upload is {status}.")
    assert len(world.listed()) == (1 if status == "completed" else 0)
    assert world.is_clean(upload)
