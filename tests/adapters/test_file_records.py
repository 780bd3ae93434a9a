"""What every `FileRecords` must do, in memory as on DynamoDB."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from files_api.aws.file_records import DynamoFileRecords
from files_api.service.model import File, PendingFile
from files_api.service.ports import FileRecords, PageRequest
from tests.fakes.records import MemoryFileRecords
from tests.support.moto_stack import physical_name
from tests.support.samples import NOW, a_file

FILES_TABLE = physical_name("FilesTable")
ALL = PageRequest(10)
ASSISTANTS = PageRequest(10, "assistants")


@pytest.fixture(params=["memory", "dynamodb"])
def records(request: pytest.FixtureRequest) -> FileRecords:
    if request.param == "memory":
        return MemoryFileRecords()
    return DynamoFileRecords(request.getfixturevalue("stack").dynamodb, FILES_TABLE)


def page(
    records: FileRecords,
    *,
    project: str = "acme",
    purpose: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
    after: str | None = None,
    now: int = NOW,
) -> list[str]:
    """The ids of a page."""
    files = records.page(project, PageRequest(limit, purpose, newest_first, after), now)
    return [json.loads(file)["id"] for file in files]


def add_all(records: FileRecords, files: list[File]) -> list[str]:
    """Adds the files; returns their ids, the newest first."""
    for file in files:
        records.add("acme", file)
    return sorted((file.id for file in files), reverse=True)


@pytest.mark.parametrize("expires_at", [None, NOW + 60])
@pytest.mark.parametrize("direct", [False, True])
def test_a_record_is_read_as_it_was_written(
    records: FileRecords, expires_at: int | None, direct: bool
) -> None:
    file = a_file(filename='Fête "日本" 🎉.txt', expires_at=expires_at, direct=direct)

    records.add("acme", file)

    assert records.get("acme", file.id) == file
    assert records.page("acme", ALL, NOW) == [file.public_json()]
    assert records.page("acme", ASSISTANTS, NOW) == [file.public_json()]


def test_an_unknown_record_is_none(records: FileRecords) -> None:
    records.add("acme", a_file())

    assert records.get("acme", a_file().id) is None


def test_a_project_sees_only_its_own_records(records: FileRecords) -> None:
    file = a_file()
    records.add("acme", file)

    for other in ("acme2", "acm", "Acme", "globex"):
        assert records.get(other, file.id) is None
        assert page(records, project=other) == []
        assert page(records, project=other, purpose="assistants") == []
        assert not records.delete(other, file)
    assert page(records) == [file.id]


def test_an_expired_record_can_be_read_and_deleted(records: FileRecords) -> None:
    file = a_file(age=60, expires_at=NOW - 30)
    records.add("acme", file)

    assert records.get("acme", file.id) == file
    assert records.delete("acme", file)
    assert records.get("acme", file.id) is None


def test_a_page_is_ordered_by_creation_either_way(records: FileRecords) -> None:
    newest_first = add_all(records, [a_file(age=age) for age in (30, 0.002, 86_400, 0, 31, 0.001)])

    assert page(records) == newest_first
    assert page(records, newest_first=False) == newest_first[::-1]


@pytest.mark.parametrize("limit", [1, 4, 5, 6])
@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("purpose", [None, "batch"])
def test_pages_are_complete_for_files_of_one_millisecond(
    records: FileRecords, limit: int, newest_first: bool, purpose: str | None
) -> None:
    files = [a_file(purpose=("batch", "vision")[i % 2]) for i in range(10)]
    everything = add_all(records, [file for file in files if purpose in (None, file.purpose)])
    add_all(records, [file for file in files if purpose not in (None, file.purpose)])

    seen: list[str] = []
    while found := page(
        records,
        purpose=purpose,
        limit=limit,
        newest_first=newest_first,
        after=seen[-1] if seen else None,
    ):
        assert len(found) <= limit
        seen += found
        assert len(seen) <= len(everything)

    assert seen == (everything if newest_first else everything[::-1])


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_page_can_start_after_a_deleted_file(records: FileRecords, newest_first: bool) -> None:
    files = [a_file(age=age) for age in (1, 2, 3, 4, 5)]
    ids = add_all(records, files)
    records.delete("acme", files[2])

    assert page(records, after=ids[2], newest_first=newest_first) == (
        ids[3:] if newest_first else ids[1::-1]
    )


def test_a_page_can_start_after_another_purposes_file(records: FileRecords) -> None:
    old, middle, new = (
        a_file(age=3, purpose="batch"),
        a_file(age=2, purpose="vision"),
        a_file(age=1, purpose="batch"),
    )
    add_all(records, [old, middle, new])

    assert page(records, purpose="batch", after=middle.id) == [old.id]
    assert page(records, purpose="batch", after=middle.id, newest_first=False) == [new.id]


def test_the_page_after_the_last_file_is_empty(records: FileRecords) -> None:
    ids = add_all(records, [a_file(age=1), a_file()])

    assert page(records, after=ids[-1]) == []
    assert page(records, after=ids[0], newest_first=False) == []


def test_purposes_with_a_common_prefix_have_separate_lists(records: FileRecords) -> None:
    purposes = ["batch", "batch_output", "bat", "fine-tune", "fine-tune-results"]
    files = {purpose: a_file(purpose=purpose) for purpose in purposes}
    add_all(records, list(files.values()))

    for purpose, file in files.items():
        assert page(records, purpose=purpose) == [file.id]


def test_a_file_leaves_the_lists_in_the_second_it_expires(records: FileRecords) -> None:
    file = a_file(age=60, expires_at=NOW)
    records.add("acme", file)

    for purpose in (None, "assistants"):
        assert page(records, purpose=purpose, now=NOW - 1) == [file.id]
        assert page(records, purpose=purpose, now=NOW) == []


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
@pytest.mark.parametrize("newest_first", [True, False])
def test_expired_files_take_no_room_on_a_page(
    records: FileRecords, limit: int, newest_first: bool
) -> None:
    add_all(records, [a_file(age=100 + i, expires_at=NOW - 1) for i in range(15)])
    live = add_all(records, [a_file(age=age) for age in (50, 103.5, 107.5, 200, 300)])
    live = live if newest_first else live[::-1]

    assert page(records, limit=limit, newest_first=newest_first) == live[:limit]


def test_a_deleted_file_leaves_both_lists(records: FileRecords) -> None:
    gone, other = a_file(age=1), a_file()
    add_all(records, [gone, other])

    assert records.delete("acme", gone)

    assert records.get("acme", gone.id) is None
    assert page(records) == [other.id]
    assert page(records, purpose="assistants") == [other.id]


def test_only_one_deletion_of_a_file_succeeds(records: FileRecords) -> None:
    file = a_file()
    records.add("acme", file)

    assert [records.delete("acme", file) for _ in range(3)] == [True, False, False]


def test_deleting_leftovers_can_be_repeated(records: FileRecords) -> None:
    gone, other = a_file(age=1), a_file()
    add_all(records, [gone, other])

    for _ in range(2):
        records.delete_leftovers("acme", gone)

        assert records.get("acme", gone.id) is None
        assert page(records) == page(records, purpose="assistants") == [other.id]


# --- Pending files --------------------------------------------------------------------------------


def a_pending_file(expires_at: int | None = None) -> PendingFile:
    """A pending file; `expires_at` is that of the file to come."""
    file = a_file(filename="é.txt", expires_at=expires_at, status="pending", direct=True)
    return PendingFile(file, NOW + 900)


@pytest.mark.parametrize("expires_at", [None, NOW + 60, NOW + 9000])
def test_a_pending_file_is_read_as_written_but_not_listed(
    records: FileRecords, expires_at: int | None
) -> None:
    pending = a_pending_file(expires_at)

    records.add_pending("acme", pending)

    assert records.get_pending("acme", pending.file.id) == pending
    assert records.get_pending("globex", pending.file.id) is None
    assert records.get("acme", pending.file.id) is None
    assert page(records) == page(records, purpose="assistants") == []


def test_a_file_that_is_not_pending_cannot_be_finalized(records: FileRecords) -> None:
    file = a_file(direct=True)
    records.add("acme", file)

    assert records.get_pending("acme", file.id) is None
    assert not records.finalize("acme", file)
    assert not records.delete_pending("acme", file.id)
    assert records.get("acme", file.id) == file


@pytest.mark.parametrize("expires_at", [None, NOW + 60])
def test_a_finalized_file_is_a_file_and_no_longer_pending(
    records: FileRecords, expires_at: int | None
) -> None:
    pending = a_pending_file(expires_at)
    records.add_pending("acme", pending)
    file = replace(pending.file, status="processed")

    assert records.finalize("acme", file)

    assert records.get("acme", file.id) == file
    assert records.get_pending("acme", file.id) is None
    assert records.page("acme", ALL, NOW) == [file.public_json()]
    assert records.page("acme", ASSISTANTS, NOW) == [file.public_json()]
    assert records.delete("acme", file)
    assert records.get("acme", file.id) is None


@pytest.mark.parametrize("first", ["finalize", "delete"])
def test_a_pending_file_is_finalized_or_deleted_once(records: FileRecords, first: str) -> None:
    pending = a_pending_file()
    records.add_pending("acme", pending)
    calls: dict[str, Callable[[], bool]] = {
        "finalize": partial(records.finalize, "acme", pending.file),
        "delete": partial(records.delete_pending, "acme", pending.file.id),
    }

    assert calls[first]()

    assert not any(call() for call in calls.values())
    assert (records.get("acme", pending.file.id) is not None) == (first == "finalize")
    assert records.get_pending("acme", pending.file.id) is None


def test_a_pending_file_can_be_updated_until_it_fails(records: FileRecords) -> None:
    pending = PendingFile(a_file(status="uploaded"), NOW + 86_400, assembly_started_at=NOW)
    checked = replace(pending, md5_checked=True)
    failed = checked.failed("It broke.")
    assert not records.update_pending("acme", checked)
    assert records.get_pending("acme", pending.file.id) is None

    records.add_pending("acme", pending)
    for updated in (checked, failed):
        assert records.update_pending("acme", updated)
        assert records.get_pending("acme", pending.file.id) == updated

    assert not records.update_pending("acme", pending)
    assert not records.finalize("acme", replace(pending.file, status="processed"))
    assert records.get_pending("acme", pending.file.id) == failed
    assert records.get("acme", pending.file.id) is None


def test_a_deleted_pending_file_cannot_be_updated(records: FileRecords) -> None:
    pending = PendingFile(a_file(status="uploaded"), NOW + 86_400)
    records.add_pending("acme", pending.failed("It broke."))

    assert records.delete_pending("acme", pending.file.id)

    assert not records.update_pending("acme", pending)
    assert records.get_pending("acme", pending.file.id) is None
