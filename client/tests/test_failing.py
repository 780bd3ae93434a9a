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
LOOK = "GET /v1/files/[^/]*"
NO_UPLOAD = "<Error><Code>NoSuchUpload</Code></Error>"

either_way = pytest.mark.parametrize("way", WAYS)


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
        Fault("GET .*/parts", 429),
        Fault("GET .*/parts", 0, times=3),
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


@either_way
@pytest.mark.parametrize("status", [500, 429, 0])
def test_a_failed_announcement_is_retried_by_the_sdk(
    sdk: Sdk, stub: Stub, large: Path, way: str, status: int
) -> None:
    stub.faults.append(Fault("POST /v1/files", status))
    sdk.settings["max_retries"] = 1
    file = sdk.create(large, **WAYS[way])
    assert len(stub.asked("POST /v1/files")) == 2
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
    assert stub.files == {}


@pytest.mark.parametrize(
    ("call", "way"),
    [("PUT .*", "direct"), ("PUT .*", "parts"), ("GET .*/parts", "parts"), ("GET .*", "direct")],
    ids=["no S3", "no S3 for parts", "no list of parts", "no service after the bytes"],
)
def test_an_upload_that_fails_for_good_leaves_nothing(
    sdk: Sdk, stub: Stub, large: Path, call: str, way: str
) -> None:
    stub.faults.append(Fault(call, 0, times=99))
    with pytest.raises(openai.APIConnectionError):
        sdk.create(large, **WAYS[way], retries=1)
    assert stub.files == {}


@either_way
def test_a_caller_who_raises_in_progress_gives_the_upload_up(
    sdk: Sdk, stub: Stub, large: Path, way: str
) -> None:
    def enough(sent: int, total: int) -> None:
        if sent >= 2 * MIB:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sdk.create(large, **WAYS[way], progress=enough)
    assert stub.files == {}


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is heard, even where a shell has started the tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@either_way
def test_ctrl_c_leaves_nothing(stub: Stub, make_file: MakeFile, way: str) -> None:
    interrupts = iter([_thread.interrupt_main])

    def enough(sent: int, total: int) -> None:
        if sent >= 2 * MIB:
            next(interrupts, int)()

    sdk = Sdk("threads", {"base_url": stub.base_url, "api_key": KEY})
    with pytest.raises(KeyboardInterrupt):
        sdk.create(make_file(40 * MIB), **WAYS[way] | {"part_size": 20 * MIB}, progress=enough)
    assert stub.files == {}


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
    assert stub.files == {}


def test_an_expired_url_is_replaced_by_another_file(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("PUT .*", 403, EXPIRED))
    file = sdk.create(large)
    assert len(stub.asked("POST /v1/files")) == 2
    assert list(stub.files) == [file.id]


def test_an_expired_url_of_a_part_is_asked_for_again(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("PUT .*[.]3", 403, EXPIRED))
    file = sdk.create(large, **IN_PARTS)
    assert stub.queries("GET .*/parts") == ["after=0&limit=1000", "after=2&limit=1"]
    assert len(stub.asked("PUT .*")) == 6
    assert stub.digest(file.id) == sha256(large)


def test_a_url_known_to_be_expired_is_not_tried(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.links_expire_at = 1
    sdk.create(large, **IN_PARTS)
    assert sorted(stub.queries("GET .*/parts")) == [
        "after=0&limit=1",
        "after=0&limit=1000",
        *(f"after={number}&limit=1" for number in range(1, 5)),
    ]
    assert len(stub.asked("PUT .*")) == 5


def test_a_part_whose_answer_was_lost_is_not_sent_again(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("PUT .*[.]3", 0, first=True))
    seen = []
    sdk.create(large, **IN_PARTS, progress=lambda *told: seen.append(told))
    assert len(stub.asked("PUT .*")) == 5
    assert seen[-1] == (LARGE, LARGE)


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("PUT .*[.]5", 404, NO_UPLOAD, first=True)],
        [Fault("PUT .*[.]5", 0, first=True), Fault("GET .*/parts", 400)],
    ],
    ids=["S3 refuses the part", "the service lists no parts"],
)
def test_a_file_completed_by_another_is_answered(
    sdk: Sdk, stub: Stub, large: Path, faults: list[Fault]
) -> None:
    def complete(sent: int, total: int) -> None:
        if not stub.faults:
            stub.faults.extend(replace(each) for each in faults)

    file = sdk.create(large, **IN_PARTS, parallel=1, progress=complete)
    assert file.status == "processed"
    assert stub.digest(file.id) == sha256(large)
    assert not any(each.times for each in stub.faults)


def test_a_multipart_upload_that_is_gone_is_an_error(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("PUT .*[.]3", 404, NO_UPLOAD, times=9))
    with pytest.raises(openai.NotFoundError) as refused:
        sdk.create(large, **IN_PARTS)
    assert refused.value.code == "upload_failed"
    assert stub.files == {}


def test_a_file_that_nobody_will_hear_of_is_taken_back(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.polls = 3
    stub.faults.append(Fault(LOOK, 500, times=9))
    with pytest.raises(openai.InternalServerError):
        sdk.create(large, **IN_PARTS)
    assert stub.files == {}


@pytest.mark.parametrize("end", ["processed", "error"])
def test_an_assembly_is_waited_for(sdk: Sdk, stub: Stub, large: Path, end: Any) -> None:
    stub.polls, stub.ends_as = 3, end
    assert sdk.create(large, **IN_PARTS).status == end
    assert len(stub.asked(LOOK)) == 4


def test_an_assembly_that_never_ends_is_answered_as_it_is(
    sdk: Sdk, stub: Stub, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "ASSEMBLY_SECONDS", 0.003)
    stub.polls = 1000
    assert sdk.create(large, **IN_PARTS).to_dict()["status"] == "pending"
    assert len(stub.asked(LOOK)) == 3


def test_no_thread_is_left(sdk: Sdk, stub: Stub, large: Path) -> None:
    sdk.create(large, **IN_PARTS)
    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith("files-api-client")] == []
