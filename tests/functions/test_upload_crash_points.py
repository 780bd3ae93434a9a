"""Whatever fails, and when, while parts become a file: it is whole, or there is none; and no part
is left. As in `test_crash_points`, each request to AWS fails in turn.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from files_api.service import completion
from files_api.service.blob_keys import PartBlob
from tests.functions import samples, upload_samples
from tests.functions.crashes import Aws, Call, Payload, with_every_crash
from tests.functions.outcomes import (
    ASSEMBLED,
    about,
    assert_consistent,
    assert_gone,
    assert_nothing_is_left_but_files,
    assert_there,
    listed,
    status,
)
from tests.functions.samples import event
from tests.functions.upload_samples import WORLD


def on_upload(function: str, upload_id: str, body: Any = None, case: str = "success") -> Payload:
    """A call on the upload."""
    payload = event(function, case)
    payload["pathParameters"] = {"upload_id": upload_id}
    if body is not None:
        payload["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    return payload


def answered(aws: Aws, function: str, payload: Payload) -> Any:
    answer = aws.call(function, payload)
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


class Uploading:
    """An upload with two parts, one of them presigned.

    Attributes:
        id: of the upload.
        part_ids: as they are to be put together.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.id = str(answered(aws, "create_upload", event("create_upload", "success"))["id"])
        sent = answered(aws, "add_upload_part", on_upload("add_upload_part", self.id))
        ask = on_upload("add_upload_part", self.id, {"bytes": len(WORLD)}, "success_direct")
        linked = answered(aws, "add_upload_part", ask)
        assert aws.upload(linked["upload"], WORLD)
        self.part_ids = [linked["id"], sent["id"]]

    def completing(self) -> Call:
        """The call that completes it."""
        return "complete_upload", on_upload("complete_upload", self.id, {"part_ids": self.part_ids})

    def complete(self) -> Any:
        """Completes it; gives the file."""
        return answered(self._aws, *self.completing())["file"]

    @property
    def status(self) -> str:
        found = upload_samples.records(self._aws.stack).get("acme", self.id)
        assert found is not None
        return found.status


@pytest.fixture(params=["at once", "later"])
def when(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the file is put together: while the caller waits, or not."""
    if request.param == "later":
        monkeypatch.setattr(completion, "AT_ONCE_BYTES", 0)
    return str(request.param)


def assert_all_is_tidy_in_the_end(aws: Aws, file_id: str | None) -> None:
    """When what can expire has expired, there is the file, or nothing."""
    aws.expire_pending()
    assert listed(aws) == ([file_id] if file_id else [])
    if file_id:
        assert_there(aws, file_id, ASSEMBLED)
    assert_nothing_is_left_but_files(aws)


@pytest.mark.parametrize("again", [False, True])
def test_crashed_complete_is_all_or_nothing(
    when: str, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Uploading] = []

    def given(aws: Aws) -> Call:
        made.append(Uploading(aws))
        return made[-1].completing()

    def then(aws: Aws, answer: Any) -> None:
        upload = made[-1]
        assert answer["statusCode"] in (200, 500)
        assert_consistent(aws)
        if again and answer["statusCode"] == 500:  # as every SDK does
            upload.complete()
        aws.deliver()
        assert_consistent(aws)
        completed = upload.status == "completed"
        assert completed or not again
        assert completed or answer["statusCode"] == 500
        assert_all_is_tidy_in_the_end(aws, upload.complete()["id"] if completed else None)

    assert with_every_crash(monkeypatch, given, then) >= 5


def test_crashed_assembly_is_resumed_and_completes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(completion, "AT_ONCE_BYTES", 0)
    file_ids: list[str] = []
    works: list[Call] = []

    def given(aws: Aws) -> Call:
        file_ids.append(Uploading(aws).complete()["id"])
        (work,) = [each for each in aws.events if each[0] == "assemble_upload"]
        works.append(work)
        return work

    def then(aws: Aws, answer: Any) -> None:
        assert_consistent(aws)
        assert aws.call(*works[-1]) == {}  # Lambda tries again
        assert_there(aws, file_ids[-1], ASSEMBLED)
        aws.deliver()
        assert_all_is_tidy_in_the_end(aws, file_ids[-1])

    assert with_every_crash(monkeypatch, given, then) >= 10


def test_crashed_fail_assembly_leaves_an_error_then_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(completion, "AT_ONCE_BYTES", 0)
    file_ids: list[str] = []
    works: list[Payload] = []

    def given(aws: Aws) -> Call:
        file_ids.append(Uploading(aws).complete()["id"])
        ((_, work),) = [each for each in aws.events if each[0] == "assemble_upload"]
        aws.events = [each for each in aws.events if each[0] != "assemble_upload"]
        works.append(event("fail_assembly", "success") | {"requestPayload": work})
        return "fail_assembly", works[-1]

    def then(aws: Aws, answer: Any) -> None:
        assert aws.call("fail_assembly", works[-1]) == {}
        found = aws.call("retrieve_file", about("retrieve_file", file_ids[-1]))
        assert json.loads(found["body"])["status"] == "error"
        aws.deliver()
        assert_all_is_tidy_in_the_end(aws, None)
        assert_gone(aws, file_ids[-1])

    assert with_every_crash(monkeypatch, given, then) >= 5


def test_crashed_cancel_is_all_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Uploading] = []

    def given(aws: Aws) -> Call:
        made.append(Uploading(aws))
        return "cancel_upload", on_upload("cancel_upload", made[-1].id)

    def then(aws: Aws, answer: Any) -> None:
        upload = made[-1]
        aws.deliver()
        assert answer["statusCode"] in (200, 500)
        if answer["statusCode"] == 200 or upload.status == "cancelled":
            assert aws.call(*upload.completing())["statusCode"] == 400
            assert samples.objects(aws.stack) == {}
            assert_all_is_tidy_in_the_end(aws, None)
        else:
            file = upload.complete()
            aws.deliver()
            assert_all_is_tidy_in_the_end(aws, file["id"])

    assert with_every_crash(monkeypatch, given, then) == 4


@pytest.mark.parametrize("case", ["success", "success_direct"])
def test_crashed_part_changes_nothing(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Uploading] = []

    def given(aws: Aws) -> Call:
        made.append(Uploading(aws))
        return "add_upload_part", on_upload("add_upload_part", made[-1].id, case=case)

    def then(aws: Aws, answer: Any) -> None:
        upload = made[-1]
        assert answer["statusCode"] in (200, 500)
        aws.deliver()
        for part_id in upload.part_ids:
            assert PartBlob("acme", upload.id, part_id).key in samples.objects(aws.stack)
        file = upload.complete()
        aws.deliver()
        assert_all_is_tidy_in_the_end(aws, file["id"])

    assert with_every_crash(monkeypatch, given, then) >= 2


def waiting(aws: Aws) -> str:
    """A file whose parts are yet to be put together."""
    return str(Uploading(aws).complete()["id"])


def assembled(aws: Aws) -> str:
    """A file that was put together."""
    file_id = waiting(aws)
    aws.deliver()
    return file_id


@pytest.mark.parametrize("make", [waiting, assembled])
def test_crashed_delete_of_a_file_in_parts_is_all_or_nothing(
    make: Callable[[Aws], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "AT_ONCE_BYTES", 0)
    file_ids: list[str] = []

    def given(aws: Aws) -> Call:
        file_ids.append(make(aws))
        return "delete_file", about("delete_file", file_ids[-1])

    def then(aws: Aws, answer: Any) -> None:
        file_id = file_ids[-1]
        assert answer["statusCode"] in (200, 500)
        deleted = answer["statusCode"] == 200 or status(aws, "retrieve_file", file_id) == 404
        aws.deliver()
        if deleted:
            assert_gone(aws, file_id)
        assert_all_is_tidy_in_the_end(aws, None if deleted else file_id)

    assert with_every_crash(monkeypatch, given, then) >= 3
