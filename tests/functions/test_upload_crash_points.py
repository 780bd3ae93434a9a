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
from tests.functions.crashes import Aws, Call, Payload
from tests.functions.outcomes import (
    about,
    assert_consistent,
    assert_gone,
    assert_only_files_are_left,
    assert_there,
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
        completing: the call that completes it.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.id = str(answered(aws, "create_upload", event("create_upload", "success"))["id"])
        sent = answered(aws, "add_upload_part", on_upload("add_upload_part", self.id))
        ask = on_upload("add_upload_part", self.id, {"bytes": len(WORLD)}, "success_direct")
        presigned = answered(aws, "add_upload_part", ask)
        assert aws.upload(presigned["upload"], WORLD)
        self.part_ids = [presigned["id"], sent["id"]]
        body = {"part_ids": self.part_ids}
        self.completing: Call = ("complete_upload", on_upload("complete_upload", self.id, body))

    def complete(self) -> str:
        """Completes it; gives the file's id."""
        return str(answered(self._aws, *self.completing)["file"]["id"])

    @property
    def status(self) -> str:
        found = upload_samples.records(self._aws.stack).get("acme", self.id)
        assert found is not None
        return found.status


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """No caller waits for an assembly."""
    monkeypatch.setattr(completion, "AT_ONCE_PIECES", 0)


@pytest.fixture(params=["at once", "later"])
def when(request: pytest.FixtureRequest) -> str:
    """How the file is put together: while the caller waits, or not."""
    if request.param == "later":
        request.getfixturevalue("later")
    return str(request.param)


def works(aws: Aws) -> list[Call]:
    """What the assembly queue holds."""
    return [each for each in aws.events if each[0] == "assemble_upload"]


def assert_all_is_tidy_in_the_end(aws: Aws, file_id: str | None) -> None:
    """When what can expire has expired, there is the file, or nothing."""
    aws.expire_pending()
    if file_id:
        assert_there(aws, file_id)
    assert_only_files_are_left(aws, *([file_id] if file_id else []))


@pytest.mark.parametrize("again", [False, True])
def test_crashed_complete_is_all_or_nothing(when: str, again: bool, aws: Aws) -> None:
    upload = Uploading(aws)
    for answer in aws.crashing(*upload.completing):
        assert answer["statusCode"] in (200, 500)
        assert_consistent(aws)
        if again:
            if answer["statusCode"] == 200:
                continue  # nobody repeats it
            upload.complete()
        assert when == "at once" or works(aws) or answer["statusCode"] == 500
        aws.deliver()
        assert_consistent(aws)
        completed = upload.status == "completed"
        assert completed or not again
        assert completed or answer["statusCode"] == 500
        assert_all_is_tidy_in_the_end(aws, upload.complete() if completed else None)
    assert aws.crashes >= 5


@pytest.mark.usefixtures("later")
def test_crashed_assembly_is_resumed_and_completes(aws: Aws) -> None:
    file_id = Uploading(aws).complete()
    (work,) = works(aws)
    for _ in aws.crashing(*work):
        assert_consistent(aws)
        assert aws.call(*work) == {}  # Lambda tries again
        assert_there(aws, file_id)
        aws.deliver()
        assert_all_is_tidy_in_the_end(aws, file_id)
    assert aws.crashes >= 10


@pytest.mark.usefixtures("later")
def test_crashed_fail_assembly_leaves_an_error_then_nothing(aws: Aws) -> None:
    file_id = Uploading(aws).complete()
    ((_, work),) = works(aws)
    aws.events = [each for each in aws.events if each[0] != "assemble_upload"]
    payload = event("fail_assembly", "success") | {"requestPayload": work}
    for _ in aws.crashing("fail_assembly", payload):
        assert aws.call("fail_assembly", payload) == {}
        found = aws.call("retrieve_file", about("retrieve_file", file_id))
        assert json.loads(found["body"])["status"] == "error"
        aws.deliver()
        assert_all_is_tidy_in_the_end(aws, None)
        assert_gone(aws, file_id)
    assert aws.crashes >= 5


def test_crashed_cancel_is_all_or_nothing(aws: Aws) -> None:
    upload = Uploading(aws)
    for answer in aws.crashing("cancel_upload", on_upload("cancel_upload", upload.id)):
        aws.deliver()
        assert answer["statusCode"] in (200, 500)
        if answer["statusCode"] == 200 or upload.status == "cancelled":
            assert aws.call(*upload.completing)["statusCode"] == 400
            assert samples.objects(aws.stack) == {}
            assert_all_is_tidy_in_the_end(aws, None)
        else:
            assert_completes(aws, upload)
    assert aws.crashes == 4


@pytest.mark.parametrize("case", ["success", "success_direct"])
def test_crashed_part_changes_nothing(case: str, aws: Aws) -> None:
    upload = Uploading(aws)
    for answer in aws.crashing(
        "add_upload_part", on_upload("add_upload_part", upload.id, case=case)
    ):
        assert answer["statusCode"] in (200, 500)
        aws.deliver()
        for part_id in upload.part_ids:
            assert PartBlob("acme", upload.id, part_id).key in samples.objects(aws.stack)
        assert_completes(aws, upload)
    assert aws.crashes >= 2


def assert_completes(aws: Aws, upload: Uploading) -> None:
    file_id = upload.complete()
    aws.deliver()
    assert_all_is_tidy_in_the_end(aws, file_id)


def waiting(aws: Aws) -> str:
    """A file whose parts are yet to be put together."""
    return Uploading(aws).complete()


def assembled(aws: Aws) -> str:
    """A file that was put together."""
    file_id = waiting(aws)
    aws.deliver()
    return file_id


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("make", [waiting, assembled])
def test_crashed_delete_of_a_file_in_parts_is_all_or_nothing(
    make: Callable[[Aws], str], aws: Aws
) -> None:
    file_id = make(aws)
    for answer in aws.crashing("delete_file", about("delete_file", file_id)):
        assert answer["statusCode"] in (200, 500)
        deleted = answer["statusCode"] == 200 or status(aws, "retrieve_file", file_id) == 404
        aws.deliver()
        if deleted:
            assert_gone(aws, file_id)
        assert_all_is_tidy_in_the_end(aws, None if deleted else file_id)
    assert aws.crashes >= 3
