"""What fails is tried again, or is told as the SDK tells it; nothing is left behind."""

import _thread
import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import openai
import pytest
from openai import AsyncOpenAI

from client.tests.conftest import MIB, Sdk, sha256
from client.tests.stub import KEY, Fault, Stub
from files_api_client import AsyncClient, plan

LARGE = 4_500_001
IN_PARTS = {"direct_limit": 0, "part_size": MIB}
WAYS: dict[str, dict[str, Any]] = {"direct": {}, "parts": IN_PARTS}
EXPIRED = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
IDLED = "<Error><Code>RequestTimeout</Code></Error>"

MakeFile = Callable[[int], Path]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT .*", 503),
        Fault("PUT .*", 0),
        Fault("PUT .*", 0, first=True),
        Fault("PUT .*", 500, first=True),
        Fault("PUT .*", 403, EXPIRED),
        Fault("PUT .*", 400, IDLED),
        Fault("PUT .*", 409),
        Fault("GET .*", 502, times=3),
        Fault("GET .*", 0),
        Fault("POST .*/parts", 500),
        Fault("POST .*/parts", 0, times=3),
        Fault("POST .*/complete", 429),
    ],
    ids=lambda fault: f"{fault.call} {fault.status} {fault.first or ''}",
)
def test_what_fails_for_once_is_tried_again_without_the_sdk(
    sdk: Sdk, stub: Stub, make_file: MakeFile, fault: Fault, way: str
) -> None:
    stub.faults.append(Fault(fault.call, fault.status, fault.body, fault.first, fault.times))
    seen = []
    path = make_file(LARGE)
    with path.open("rb") as content:
        file = sdk.create(content, **WAYS[way], progress=lambda *told: seen.append(told))
    assert stub.digest(file.id) == sha256(path)
    assert seen[-1] == (LARGE, LARGE)
    assert [each["status"] for each in stub.files.values()] == ["processed"]
    assert way == "direct" or not stub.asked(".*/cancel")


@pytest.mark.parametrize(
    ("path", "way"), [("/v1/files", "direct"), ("/v1/uploads", "parts")], ids=["direct", "parts"]
)
@pytest.mark.parametrize("status", [500, 429, 0])
def test_a_failed_request_for_a_url_is_retried_by_the_sdk(
    sdk: Sdk, stub: Stub, make_file: MakeFile, path: str, way: str, status: int
) -> None:
    stub.faults.append(Fault(f"POST {path}", status, times=2))
    sdk.settings["max_retries"] = 2
    with make_file(LARGE).open("rb") as content:
        file = sdk.create(content, **WAYS[way])
    assert len(stub.asked(f"POST {path}")) == 3
    assert stub.digest(file.id) == sha256(make_file(LARGE))


def test_an_upload_that_cannot_be_stored_is_retried_by_the_sdk(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    stub.faults.append(Fault("PUT .*", 503, times=2))
    sdk.settings["max_retries"] = 1
    with make_file(LARGE).open("rb") as content:
        file = sdk.create(content, retries=1)
    assert len(stub.asked("POST /v1/files")) == 2
    assert list(stub.files) == [file.id]


def test_the_services_refusal_is_what_the_sdk_raises(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    for options in WAYS.values():
        sdk.settings["api_key"] = "sk-wrong"
        with (
            make_file(LARGE).open("rb") as content,
            pytest.raises(openai.AuthenticationError) as refused,
        ):
            sdk.create(content, **options)
        assert (refused.value.code, refused.value.request_id) == ("invalid_api_key", "req-1")
        stub.calls.clear()


def test_a_refusal_that_is_not_the_services_is_told_as_it_is(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    stub.faults.append(Fault("POST /v1/files", 413, "<html>"))
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.APIStatusError) as refused:
        sdk.create(content)
    assert (refused.value.status_code, refused.value.response.text) == (413, "<html>")
    assert len(stub.calls) == 1


def test_a_service_lost_after_the_bytes_is_a_connection_error(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    stub.faults.append(Fault("GET .*", 0, times=99))
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.APIConnectionError):
        sdk.create(content)
    assert stub.files == {}


def test_an_unknown_purpose_is_refused_before_a_byte_is_sent(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.BadRequestError) as refused:
        sdk.create(content, purpose="none")
    assert (refused.value.param, refused.value.code) == ("purpose", "invalid_value")
    assert stub.asked("PUT .*") == []


@pytest.mark.parametrize("way", WAYS)
def test_an_error_of_s3_has_the_services_form(
    sdk: Sdk, stub: Stub, make_file: MakeFile, way: str
) -> None:
    stub.faults.append(Fault("PUT .*", 403, EXPIRED, times=99))
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.APIError) as refused:
        sdk.create(content, **WAYS[way], retries=1)
    assert refused.value.body == {
        "message": "The storage refused the file's bytes: 403 AccessDenied.",
        "type": "invalid_request_error",
        "param": "file",
        "code": "upload_failed",
    }
    assert stub.files == {}
    assert [each["status"] for each in stub.uploads.values()] in ([], ["cancelled"])


@pytest.mark.parametrize("way", WAYS)
def test_an_unreachable_s3_is_a_connection_error(
    sdk: Sdk, stub: Stub, make_file: MakeFile, way: str
) -> None:
    stub.faults.append(Fault("PUT .*", 0, times=99))
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.APIConnectionError):
        sdk.create(content, **WAYS[way], retries=1)
    assert stub.files == {}
    assert [each["status"] for each in stub.uploads.values()] in ([], ["cancelled"])


@pytest.mark.parametrize("way", WAYS)
def test_a_caller_who_raises_in_progress_gives_the_upload_up(
    sdk: Sdk, stub: Stub, make_file: MakeFile, way: str
) -> None:
    def enough(sent: int, total: int) -> None:
        if sent >= 2 * MIB:
            raise InterruptedError

    with make_file(LARGE).open("rb") as content, pytest.raises(InterruptedError):
        sdk.create(content, **WAYS[way], progress=enough)
    assert stub.files == {}
    assert [each["status"] for each in stub.uploads.values()] in ([], ["cancelled"])


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is heard, even where a shell has started the tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("way", WAYS)
def test_ctrl_c_leaves_nothing(stub: Stub, make_file: MakeFile, way: str) -> None:
    def enough(sent: int, total: int) -> None:
        if sent >= 2 * MIB:
            _thread.interrupt_main()

    sdk = Sdk("threads", {"base_url": stub.base_url, "api_key": KEY})
    with make_file(40 * MIB).open("rb") as content, pytest.raises(KeyboardInterrupt):
        sdk.create(content, **WAYS[way] | {"part_size": 20 * MIB}, progress=enough)
    assert stub.files == {}
    assert [each["status"] for each in stub.uploads.values()] in ([], ["cancelled"])


@pytest.mark.parametrize("way", WAYS)
def test_a_cancelled_task_leaves_nothing(stub: Stub, make_file: MakeFile, way: str) -> None:
    # A scope of AnyIO cancels all that is awaited within, the last words as well, unless shielded.
    async def main() -> None:
        scope = anyio.CancelScope()

        def enough(sent: int, total: int) -> None:
            if sent >= 2 * MIB:
                scope.cancel()

        async with (
            AsyncClient(progress=enough, **WAYS[way]) as http,
            AsyncOpenAI(base_url=stub.base_url, api_key=KEY, http_client=http) as sdk,
        ):
            with make_file(LARGE).open("rb") as content, scope:
                await sdk.files.create(file=content, purpose="user_data")
        assert scope.cancelled_caught

    asyncio.run(main())
    assert stub.files == {}
    assert [each["status"] for each in stub.uploads.values()] in ([], ["cancelled"])


def test_an_expired_presigned_url_is_replaced(sdk: Sdk, stub: Stub, make_file: MakeFile) -> None:
    requests = {"direct": "POST /v1/files", "parts": "POST .*/parts"}
    for way, options in WAYS.items():
        with make_file(LARGE).open("rb") as content:
            sdk.create(content, **options)
            usual = len(stub.asked(requests[way]))
            stub.faults.append(Fault("PUT .*", 403, EXPIRED))
            sdk.create(content, **options)
        assert len(stub.asked(requests[way])) == 2 * usual + 1


def test_sizes_that_do_not_add_up_cancel_the_upload(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    refusal = '{"error": {"message": "m", "type": "t", "param": "part_ids", "code": "c"}}'
    stub.faults.append(Fault("POST .*/complete", 400, refusal))
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.BadRequestError) as refused:
        sdk.create(content, **IN_PARTS)
    assert refused.value.param == "part_ids"
    assert [each["status"] for each in stub.uploads.values()] == ["cancelled"]


def test_a_file_that_nobody_will_hear_of_is_taken_back(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    stub.polls = 3
    stub.faults.append(Fault("GET .*", 500, times=9))
    with make_file(LARGE).open("rb") as content, pytest.raises(openai.InternalServerError):
        sdk.create(content, **IN_PARTS)
    assert stub.files == {}


@pytest.mark.parametrize("end", ["processed", "error"])
def test_an_assembly_is_waited_for(sdk: Sdk, stub: Stub, make_file: MakeFile, end: Any) -> None:
    stub.polls, stub.ends_as = 3, end
    with make_file(LARGE).open("rb") as content:
        file = sdk.create(content, **IN_PARTS)
    assert file.status == end
    assert len(stub.asked("GET .*")) == 4


def test_an_assembly_that_never_ends_is_answered_as_it_is(
    sdk: Sdk, stub: Stub, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "ASSEMBLY_SECONDS", 0.003)
    stub.polls = 1000
    with make_file(LARGE).open("rb") as content:
        assert sdk.create(content, **IN_PARTS).status == "uploaded"
    assert len(stub.asked("GET .*")) == 3


def test_no_thread_is_left(sdk: Sdk, stub: Stub, make_file: MakeFile) -> None:
    with make_file(LARGE).open("rb") as content:
        sdk.create(content, **IN_PARTS)
    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith("files-api-client")] == []
