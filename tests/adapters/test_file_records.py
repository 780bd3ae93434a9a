"""What every `FileRecords` must do, in memory as on DynamoDB."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from files_api.service.blob_keys import FileBlob
from files_api.service.errors import IdempotencyKeyReused
from files_api.service.ids import new_id
from files_api.service.model import File, PendingFile, Usage
from files_api.service.ports import FileRecords, PageRequest
from files_api.service.terms import REPEATABLE_SECONDS, IdempotencyKey
from tests.support.samples import NOW, a_file


def page(
    files: FileRecords,
    *,
    project: str = "acme",
    purpose: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
    after: str | None = None,
    now: int = NOW,
) -> list[str]:
    """The ids of a page."""
    made = files.page(project, PageRequest(limit, purpose, newest_first, after), now)
    return [json.loads(file)["id"] for file in made]


def add_all(files: FileRecords, made: list[File]) -> list[str]:
    """Adds the files; returns their ids, the newest first."""
    for file in made:
        files.add("acme", file)
    return sorted((file.id for file in made), reverse=True)


@pytest.mark.parametrize("expires_at", [None, NOW + 60])
@pytest.mark.parametrize("direct", [False, True])
def test_a_record_is_read_as_it_was_written(
    files: FileRecords, expires_at: int | None, direct: bool
) -> None:
    file = a_file(filename='Fête "日本" 🎉.txt', expires_at=expires_at, direct=direct)

    files.add("acme", file)

    assert_listed(files, file)
    assert files.get("acme", a_file().id) is None


def assert_listed(files: FileRecords, file: File) -> None:
    """The file is there, and the only one of both lists."""
    assert files.get("acme", file.id) == file
    for request in (PageRequest(10), PageRequest(10, "assistants")):
        assert files.page("acme", request, NOW) == [file.public_json()]


def test_a_file_is_counted_from_its_record_on_until_it_is_deleted(files: FileRecords) -> None:
    made = [replace(a_file(age=age), bytes=10**age) for age in range(4)]
    assert files.usage("acme") == Usage(0, 0)
    add_all(files, made)
    files.add("acme", made[0])  # it is there already
    pending = a_pending_file()
    files.add_pending("acme", pending)
    assert files.usage("acme") == Usage(4, 1111)

    files.finalize("acme", replace(pending.file, status="processed"))
    assert files.usage("acme") == Usage(5, 1111 + pending.file.bytes)

    for _ in range(2):
        files.delete("acme", pending.file)
        files.delete("acme", made[3])
        files.delete_leftovers({("acme", made[2]), ("globex", made[1])})
    assert files.usage("acme") == Usage(2, 11)
    assert files.usage("globex") == Usage(0, 0)


def test_a_project_sees_only_its_own_records(files: FileRecords) -> None:
    file = a_file()
    files.add("acme", file)

    for other in ("acme2", "acm", "Acme", "globex"):
        assert files.get(other, file.id) is None
        assert page(files, project=other) == []
        assert page(files, project=other, purpose="assistants") == []
        assert not files.delete(other, file)
    assert page(files) == [file.id]


def test_an_expired_record_can_be_read_and_deleted(files: FileRecords) -> None:
    file = a_file(age=60, expires_at=NOW - 30)
    files.add("acme", file)

    assert files.get("acme", file.id) == file
    assert files.delete("acme", file)
    assert files.get("acme", file.id) is None


@pytest.mark.parametrize("limit", [1, 4, 5, 6])
@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("purpose", [None, "batch"])
def test_pages_are_complete_and_in_order_of_creation(
    files: FileRecords, limit: int, newest_first: bool, purpose: str | None
) -> None:
    ages = [30, 0.002, 86_400, 0, 0, 0, 31, 0.001, 0, 0]  # several in one millisecond
    made = [a_file(age, purpose=("batch", "vision")[i % 2]) for i, age in enumerate(ages)]
    add_all(files, made)
    everything = [file.id for file in made if purpose in (None, file.purpose)]
    everything.sort(reverse=newest_first)

    seen: list[str] = []
    while found := page(
        files,
        purpose=purpose,
        limit=limit,
        newest_first=newest_first,
        after=seen[-1] if seen else None,
    ):
        assert len(found) <= limit
        seen += found
        assert len(seen) <= len(everything)

    assert seen == everything


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_page_can_start_after_a_deleted_file(files: FileRecords, newest_first: bool) -> None:
    made = [a_file(age=age) for age in (1, 2, 3, 4, 5)]
    ids = add_all(files, made)
    files.delete("acme", made[2])

    assert page(files, after=ids[2], newest_first=newest_first) == (
        ids[3:] if newest_first else ids[1::-1]
    )


def test_a_page_can_start_after_another_purposes_file(files: FileRecords) -> None:
    old, middle, new = (
        a_file(age=3, purpose="batch"),
        a_file(age=2, purpose="vision"),
        a_file(age=1, purpose="batch"),
    )
    add_all(files, [old, middle, new])

    assert page(files, purpose="batch", after=middle.id) == [old.id]
    assert page(files, purpose="batch", after=middle.id, newest_first=False) == [new.id]


def test_purposes_with_a_common_prefix_have_separate_lists(files: FileRecords) -> None:
    purposes = ["batch", "batch_output", "bat", "fine-tune", "fine-tune-results"]
    made = {purpose: a_file(purpose=purpose) for purpose in purposes}
    add_all(files, list(made.values()))

    for purpose, file in made.items():
        assert page(files, purpose=purpose) == [file.id]


def test_a_file_leaves_the_lists_in_the_second_it_expires(files: FileRecords) -> None:
    file = a_file(age=60, expires_at=NOW)
    files.add("acme", file)

    for purpose in (None, "assistants"):
        assert page(files, purpose=purpose, now=NOW - 1) == [file.id]
        assert page(files, purpose=purpose, now=NOW) == []


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
@pytest.mark.parametrize("newest_first", [True, False])
def test_expired_files_take_no_room_on_a_page(
    files: FileRecords, limit: int, newest_first: bool
) -> None:
    add_all(files, [a_file(age=100 + i, expires_at=NOW - 1) for i in range(15)])
    live = add_all(files, [a_file(age=age) for age in (50, 103.5, 107.5, 200, 300)])
    live = live if newest_first else live[::-1]

    assert page(files, limit=limit, newest_first=newest_first) == live[:limit]


def test_a_file_is_deleted_once_and_leaves_both_lists(files: FileRecords) -> None:
    gone, other = a_file(age=1), a_file()
    add_all(files, [gone, other])

    assert [files.delete("acme", gone) for _ in range(3)] == [True, False, False]

    assert files.get("acme", gone.id) is None
    assert page(files) == page(files, purpose="assistants") == [other.id]


def test_deleting_leftovers_can_be_repeated(files: FileRecords) -> None:
    gone, other = a_file(age=1), a_file()
    add_all(files, [gone, other])

    for _ in range(2):
        files.delete_leftovers({("acme", gone)})

        assert files.get("acme", gone.id) is None
        assert page(files) == page(files, purpose="assistants") == [other.id]


# --- Pending made --------------------------------------------------------------------------------


def a_pending_file(expires_at: int | None = None) -> PendingFile:
    """A pending file; `expires_at` is that of the file to come."""
    file = a_file(filename="é.txt", expires_at=expires_at, status="pending", direct=True)
    return PendingFile(file, NOW + 900)


@pytest.mark.parametrize("expires_at", [None, NOW + 60, NOW + 9000])
def test_a_pending_file_is_read_as_written_but_not_listed(
    files: FileRecords, expires_at: int | None
) -> None:
    pending = a_pending_file(expires_at)

    files.add_pending("acme", pending)

    assert files.get_pending("acme", pending.file.id) == pending
    assert files.get_pending("globex", pending.file.id) is None
    assert files.get("acme", pending.file.id) is None
    assert page(files) == page(files, purpose="assistants") == []


def test_a_file_that_is_not_pending_cannot_be_finalized(files: FileRecords) -> None:
    file = a_file(direct=True)
    files.add("acme", file)

    assert files.get_pending("acme", file.id) is None
    assert not files.finalize("acme", file)
    assert not files.delete_pending("acme", file.id)
    assert files.get("acme", file.id) == file


@pytest.mark.parametrize("expires_at", [None, NOW + 60])
def test_a_finalized_file_is_a_file_and_no_longer_pending(
    files: FileRecords, expires_at: int | None
) -> None:
    pending = a_pending_file(expires_at)
    files.add_pending("acme", pending)
    file = replace(pending.file, status="processed")

    assert files.finalize("acme", file)

    assert_listed(files, file)
    assert files.get_pending("acme", file.id) is None
    assert files.delete("acme", file)
    assert files.get("acme", file.id) is None


@pytest.mark.parametrize("first", ["finalize", "delete"])
def test_a_pending_file_is_finalized_or_deleted_once(files: FileRecords, first: str) -> None:
    pending = a_pending_file()
    files.add_pending("acme", pending)
    calls: dict[str, Callable[[], bool]] = {
        "finalize": partial(files.finalize, "acme", pending.file),
        "delete": partial(files.delete_pending, "acme", pending.file.id),
    }

    assert calls[first]()

    assert not any(call() for call in calls.values())
    assert (files.get("acme", pending.file.id) is not None) == (first == "finalize")
    assert files.get_pending("acme", pending.file.id) is None


def test_a_pending_file_can_be_updated_until_it_fails(files: FileRecords) -> None:
    pending = PendingFile(a_file(status="uploaded"), NOW + 86_400, assembly_started_at=NOW)
    checked = replace(pending, md5_checked=True)
    failed = checked.failed("It broke.")
    assert not files.update_pending("acme", checked)
    assert files.get_pending("acme", pending.file.id) is None

    files.add_pending("acme", pending)
    for updated in (checked, failed):
        assert files.update_pending("acme", updated)
        assert files.get_pending("acme", pending.file.id) == updated

    assert not files.update_pending("acme", pending)
    assert not files.finalize("acme", replace(pending.file, status="processed"))
    assert files.get_pending("acme", pending.file.id) == failed
    assert files.get("acme", pending.file.id) is None


def test_a_deleted_pending_file_cannot_be_updated(files: FileRecords) -> None:
    pending = PendingFile(a_file(status="uploaded"), NOW + 86_400)
    files.add_pending("acme", pending.failed("It broke."))

    assert files.delete_pending("acme", pending.file.id)

    assert not files.update_pending("acme", pending)
    assert files.get_pending("acme", pending.file.id) is None


def test_owners_of_blobs_are_files_and_pending_files(files: FileRecords) -> None:
    plain, direct = a_file(), a_file(direct=True)
    pending, failed = (a_file(status=status, direct=True) for status in ("pending", "error"))
    for file in (plain, direct):
        files.add("acme", file)
    for file in (pending, failed):
        files.add_pending("acme", PendingFile(file, NOW + 60))
    owned = {FileBlob("acme", each.id, each.direct) for each in (plain, direct, pending, failed)}
    others = {
        FileBlob("globex", plain.id, direct=False),
        FileBlob("acme", plain.id, direct=True),
        FileBlob("acme", new_id(), direct=True),
    }

    assert files.owned(owned | others) == owned
    assert files.owned(set()) == set()


def test_expired_records_are_deleted_by_one_run_at_a_time(files: FileRecords) -> None:
    live = add_all(files, [a_file(age=1), a_file(expires_at=NOW + 1)])
    pending = PendingFile(a_file(status="pending", direct=True), NOW - 1)
    files.add_pending("acme", pending)
    expired = [a_file(age=age, expires_at=NOW) for age in range(30)]
    add_all(files, expired[:15])
    files.delete_expired("acme", NOW, NOW + 900)
    add_all(files, expired[15:])
    assert all(files.get("acme", file.id) is None for file in expired[:15])

    files.delete_expired("globex", NOW, NOW + 900)
    assert all(files.get("acme", file.id) for file in expired[15:])
    files.delete_expired("acme", NOW, NOW + 900)

    assert all(files.get("acme", file.id) is None for file in expired)
    assert page(files, now=NOW - 1) == live
    assert files.usage("acme").files == len(live)
    assert files.get_pending("acme", pending.file.id) == pending


# --- Idempotency keys -----------------------------------------------------------------------------

BY = IdempotencyKey("ab" * 32, "cd" * 32)


def test_a_file_is_made_once_by_a_key_within_a_day(files: FileRecords) -> None:
    file, other = a_file(filename="é.txt", direct=True), a_file()
    later = replace(a_file(), created_at=NOW + REPEATABLE_SECONDS)
    assert files.made("acme", BY, NOW) is None

    assert files.add("acme", file, BY)
    assert not files.add("acme", other, BY)
    assert files.made("acme", BY, NOW + REPEATABLE_SECONDS - 1) == file
    assert files.made("globex", BY, NOW) is None
    assert files.get("acme", other.id) is None
    assert files.usage("acme") == Usage(1, file.bytes)
    with pytest.raises(IdempotencyKeyReused):
        files.made("acme", replace(BY, request="ef" * 32), NOW)

    assert files.made("acme", BY, NOW + REPEATABLE_SECONDS) is None
    assert files.add("acme", later, BY)
    assert files.made("acme", BY, NOW + REPEATABLE_SECONDS) == later


def test_a_pending_file_is_made_once_by_a_key(files: FileRecords) -> None:
    pending, other = a_pending_file(), a_pending_file()

    assert files.add_pending("acme", pending, BY)
    assert not files.add_pending("acme", other, BY)

    assert files.get_pending("acme", other.file.id) is None
    assert files.made("acme", BY, NOW) == pending.file
    assert files.add_pending("acme", other)
