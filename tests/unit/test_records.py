"""What every `Records` promises, in memory as on DynamoDB."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from files_api.model import File, Pending
from files_api.ports import Query, Records
from files_api.records import DynamoRecords
from tests.integration.samples import FILES_TABLE
from tests.unit.memory import MemoryRecords
from tests.unit.samples import NOW, a_file


@pytest.fixture(params=["memory", "dynamodb"])
def records(request: pytest.FixtureRequest) -> Records:
    if request.param == "memory":
        return MemoryRecords()
    return DynamoRecords(request.getfixturevalue("stack").dynamodb, FILES_TABLE)


def page(
    records: Records,
    *,
    project: str = "acme",
    purpose: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
    after: str | None = None,
    now: int = NOW,
) -> list[str]:
    """The ids of a page."""
    docs = records.docs(Query(project, purpose, limit, newest_first, after, now))
    return [json.loads(doc)["id"] for doc in docs]


def add_all(records: Records, files: list[File]) -> list[str]:
    """Adds the files; returns their ids, the newest first."""
    for file in files:
        records.add("acme", file)
    return sorted((file.id for file in files), reverse=True)


@pytest.mark.parametrize("expires_at", [None, NOW + 60])
@pytest.mark.parametrize("direct", [False, True])
def test_a_record_is_read_as_it_was_written(
    records: Records, expires_at: int | None, direct: bool
) -> None:
    file = a_file(filename='Fête "日本" 🎉.txt', expires_at=expires_at, direct=direct)

    records.add("acme", file)

    assert records.get("acme", file.id) == file
    assert records.docs(Query("acme", None, 10, True, None, NOW)) == [file.doc()]
    assert records.docs(Query("acme", "assistants", 10, True, None, NOW)) == [file.doc()]


def test_a_record_that_nobody_wrote_is_none(records: Records) -> None:
    records.add("acme", a_file())

    assert records.get("acme", a_file().id) is None


def test_a_project_sees_its_own_records_only(records: Records) -> None:
    file = a_file()
    records.add("acme", file)

    for other in ("acme2", "acm", "Acme", "globex"):
        assert records.get(other, file.id) is None
        assert page(records, project=other) == []
        assert page(records, project=other, purpose="assistants") == []
        assert not records.remove(other, file)
    assert page(records) == [file.id]


def test_an_expired_record_is_still_got_so_that_it_can_be_removed(records: Records) -> None:
    file = a_file(age=60, expires_at=NOW - 30)
    records.add("acme", file)

    assert records.get("acme", file.id) == file
    assert records.remove("acme", file)
    assert records.get("acme", file.id) is None


def test_a_page_is_ordered_by_creation_in_either_direction(records: Records) -> None:
    newest_first = add_all(records, [a_file(age=age) for age in (30, 0.002, 86_400, 0, 31, 0.001)])

    assert page(records) == newest_first
    assert page(records, newest_first=False) == newest_first[::-1]


@pytest.mark.parametrize("limit", [1, 4, 5, 6])
@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("purpose", [None, "batch"])
def test_pages_lose_and_repeat_nothing_of_files_made_in_the_same_millisecond(
    records: Records, limit: int, newest_first: bool, purpose: str | None
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
def test_a_page_starts_after_a_file_that_is_gone(records: Records, newest_first: bool) -> None:
    files = [a_file(age=age) for age in (1, 2, 3, 4, 5)]
    ids = add_all(records, files)
    records.remove("acme", files[2])

    assert page(records, after=ids[2], newest_first=newest_first) == (
        ids[3:] if newest_first else ids[1::-1]
    )


def test_a_page_starts_after_a_file_of_another_purpose(records: Records) -> None:
    old, middle, new = (
        a_file(age=3, purpose="batch"),
        a_file(age=2, purpose="vision"),
        a_file(age=1, purpose="batch"),
    )
    add_all(records, [old, middle, new])

    assert page(records, purpose="batch", after=middle.id) == [old.id]
    assert page(records, purpose="batch", after=middle.id, newest_first=False) == [new.id]


def test_behind_the_last_file_there_is_nothing(records: Records) -> None:
    ids = add_all(records, [a_file(age=1), a_file()])

    assert page(records, after=ids[-1]) == []
    assert page(records, after=ids[0], newest_first=False) == []


def test_a_page_of_a_purpose_holds_no_other_whose_name_begins_alike(records: Records) -> None:
    purposes = ["batch", "batch_output", "bat", "fine-tune", "fine-tune-results"]
    files = {purpose: a_file(purpose=purpose) for purpose in purposes}
    add_all(records, list(files.values()))

    for purpose, file in files.items():
        assert page(records, purpose=purpose) == [file.id]


def test_a_file_leaves_the_list_in_the_second_that_it_expires(records: Records) -> None:
    file = a_file(age=60, expires_at=NOW)
    records.add("acme", file)

    for purpose in (None, "assistants"):
        assert page(records, purpose=purpose, now=NOW - 1) == [file.id]
        assert page(records, purpose=purpose, now=NOW) == []


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
@pytest.mark.parametrize("newest_first", [True, False])
def test_expired_files_take_no_room_on_a_page(
    records: Records, limit: int, newest_first: bool
) -> None:
    add_all(records, [a_file(age=100 + i, expires_at=NOW - 1) for i in range(15)])
    live = add_all(records, [a_file(age=age) for age in (50, 103.5, 107.5, 200, 300)])
    live = live if newest_first else live[::-1]

    assert page(records, limit=limit, newest_first=newest_first) == live[:limit]


def test_a_removed_file_leaves_both_lists(records: Records) -> None:
    gone, kept = a_file(age=1), a_file()
    add_all(records, [gone, kept])

    assert records.remove("acme", gone)

    assert records.get("acme", gone.id) is None
    assert page(records) == [kept.id]
    assert page(records, purpose="assistants") == [kept.id]


def test_of_several_removals_of_a_file_one_succeeds(records: Records) -> None:
    file = a_file()
    records.add("acme", file)

    assert [records.remove("acme", file) for _ in range(3)] == [True, False, False]


# --- Promises -------------------------------------------------------------------------------------


def promised(expires_at: int | None = None) -> Pending:
    """A promise; `expires_at` is the file's."""
    file = a_file(filename="é.txt", expires_at=expires_at, status="pending", direct=True)
    return Pending(file, NOW + 900)


@pytest.mark.parametrize("expires_at", [None, NOW + 60, NOW + 9000])
def test_a_promise_is_read_as_it_was_written_and_is_no_file(
    records: Records, expires_at: int | None
) -> None:
    pending = promised(expires_at)

    records.promise("acme", pending)

    assert records.pending("acme", pending.file.id) == pending
    assert records.pending("globex", pending.file.id) is None
    assert records.get("acme", pending.file.id) is None
    assert page(records) == page(records, purpose="assistants") == []


def test_a_promise_that_nobody_made_is_none(records: Records) -> None:
    file = a_file(direct=True)
    records.add("acme", file)

    assert records.pending("acme", file.id) is None
    assert not records.keep("acme", file)
    assert not records.drop("acme", file.id)
    assert records.get("acme", file.id) == file


@pytest.mark.parametrize("expires_at", [None, NOW + 60])
def test_a_promise_that_is_kept_is_a_file_and_no_promise(
    records: Records, expires_at: int | None
) -> None:
    pending = promised(expires_at)
    records.promise("acme", pending)
    file = replace(pending.file, status="processed")

    assert records.keep("acme", file)

    assert records.get("acme", file.id) == file
    assert records.pending("acme", file.id) is None
    assert records.docs(Query("acme", None, 10, True, None, NOW)) == [file.doc()]
    assert records.docs(Query("acme", "assistants", 10, True, None, NOW)) == [file.doc()]
    assert records.remove("acme", file)
    assert records.get("acme", file.id) is None


def test_a_promise_is_kept_or_dropped_once(records: Records) -> None:
    for first in ("keep", "drop"):
        pending = promised()
        records.promise("acme", pending)
        calls: dict[str, Callable[[], bool]] = {
            "keep": partial(records.keep, "acme", pending.file),
            "drop": partial(records.drop, "acme", pending.file.id),
        }

        assert calls[first]()

        assert not any(call() for call in calls.values())
        assert (records.get("acme", pending.file.id) is not None) == (first == "keep")
        assert records.pending("acme", pending.file.id) is None


def test_the_rest_of_a_record_can_be_removed_again_and_again(records: Records) -> None:
    gone, kept = a_file(age=1), a_file()
    add_all(records, [gone, kept])

    for _ in range(2):
        records.remove_rest("acme", gone)

        assert records.get("acme", gone.id) is None
        assert page(records) == page(records, purpose="assistants") == [kept.id]
