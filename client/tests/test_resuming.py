"""An upload in parts goes on where it stopped."""

import io
from pathlib import Path
from typing import Any

import openai
import pytest

from client.tests.conftest import IN_PARTS, LARGE, MIB, MakeFile, Sdk, Unknown, sha256
from client.tests.dying import send_and_die
from client.tests.stub import Fault, Stub
from files_api_client import Client, FileChanged, resume

PARTS = 5  # of `large`


def begun(sdk: Sdk, stub: Stub, path: Path) -> str:
    """The id of a pending file whose first two parts are stored."""
    stub.faults.append(Fault("PUT .*[.]3", 400))
    with pytest.raises(openai.BadRequestError):
        sdk.create(path, **IN_PARTS, parallel=1, keep_pending=True)
    [file_id] = stub.files
    stub.calls.clear()
    stub.faults.clear()
    return file_id


def test_a_killed_upload_sends_at_most_parallel_parts_twice(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    path = make_file(20 * MIB + 3)
    options = {**IN_PARTS, "parallel": 3}
    file_id = send_and_die(sdk, path, 8 * MIB, options)
    stored = {blob.name for blob in stub.folder.iterdir()} & set(stub.files[file_id]["_blobs"])
    first = len(stub.asked("PUT .*"))
    assert len(stored) >= 8 - 3

    file = sdk.resume(file_id, path, **options)
    assert (file.id, file.status) == (file_id, "processed")
    assert stub.digest(file_id) == sha256(path)
    again = {call.removeprefix("PUT /store/") for call in stub.asked("PUT .*")[first:]}
    assert not again & stored
    assert len(stub.asked("PUT .*")) <= 21 + 3


def test_a_resumed_upload_sends_what_is_missing(sdk: Sdk, stub: Stub, large: Path) -> None:
    file_id = begun(sdk, stub, large)
    seen: list[tuple[int, int]] = []
    file = sdk.resume(file_id, large, progress=lambda *told: seen.append(told))
    assert (file.id, file.status, file.bytes) == (file_id, "processed", LARGE)
    names = [f"PUT /store/{file_id}.{number}" for number in range(3, PARTS + 1)]
    assert sorted(stub.asked("PUT .*")) == names
    assert seen[:2] == [(MIB, LARGE), (2 * MIB, LARGE)]
    assert seen[-1] == (LARGE, LARGE)
    assert stub.digest(file_id) == sha256(large)


def test_a_resumed_upload_reads_every_page(sdk: Sdk, stub: Stub, large: Path) -> None:
    file_id = begun(sdk, stub, large)
    stub.page = 1
    sdk.resume(file_id, large)
    assert stub.queries("GET .*/parts") == [f"after={each}&limit=1000" for each in range(PARTS)]
    assert stub.digest(file_id) == sha256(large)


def test_a_complete_file_is_answered_without_a_byte(sdk: Sdk, stub: Stub, large: Path) -> None:
    file_id = sdk.create(large, **IN_PARTS).id
    stub.calls.clear()
    assert sdk.resume(file_id, large).status == "processed"
    assert set(stub.asked(".*")) == {f"GET /v1/files/{file_id}"}


@pytest.mark.parametrize("call", ["GET /v1/files/[^/]*", "GET .*/parts"])
def test_a_file_that_the_service_gave_up_is_not_found(
    sdk: Sdk, stub: Stub, large: Path, call: str
) -> None:
    file_id = begun(sdk, stub, large)
    gone = '{"error": {"message": "m", "type": "t", "param": "id", "code": null}}'
    stub.faults.append(Fault(call, 404, gone))
    with pytest.raises(openai.NotFoundError) as refused:
        sdk.resume(file_id, large)
    assert refused.value.param == "id"
    assert stub.asked("PUT .*") == []


@pytest.mark.parametrize("size", [10, LARGE - 1, LARGE + 1])
def test_a_file_of_another_size_is_not_resumed(
    sdk: Sdk, stub: Stub, large: Path, make_file: MakeFile, size: int
) -> None:
    file_id = begun(sdk, stub, large)
    with pytest.raises(
        FileChanged, match=f"has {size} bytes, but the upload to resume has {LARGE}"
    ):
        sdk.resume(file_id, make_file(size))
    assert stub.asked("PUT .*") == []
    assert list(stub.files) == [file_id]


def test_a_resumed_upload_that_fails_can_be_resumed(sdk: Sdk, stub: Stub, large: Path) -> None:
    file_id = begun(sdk, stub, large)
    stub.faults.append(Fault("PUT .*[.]5", 0, times=2))
    with pytest.raises(openai.APIConnectionError):
        sdk.resume(file_id, large, retries=1, parallel=1)
    assert sdk.resume(file_id, large).status == "processed"
    assert len(stub.asked("PUT .*")) == 2 + 2 + 1


@pytest.mark.parametrize("keep_pending", [True, False])
def test_a_failed_upload_is_kept_on_demand(
    sdk: Sdk, stub: Stub, large: Path, *, keep_pending: bool
) -> None:
    stub.faults.append(Fault("PUT .*", 400, times=9))
    with pytest.raises(openai.BadRequestError):
        sdk.create(large, **IN_PARTS, keep_pending=keep_pending)
    assert len(stub.files) == keep_pending


def test_a_failed_file_in_one_put_is_never_kept(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("PUT .*", 400, times=9))
    with pytest.raises(openai.BadRequestError):
        sdk.create(large, keep_pending=True)
    assert stub.files == {}


def test_on_pending_hears_of_files_that_can_be_resumed(sdk: Sdk, stub: Stub, large: Path) -> None:
    heard: list[Any] = []
    sdk.create(large, on_pending=heard.append)
    sdk.create(b"small", on_pending=heard.append)
    assert heard == []
    file = sdk.create(large, **IN_PARTS, on_pending=heard.append)
    [pending] = heard
    assert (pending["id"], pending["status"]) == (file.id, "pending")
    assert (pending["upload"]["part_size"], pending["upload"]["parts"]) == (MIB, PARTS)


def test_a_caller_who_raises_in_on_pending_ends_the_upload(
    sdk: Sdk, stub: Stub, large: Path
) -> None:
    def refuse(file: Any) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        sdk.create(large, **IN_PARTS, on_pending=refuse)
    assert stub.files == {}
    assert stub.asked("PUT .*") == []


def test_a_file_that_cannot_seek_is_not_resumed(stub: Stub) -> None:
    with (
        openai.OpenAI(base_url=stub.base_url, api_key="sk", http_client=Client()) as client,
        pytest.raises(ValueError, match="must be able to seek"),
    ):
        resume(client, "id", io.BufferedReader(Unknown(b"a")))
