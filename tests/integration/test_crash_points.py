"""Whatever fails, and when: no acknowledged file is lost, no deleted one returns, nothing is left.

Each request to AWS that a function makes fails in turn, for good: once before it takes effect, once
after. Then AWS tells what has really happened: storage events, records of the stream, a look at
every object that came to be. All that is told goes to the real functions, twice and in two orders.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from files_api.model import File, Pending
from tests.integration import samples
from tests.integration.crashes import Aws, Call, Payload, with_every_crash
from tests.integration.outcomes import (
    about,
    assert_consistent,
    assert_gone,
    assert_nothing_is_left_but_files,
    assert_there,
    created,
    listed,
    status,
)
from tests.integration.samples import HANDBOOK, JSONL, LEFTOVER, PDF, STRAY, event

PROMISED = JSONL  # the content of what is promised here


# --- Taking files in ------------------------------------------------------------------------------


def test_a_plain_upload_is_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_promise_that_was_not_heard_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(aws: Aws) -> Call:
        return "create_file", event("create_file", "success_direct_sha256")

    def then(aws: Aws, answer: Any) -> None:
        assert answer["statusCode"] in (200, 500)
        aws.deliver()
        assert listed(aws) == []
        aws.let_promises_expire()
        assert samples.stored(aws.stack) == ({}, {})

    assert with_every_crash(monkeypatch, given, then) == 1


@pytest.mark.parametrize("function", ["finalize_upload", "retrieve_file", "download_file"])
def test_an_acknowledged_upload_is_a_file_whoever_fails_to_notice_it(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(uploaded(aws))
        if function == "finalize_upload":
            return aws.events[0]
        return function, about(function, file_ids[-1])

    def then(aws: Aws, answer: Any) -> None:
        assert_consistent(aws)
        aws.deliver()
        assert_there(aws, file_ids[-1], PROMISED)
        aws.let_promises_expire()
        assert_there(aws, file_ids[-1], PROMISED)
        assert_consistent(aws)
        assert_nothing_is_left_but_files(aws)

    assert with_every_crash(monkeypatch, given, then) >= 4


def test_an_acknowledged_upload_is_a_file_even_if_nobody_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(uploaded(aws))
        return aws.events.pop(0)

    def then(aws: Aws, answer: Any) -> None:
        assert_there(aws, file_ids[-1], PROMISED)
        assert listed(aws) == [file_ids[-1]]

    assert with_every_crash(monkeypatch, given, then) == 4


# --- Deleting -------------------------------------------------------------------------------------


def plain(aws: Aws) -> str:
    return str(created(aws, "success")["id"])


def promised(aws: Aws) -> str:
    return str(created(aws, "success_direct_sha256")["id"])


def uploaded(aws: Aws) -> str:
    file = created(aws, "success_direct_sha256")
    assert aws.upload(file["upload"], PROMISED)
    return str(file["id"])


def settled(aws: Aws) -> str:
    file_id = uploaded(aws)
    aws.deliver()
    return file_id


@pytest.mark.parametrize("make", [plain, promised, uploaded, settled])
@pytest.mark.parametrize("again", [False, True])
def test_a_file_is_deleted_whole_or_not_at_all_and_never_returns(
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
        elif make is not promised:
            assert_there(aws, file_id, PDF if make is plain else PROMISED)
        aws.let_promises_expire()
        assert_nothing_is_left_but_files(aws)

    assert with_every_crash(monkeypatch, given, then) >= 3


@pytest.mark.parametrize("noticed", [False, True])
def test_bytes_that_come_after_the_deletion_bring_nothing_back(
    noticed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file = created(aws, "success_direct_sha256")
        file_ids.append(file["id"])
        assert status(aws, "delete_file", file["id"]) == 200
        assert aws.upload(file["upload"], PROMISED)
        if noticed:
            assert status(aws, "retrieve_file", file["id"]) == 404
        (finish,) = [each for each in aws.events if each[0] == "finalize_upload"]
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
        samples.blobs(aws.stack).put(LEFTOVER.key("acme"), PDF)
        samples.records(aws.stack).add("acme", LEFTOVER)
    with aws.watching():
        samples.records(aws.stack).remove("acme", LEFTOVER)


def half_expired(aws: Aws) -> None:
    """One of the two items is gone."""
    with aws.watching():
        samples.blobs(aws.stack).put(HANDBOOK.key("acme"), PDF)
        samples.records(aws.stack).add("acme", HANDBOOK)
    with aws.watching():
        aws.delete_item("acme", f"F#{HANDBOOK.id}")


def expired_twin(aws: Aws) -> None:
    """The other of the two is gone."""
    with aws.watching():
        samples.blobs(aws.stack).put(HANDBOOK.key("acme"), PDF)
        samples.records(aws.stack).add("acme", HANDBOOK)
    with aws.watching():
        aws.delete_item("acme", f"P#{HANDBOOK.purpose}#{HANDBOOK.id}")


def promise_expired(aws: Aws) -> None:
    """The promise is gone, and bytes are there that nobody noticed."""
    with aws.watching():
        samples.records(aws.stack).promise("acme", Pending(STRAY, 1))
        samples.blobs(aws.stack).put(STRAY.key("acme"), JSONL)
    with aws.watching():
        aws.delete_item("acme", f"U#{STRAY.id}")


def orphan(file: File) -> Callable[[Aws], None]:
    """Bytes are there, of which there never was a record."""

    def given(aws: Aws) -> None:
        with aws.watching():
            samples.blobs(aws.stack).put(file.key("acme"), JSONL)

    return given


@pytest.mark.parametrize(
    ("function", "happen"),
    [
        ("purge_file", half_deleted),
        ("purge_file", half_expired),
        ("purge_file", expired_twin),
        ("purge_file", promise_expired),
        ("remove_orphan", orphan(LEFTOVER)),
        ("remove_orphan", orphan(STRAY)),
        ("finalize_upload", orphan(STRAY)),
    ],
)
def test_a_purge_that_fails_is_told_again_and_leaves_nothing(
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


@pytest.mark.parametrize("function", ["purge_file", "remove_orphan"])
def test_a_purge_that_fails_takes_nothing_that_is_owned(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(uploaded(aws))
        told = [each for each in aws.events if each[0] == "remove_orphan"]
        if function == "purge_file":
            assert status(aws, "retrieve_file", file_ids[-1]) == 200  # keeps the promise
            told = [each for each in aws.events if each[0] == "purge_file"]
        return told[0]

    def then(aws: Aws, answer: Any) -> None:
        assert_there(aws, file_ids[-1], PROMISED)
        aws.deliver()
        assert_there(aws, file_ids[-1], PROMISED)
        assert_nothing_is_left_but_files(aws)

    assert with_every_crash(monkeypatch, given, then) >= 1
