"""Whatever fails, and when: no acknowledged file is lost, no deleted one returns, nothing is left.

Each request to AWS that a function makes fails in turn, for good: once before it takes effect, once
after. Then AWS reports what has really happened: storage events, records of the stream, a check of
every new object. All events go to the real functions, twice and in two orders.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from files_api.service.model import File, PendingFile
from tests.functions import samples
from tests.functions.crashes import Aws, Call, Payload, with_every_crash
from tests.functions.outcomes import (
    about,
    assert_consistent,
    assert_gone,
    assert_nothing_is_left_but_files,
    assert_there,
    created,
    listed,
    status,
)
from tests.functions.samples import HANDBOOK, JSONL, LEFTOVER, PDF, STRAY, event

DIRECT = JSONL  # the content of direct uploads here


# --- Taking files in ------------------------------------------------------------------------------


def test_crashed_create_is_all_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(aws: Aws) -> Call:
        return "create_file", event("create_file", "success")

    def then(aws: Aws, answer: Any) -> None:
        assert answer["statusCode"] in (200, 500)
        assert_consistent(aws)
        aws.deliver()
        assert_consistent(aws)
        assert_nothing_is_left_but_files(aws)
        if answer["statusCode"] == 200:
            assert_there(aws, json.loads(answer["body"])["id"], PDF)

    assert with_every_crash(monkeypatch, given, then) == 2


def test_crashed_direct_upload_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(aws: Aws) -> Call:
        return "create_file", event("create_file", "success_direct_sha256")

    def then(aws: Aws, answer: Any) -> None:
        assert answer["statusCode"] in (200, 500)
        aws.deliver()
        assert listed(aws) == []
        aws.expire_pending()
        assert samples.stored(aws.stack) == ({}, {})

    assert with_every_crash(monkeypatch, given, then) == 1


@pytest.mark.parametrize("function", ["finalize_file", "retrieve_file", "download_file"])
def test_acknowledged_put_is_a_file_whichever_call_crashes(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(uploaded(aws))
        if function == "finalize_file":
            return aws.events[0]
        return function, about(function, file_ids[-1])

    def then(aws: Aws, answer: Any) -> None:
        assert_consistent(aws)
        aws.deliver()
        assert_there(aws, file_ids[-1], DIRECT)
        aws.expire_pending()
        assert_there(aws, file_ids[-1], DIRECT)
        assert_consistent(aws)
        assert_nothing_is_left_but_files(aws)

    assert with_every_crash(monkeypatch, given, then) >= 4


def test_acknowledged_put_is_a_file_even_without_an_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(uploaded(aws))
        return aws.events.pop(0)

    def then(aws: Aws, answer: Any) -> None:
        assert_there(aws, file_ids[-1], DIRECT)
        assert listed(aws) == [file_ids[-1]]

    assert with_every_crash(monkeypatch, given, then) == 4


# --- Deleting -------------------------------------------------------------------------------------


def plain(aws: Aws) -> str:
    return str(created(aws, "success")["id"])


def pending(aws: Aws) -> str:
    return str(created(aws, "success_direct_sha256")["id"])


def uploaded(aws: Aws) -> str:
    file = created(aws, "success_direct_sha256")
    assert aws.upload(file["upload"], DIRECT)
    return str(file["id"])


def finalized(aws: Aws) -> str:
    file_id = uploaded(aws)
    aws.deliver()
    return file_id


@pytest.mark.parametrize("make", [plain, pending, uploaded, finalized])
@pytest.mark.parametrize("again", [False, True])
def test_crashed_delete_is_all_or_nothing_and_final(
    make: Callable[[Aws], str], again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(make(aws))
        return "delete_file", about("delete_file", file_ids[-1])

    def then(aws: Aws, answer: Any) -> None:
        file_id = file_ids[-1]
        deleted = answer["statusCode"] == 200 or status(aws, "retrieve_file", file_id) == 404
        assert answer["statusCode"] in (200, 500)
        assert_consistent(aws)
        if again and answer["statusCode"] == 500:  # as every SDK does
            assert status(aws, "delete_file", file_id) == (404 if deleted else 200)
            deleted = True
        aws.deliver()
        assert_consistent(aws)
        if deleted:
            assert_gone(aws, file_id)
            assert samples.stored(aws.stack) == ({}, {})
        elif make is not pending:
            assert_there(aws, file_id, PDF if make is plain else DIRECT)
        aws.expire_pending()
        assert_nothing_is_left_but_files(aws)

    assert with_every_crash(monkeypatch, given, then) >= 3


@pytest.mark.parametrize("noticed", [False, True])
def test_bytes_that_arrive_after_the_deletion_restore_nothing(
    noticed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file = created(aws, "success_direct_sha256")
        file_ids.append(file["id"])
        assert status(aws, "delete_file", file["id"]) == 200
        assert aws.upload(file["upload"], DIRECT)
        if noticed:
            assert status(aws, "retrieve_file", file["id"]) == 404
        (finish,) = [each for each in aws.events if each[0] == "finalize_file"]
        return finish

    def then(aws: Aws, answer: Any) -> None:
        assert_gone(aws, file_ids[-1])
        aws.deliver()
        assert_gone(aws, file_ids[-1])
        assert samples.stored(aws.stack) == ({}, {})

    assert with_every_crash(monkeypatch, given, then) >= 3


# --- Purging --------------------------------------------------------------------------------------


def half_deleted(aws: Aws) -> None:
    """The record is gone, the bytes are there still."""
    with aws.watching():
        samples.blobs(aws.stack).put(LEFTOVER.blob_key("acme"), PDF)
        samples.records(aws.stack).add("acme", LEFTOVER)
    with aws.watching():
        samples.records(aws.stack).delete("acme", LEFTOVER)


def half_expired(aws: Aws) -> None:
    """One of the two items is gone."""
    with aws.watching():
        samples.blobs(aws.stack).put(HANDBOOK.blob_key("acme"), PDF)
        samples.records(aws.stack).add("acme", HANDBOOK)
    with aws.watching():
        aws.delete_item("acme", f"FILE#{HANDBOOK.id}")


def expired_twin(aws: Aws) -> None:
    """The other of the two is gone."""
    with aws.watching():
        samples.blobs(aws.stack).put(HANDBOOK.blob_key("acme"), PDF)
        samples.records(aws.stack).add("acme", HANDBOOK)
    with aws.watching():
        aws.delete_item("acme", f"PURPOSE#{HANDBOOK.purpose}#{HANDBOOK.id}")


def pending_expired(aws: Aws) -> None:
    """A pending file has expired, and no call has noticed its bytes."""
    with aws.watching():
        samples.records(aws.stack).add_pending("acme", PendingFile(STRAY, 1))
        samples.blobs(aws.stack).put(STRAY.blob_key("acme"), JSONL)
    with aws.watching():
        aws.delete_item("acme", f"PENDING#{STRAY.id}")


def orphan(file: File) -> Callable[[Aws], None]:
    """Bytes are there, of which there never was a record."""

    def given(aws: Aws) -> None:
        with aws.watching():
            samples.blobs(aws.stack).put(file.blob_key("acme"), JSONL)

    return given


@pytest.mark.parametrize(
    ("function", "happen"),
    [
        ("purge", half_deleted),
        ("purge", half_expired),
        ("purge", expired_twin),
        ("purge", pending_expired),
        ("check_blob", orphan(LEFTOVER)),
        ("check_blob", orphan(STRAY)),
        ("finalize_file", orphan(STRAY)),
    ],
)
def test_crashed_purge_of_parts_is_repeated_and_completes(
    function: str, happen: Callable[[Aws], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Payload] = []

    def given(aws: Aws) -> Call:
        happen(aws)
        told.append(next(payload for name, payload in aws.events if name == function))
        return function, told[-1]

    def then(aws: Aws, answer: Any) -> None:
        assert answer in (None, {}, {"batchItemFailures": []}) or len(
            answer["batchItemFailures"]
        ) == len(told[-1]["Records"])
        aws.events = [(function, told[-1])]  # nothing but this helps
        aws.deliver()
        assert samples.stored(aws.stack) == ({}, {})

    assert with_every_crash(monkeypatch, given, then) >= 2


@pytest.mark.parametrize("function", ["purge", "check_blob"])
def test_crashed_purge_deletes_nothing_that_is_owned(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(uploaded(aws))
        told = [each for each in aws.events if each[0] == "check_blob"]
        if function == "purge":
            assert status(aws, "retrieve_file", file_ids[-1]) == 200  # finalizes it
            told = [each for each in aws.events if each[0] == "purge"]
        return told[0]

    def then(aws: Aws, answer: Any) -> None:
        assert_there(aws, file_ids[-1], DIRECT)
        aws.deliver()
        assert_there(aws, file_ids[-1], DIRECT)
        assert_nothing_is_left_but_files(aws)

    assert with_every_crash(monkeypatch, given, then) >= 1
