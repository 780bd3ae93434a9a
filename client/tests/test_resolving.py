"""An input with the files themselves in the place of their ids."""

import asyncio
import base64
import copy
from collections.abc import Callable
from typing import Any, cast

import openai
import pytest

from client.tests.stub import KEY, Fault, Stub
from files_api_client import AsyncClient, Client, Unresolvable

Resolve = Callable[..., Any]


@pytest.fixture(params=["threads", "tasks"])
def resolve(request: pytest.FixtureRequest, stub: Stub) -> Resolve:
    settings: dict[str, Any] = {"base_url": stub.base_url, "api_key": KEY}
    # What the service is told is none of the storage's business.
    told: dict[str, Any] = {"verify": False, "headers": {"Cookie": "a=b"}}

    async def with_tasks(input: Any, options: dict[str, Any]) -> Any:
        async with AsyncClient(**told) as client:
            return await client.resolve(input, **{**settings, **options})

    def run(input: Any, **options: Any) -> Any:
        if request.param == "tasks":
            return asyncio.run(with_tasks(input, options))
        with Client(**told) as client:
            return client.resolve(input, **{**settings, **options})

    return run


def message(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def inlined(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def test_a_file_becomes_a_data_url(resolve: Resolve, stub: Stub) -> None:
    stub.media_type = "application/pdf; version=1.7"
    file_id = stub.keep(b"%PDF \xff\0", "Übung.pdf")
    data = inlined(b"%PDF \xff\0", "application/pdf")
    assert resolve(message({"type": "input_file", "file_id": file_id})) == message(
        {"type": "input_file", "filename": "Übung.pdf", "file_data": data}
    )


def test_an_image_becomes_a_data_url(resolve: Resolve, stub: Stub) -> None:
    stub.media_type = "image/png"
    file_id = stub.keep(b"\x89PNG", "a.png")
    [resolved] = resolve(message({"type": "input_image", "file_id": file_id, "detail": "high"}))
    [part] = resolved["content"]
    assert part == {
        "type": "input_image",
        "detail": "high",
        "image_url": inlined(b"\x89PNG", "image/png"),
    }


def test_a_file_of_a_chat_becomes_a_data_url(resolve: Resolve, stub: Stub) -> None:
    stub.media_type = "text/csv"
    file_id = stub.keep(b"a,b", "t.csv")
    part = {"type": "file", "file": {"file_id": file_id}, "cache_control": {"type": "ephemeral"}}
    file = {"filename": "t.csv", "file_data": inlined(b"a,b", "text/csv")}
    assert resolve(message(part)) == message({**part, "file": file})


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ({"type": "input_file"}, "input_text"),
        ({"type": "input_image"}, "input_text"),
        ({"type": "file", "file": {}}, "text"),
    ],
)
def test_a_file_becomes_its_text(
    resolve: Resolve, stub: Stub, given: dict[str, Any], resolved: str
) -> None:
    file_id = stub.keep("\ufeffgrüß\n".encode(), "a.txt")
    (given.get("file", given))["file_id"] = file_id
    expected = message({"type": resolved, "text": "grüß\n"})
    assert resolve(message(given), into="text") == expected


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"%PDF-1.4 all ASCII"])
def test_a_file_that_is_not_text_is_an_error(resolve: Resolve, stub: Stub, content: bytes) -> None:
    stub.media_type = "application/pdf"
    file_id = stub.keep(content, "secret-name.pdf")
    with pytest.raises(Unresolvable) as refused:
        resolve(message({"type": "input_file", "file_id": file_id}), into="text")
    assert str(refused.value) == f"File {file_id} is not text in UTF-8, but application/pdf."
    assert refused.value.file_id == file_id


@pytest.mark.parametrize(
    ("kind", "field"), [("input_file", "file_url"), ("input_image", "image_url")]
)
def test_a_file_becomes_a_link(resolve: Resolve, stub: Stub, kind: str, field: str) -> None:
    file_id = stub.keep(b"a" * 100, "a.bin")
    [resolved] = resolve(message({"type": kind, "file_id": file_id}), into="link", max_bytes=0)
    [part] = resolved["content"]
    assert set(part) == {"type", field}
    assert part[field] == stub.link("blob-0", {})["url"]
    assert stub.asked(".*") == [f"GET /v1/files/{file_id}/url"]


def test_a_chat_takes_no_link(resolve: Resolve, stub: Stub) -> None:
    file_id = stub.keep(b"a", "a.bin")
    with pytest.raises(Unresolvable, match="cannot be a link: Chat Completions has no such field"):
        resolve(message({"type": "file", "file": {"file_id": file_id}}), into="link")


def test_files_that_tools_returned_are_found(resolve: Resolve, stub: Stub) -> None:
    file_id = stub.keep(b"seen", "a.txt")
    part = {"type": "input_file", "file_id": file_id}
    text = {"type": "input_text", "text": "seen"}
    shot = {"type": "computer_screenshot", "file_id": file_id}
    assert resolve(
        [
            {"type": "function_call_output", "call_id": "1", "output": [part]},
            {"type": "computer_call_output", "call_id": "2", "output": shot},
            {"role": "tool", "content": [part]},
        ],
        into="text",
    ) == [
        {"type": "function_call_output", "call_id": "1", "output": [text]},
        {"type": "computer_call_output", "call_id": "2", "output": text},
        {"role": "tool", "content": [text]},
    ]
    assert len(stub.asked("GET /store/.*")) == 1


REST: list[Any] = [
    "Summarize.",
    [],
    [{"role": "user", "content": "file_id"}, {"type": "reasoning", "id": "rs", "summary": []}],
    message({"type": "input_file", "file_id": None, "file_url": "https://example.com"}),
    message({"type": "input_file", "file_id": "", "file_data": "data:,"}),
    message({"type": "input_image", "image_url": "https://example.com"}),
    message({"type": "file", "file": {"file_data": "data:,"}}, {"type": "other", "file_id": "x"}),
    [{"type": "function_call", "arguments": '{"type": "input_file", "file_id": "x"}'}],
    [{"type": "function_call_output", "output": "x"}, object()],
]


@pytest.mark.parametrize("input", REST)
def test_the_rest_stays_as_it_is(resolve: Resolve, stub: Stub, input: Any) -> None:
    assert resolve(input) == input
    assert stub.calls == []


def test_the_argument_stays_as_it_is(resolve: Resolve, stub: Stub) -> None:
    file_id = stub.keep(b"a", "a.txt")
    given = message(
        {"type": "input_file", "file_id": file_id}, {"type": "file", "file": {"file_id": file_id}}
    )
    before = copy.deepcopy(given)
    assert resolve(given) != before
    assert given == before


def test_a_file_is_fetched_once(resolve: Resolve, stub: Stub) -> None:
    file_id = stub.keep(b"a", "a.txt")
    resolve(message(*[{"type": "input_file", "file_id": file_id}] * 3) * 2)
    assert stub.asked(".*") == [
        f"GET /v1/files/{file_id}",
        f"GET /v1/files/{file_id}/url",
        "GET /store/blob-0",
    ]


@pytest.mark.parametrize(("limit", "is_enough"), [(200, True), (199, False)])
def test_all_files_together_have_a_limit(
    resolve: Resolve, stub: Stub, limit: int, *, is_enough: bool
) -> None:
    file_id = stub.keep(b"a" * 100, "a.txt")
    twice = message(*[{"type": "input_file", "file_id": file_id}] * 2)
    if is_enough:
        assert len(resolve(twice, max_bytes=limit)[0]["content"]) == 2
        return
    with pytest.raises(Unresolvable, match="makes this input larger than the 199 bytes allowed"):
        resolve(twice, max_bytes=limit)


def test_a_file_above_the_limit_is_not_fetched(resolve: Resolve, stub: Stub) -> None:
    file_id = stub.keep(b"a" * 100, "a.txt")
    with pytest.raises(Unresolvable):
        resolve(message({"type": "input_file", "file_id": file_id}), max_bytes=99)
    assert stub.asked(".*") == [f"GET /v1/files/{file_id}"]


@pytest.mark.parametrize("into", ["data", "link", "text"])
@pytest.mark.parametrize("file_id", ["file-of-another", "../files", "a/b?c"])
def test_an_unknown_id_is_the_services_error(resolve: Resolve, into: str, file_id: str) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        resolve(message({"type": "input_file", "file_id": file_id}), into=into)
    assert refused.value.code == "unknown_url"
    assert refused.value.request_id


def test_the_key_of_the_caller_is_used(resolve: Resolve, stub: Stub) -> None:
    file_id = stub.keep(b"a", "a.txt")
    with pytest.raises(openai.AuthenticationError):
        resolve(message({"type": "input_file", "file_id": file_id}), api_key="sk-of-another")


def test_a_download_that_fails_is_repeated(resolve: Resolve, stub: Stub) -> None:
    stub.faults.append(Fault("GET /store/.*", 503))
    file_id = stub.keep(b"a", "a.txt")
    [resolved] = resolve(message({"type": "input_file", "file_id": file_id}), into="text")
    assert cast("dict[str, Any]", resolved)["content"][0]["text"] == "a"


def test_an_unknown_way_is_refused(resolve: Resolve) -> None:
    with pytest.raises(ValueError, match="into must be 'data', 'link' or 'text'"):
        resolve("", into="file_data")
