"""What fails is tried again, or is told as the SDK tells it; nothing is left behind."""

import _thread
import asyncio
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import openai
import pytest
from openai import AsyncOpenAI

from client.tests.conftest import IN_PARTS, LARGE, MIB, MakeFile, Sdk, sha256
from client.tests.stub import KEY, Fault, Stub
from files_api_client import AsyncClient, plan

WAYS: dict[str, dict[str, Any]] = {"direct": {}, "parts": IN_PARTS}
EXPIRED = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
IDLED = "<Error><Code>RequestTimeout</Code></Error>"

either_way = pytest.mark.parametrize("way", WAYS)


def nothing_is_left(stub: Stub) -> bool:
    """Whether the stub has no file, and no upload that still takes parts."""
    return not stub.files and {each["status"] for each in stub.uploads.values()} <= {"cancelled"}


@either_way
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
    sdk: Sdk, stub: Stub, large: Path, fault: Fault, way: str
) -> None:
    stub.faults.append(replace(fault))
    seen = []
    file = sdk.create(large, **WAYS[way], progress=lambda *told: seen.append(told))
    assert stub.digest(file.id) == sha256(large)
    assert seen[-1] == (LARGE, LARGE)
    assert [each["status"] for each in stub.files.values()] == ["processed"]
    assert not stub.asked(".*/cancel")


@pytest.mark.parametrize(
    ("path", "way"), [("/v1/files", "direct"), ("/v1/uploads", "parts")], ids=["direct", "parts"]
)
@pytest.mark.parametrize("status", [500, 429, 0])
def test_a_failed_request_for_a_url_is_retried_by_the_sdk(
    sdk: Sdk, stub: Stub, large: Path, path: str, way: str, status: int
) -> None:
    stub.faults.append(Fault(f"POST {path}", status))
    sdk.settings["max_retries"] = 1
    file = sdk.create(large, **WAYS[way])
    assert len(stub.asked(f"POST {path}")) == 2
    assert stub.digest(file.id) == sha256(large)


def test_an_upload_that_cannot_be_stored_is_retried_by_the_sdk(
    sdk: Sdk, stub: Stub, large: Path
) -> None:
    stub.faults.append(Fault("PUT .*", 503, times=2))
    sdk.settings["max_retries"] = 1
    file = sdk.create(large, retries=1)
    assert len(stub.asked("POST /v1/files")) == 2
    assert list(stub.files) == [file.id]


@either_way
def test_the_services_refusal_is_what_the_sdk_raises(
    sdk: Sdk, stub: Stub, large: Path, way: str
) -> None:
    sdk.settings["api_key"] = "sk-wrong"
    with pytest.raises(openai.AuthenticationError) as refused:
        sdk.create(large, **WAYS[way])
    assert (refused.value.code, refused.value.request_id) == ("invalid_api_key", "req-1")


def test_a_refusal_that_is_not_the_services_is_told_as_it_is(
    sdk: Sdk, stub: Stub, large: Path
) -> None:
    stub.faults.append(Fault("POST /v1/files", 413, "<html>"))
    with pytest.raises(openai.APIStatusError) as refused:
        sdk.create(large)
    assert (refused.value.status_code, refused.value.response.text) == (413, "<html>")
    assert len(stub.calls) == 1


def test_an_unknown_purpose_is_refused_before_a_byte_is_sent(
    sdk: Sdk, stub: Stub, large: Path
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.create(large, purpose="none")
    assert (refused.value.param, refused.value.code) == ("purpose", "invalid_value")
    assert stub.asked("PUT .*") == []


@either_way
def test_an_error_of_s3_has_the_services_form(sdk: Sdk, stub: Stub, large: Path, way: str) -> None:
    stub.faults.append(Fault("PUT .*", 403, EXPIRED, times=99))
    with pytest.raises(openai.APIError) as refused:
        sdk.create(large, **WAYS[way], retries=1)
    assert refused.value.body == {
        "message": "The storage refused the file's bytes: 403 AccessDenied.",
        "type": "invalid_request_error",
        "param": "file",
        "code": "upload_failed",
    }
    assert nothing_is_left(stub)


REFUSAL = '{"error": {"message": "m", "type": "t", "param": "part_ids", "code": "c"}}'


@pytest.mark.parametrize(
    ("fault", "way", "error"),
    [
        (Fault("PUT .*", 0, times=99), "direct", openai.APIConnectionError),
        (Fault("PUT .*", 0, times=99), "parts", openai.APIConnectionError),
        (Fault("GET .*", 0, times=99), "direct", openai.APIConnectionError),
        (Fault("POST .*/complete", 400, REFUSAL), "parts", openai.BadRequestError),
    ],
    ids=["no S3", "no S3 for parts", "no service after the bytes", "sizes do not add up"],
)
def test_an_upload_that_fails_for_good_leaves_nothing(
    sdk: Sdk, stub: Stub, large: Path, fault: Fault, way: str, error: type[openai.APIError]
) -> None:
    stub.faults.append(replace(fault))
    with pytest.raises(error) as raised:
        sdk.create(large, **WAYS[way], retries=1)
    assert raised.value.param == ("part_ids" if error is openai.BadRequestError else None)
    assert nothing_is_left(stub)


@either_way
def test_a_caller_who_raises_in_progress_gives_the_upload_up(
    sdk: Sdk, stub: Stub, large: Path, way: str
) -> None:
    def enough(sent: int, total: int) -> None:
        if sent >= 2 * MIB:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sdk.create(large, **WAYS[way], progress=enough)
    assert nothing_is_left(stub)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is heard, even where a shell has started the tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@either_way
def test_ctrl_c_leaves_nothing(stub: Stub, make_file: MakeFile, way: str) -> None:
    def enough(sent: int, total: int) -> None:
        if sent >= 2 * MIB:
            _thread.interrupt_main()

    sdk = Sdk("threads", {"base_url": stub.base_url, "api_key": KEY})
    with pytest.raises(KeyboardInterrupt):
        sdk.create(make_file(40 * MIB), **WAYS[way] | {"part_size": 20 * MIB}, progress=enough)
    assert nothing_is_left(stub)


@either_way
def test_a_cancelled_task_leaves_nothing(stub: Stub, large: Path, way: str) -> None:
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
            with large.open("rb") as content, scope:
                await sdk.files.create(file=content, purpose="user_data")
        assert scope.cancelled_caught

    asyncio.run(main())
    assert nothing_is_left(stub)


@pytest.mark.parametrize(
    ("way", "request_"), [("direct", "POST /v1/files"), ("parts", "POST .*/parts")]
)
def test_an_expired_presigned_url_is_replaced(
    sdk: Sdk, stub: Stub, large: Path, way: str, request_: str
) -> None:
    sdk.create(large, **WAYS[way])
    usual = len(stub.asked(request_))
    stub.faults.append(Fault("PUT .*", 403, EXPIRED))
    sdk.create(large, **WAYS[way])
    assert len(stub.asked(request_)) == 2 * usual + 1


def test_a_file_that_nobody_will_hear_of_is_taken_back(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.polls = 3
    stub.faults.append(Fault("GET .*", 500, times=9))
    with pytest.raises(openai.InternalServerError):
        sdk.create(large, **IN_PARTS)
    assert stub.files == {}


@pytest.mark.parametrize("end", ["processed", "error"])
def test_an_assembly_is_waited_for(sdk: Sdk, stub: Stub, large: Path, end: Any) -> None:
    stub.polls, stub.ends_as = 3, end
    assert sdk.create(large, **IN_PARTS).status == end
    assert len(stub.asked("GET .*")) == 4


def test_an_assembly_that_never_ends_is_answered_as_it_is(
    sdk: Sdk, stub: Stub, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "ASSEMBLY_SECONDS", 0.003)
    stub.polls = 1000
    assert sdk.create(large, **IN_PARTS).status == "uploaded"
    assert len(stub.asked("GET .*")) == 3


def test_no_thread_is_left(sdk: Sdk, stub: Stub, large: Path) -> None:
    sdk.create(large, **IN_PARTS)
    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith("files-api-client")] == []
