"""The real template on this machine, called through the unmodified SDK."""

import base64
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from tools.local.stack import LocalStack

from client.tests.conftest import LARGE, MIB, PLAIN_LIMIT, MakeFile, Sdk, sha256
from client.tests.dying import send_and_die
from client.tests.proxied import proxied
from files_api_client import Client

IN_PARTS = {"direct_limit": 0, "part_size": 6 * MIB, "parallel": 3}


@pytest.fixture(scope="module")
def settings(local_stack: LocalStack) -> dict[str, Any]:
    return {"base_url": local_stack.base_url, "api_key": local_stack.keys.create("client")[1]}


@pytest.mark.parametrize(
    ("how", "size", "options"),
    [
        ("tasks", 100_000, {}),
        ("threads", PLAIN_LIMIT, {}),
        ("tasks", LARGE, {}),
        ("threads", 150 * MIB, {}),
        ("threads", 150 * MIB, {"direct_limit": 150 * MIB}),
        ("threads", 40 * MIB + 1, IN_PARTS),
        ("tasks", 40 * MIB + 1, IN_PARTS),
    ],
)
def test_a_file_is_read_as_it_was_created(
    settings: dict[str, Any],
    make_file: MakeFile,
    tmp_path: Path,
    how: str,
    size: int,
    options: dict[str, Any],
) -> None:
    path = make_file(size)
    seen = []
    with path.open("rb") as content:
        file = Sdk(how, settings).create(
            ("Übung 1.jsonl", content),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": 7200},
            progress=lambda *told: seen.append(told),
            **options,
        )
    assert seen[-1] == (size, size)
    assert file.to_dict() == {
        "id": file.id,
        "object": "file",
        "bytes": size,
        "created_at": file.created_at,
        "expires_at": file.created_at + 7200,
        "filename": "Übung 1.jsonl",
        "purpose": "batch",
        "status": "processed",
    }
    assert file._request_id
    with (
        httpx2.Client(verify=False, follow_redirects=True) as http,
        openai.OpenAI(**settings, http_client=http) as client,
    ):
        assert client.files.retrieve(file.id).to_dict() == file.to_dict()
        with client.files.with_streaming_response.content(file.id) as answer:
            answer.stream_to_file(tmp_path / "copy")
    assert sha256(tmp_path / "copy") == sha256(path)


def test_a_large_file_is_made_once_under_an_idempotency_key(
    settings: dict[str, Any], make_file: MakeFile
) -> None:
    path, key = make_file(LARGE), {"Idempotency-Key": os.urandom(8).hex()}

    def stop(*_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Sdk("threads", settings).create(path, extra_headers=key, progress=stop)
    with (
        proxied(settings["base_url"]) as url,
        httpx2.Client(verify=False) as http,
        openai.OpenAI(**settings | {"base_url": url}, http_client=http) as client,
    ):
        files = [
            Sdk("tasks", settings).create(path, extra_headers=key),
            *(
                client.files.create(file=path, purpose="user_data", extra_headers=key)
                for _ in range(2)
            ),
        ]
        assert client.files.content(files[0].id).read() == path.read_bytes()
    assert files[0].status == "processed"
    assert files == [files[0]] * 3


@pytest.mark.parametrize("how", ["threads", "tasks"])
def test_a_killed_upload_is_resumed(
    settings: dict[str, Any], make_file: MakeFile, how: str
) -> None:
    sdk, path = Sdk(how, settings), make_file(60 * MIB + 1)
    file_id = send_and_die(sdk, path, 30 * MIB, IN_PARTS)
    seen: list[int] = []
    file = sdk.resume(file_id, path, **IN_PARTS, progress=lambda sent, _: seen.append(sent))
    assert (file.id, file.status, file.bytes) == (file_id, "processed", 60 * MIB + 1)
    again = sum(after - before == MIB for before, after in pairwise([0, *seen]))
    assert again <= 30 + 3 * 6 + 1
    assert sdk.resume(file_id, path) == file
    content = sdk.call(lambda client: client.files.content(file_id))
    assert content.content == path.read_bytes()


@pytest.mark.parametrize("how", ["threads", "tasks"])
def test_a_chunked_upload_has_parts_of_64_mib(
    settings: dict[str, Any], make_file: MakeFile, how: str
) -> None:
    sdk, path = Sdk(how, settings), make_file(70 * MIB)
    upload = sdk.call(
        lambda client: client.uploads.upload_file_chunked(
            file=path, mime_type="application/pdf", purpose="user_data"
        )
    )
    assert upload.status == "completed"
    content = sdk.call(lambda client: client.files.content(upload.file.id))
    assert content.content == path.read_bytes()


@pytest.mark.parametrize("how", ["threads", "tasks"])
def test_an_error_is_the_services_own(settings: dict[str, Any], large: Path, how: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        Sdk(how, settings).create(large, purpose="none")
    assert (refused.value.param, refused.value.code) == ("purpose", "invalid_value")
    assert refused.value.request_id


@pytest.mark.parametrize("size", [10, LARGE])
def test_an_input_is_given_its_files(settings: dict[str, Any], size: int) -> None:
    content = b"\xff" * size
    with Client(verify=False) as http, openai.OpenAI(**settings, http_client=http) as client:
        file = client.files.create(file=("Übung.pdf", content), purpose="user_data")
        part = {"type": "input_file", "file_id": file.id}
        [resolved] = http.resolve([{"role": "user", "content": [part]}], **settings)
        assert resolved["content"] == [
            {
                "type": "input_file",
                "filename": "Übung.pdf",
                "file_data": f"data:application/pdf;base64,{base64.b64encode(content).decode()}",
            }
        ]
        with pytest.raises(openai.NotFoundError) as refused:
            http.resolve([{"content": [{"type": "input_file", "file_id": "0"}]}], **settings)
    assert refused.value.param == "id"
