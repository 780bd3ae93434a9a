"""The real template on this machine, called through the unmodified SDK."""

from collections.abc import Callable
from pathlib import Path

import openai
import pytest
from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tools.local_stack import LocalStack

from client.tests.conftest import MIB, Sdk, sha256


@pytest.fixture(scope="module")
def key(local_stack: LocalStack) -> str:
    store = DynamoKeyStore(local_stack.client("dynamodb"), local_stack.outputs["KeysTable"])
    return Keys(store).create("client")[1]


@pytest.fixture(params=["threads", "tasks"])
def sdk(request: pytest.FixtureRequest, local_stack: LocalStack, key: str) -> Sdk:
    return Sdk(request.param, {"base_url": local_stack.base_url, "api_key": key})


@pytest.mark.parametrize("size", [100_000, 4_500_000, 4_500_001, 40 * MIB, 300 * MIB])
def test_a_file_is_read_as_it_was_created(
    sdk: Sdk, make_file: Callable[[int], Path], tmp_path: Path, size: int
) -> None:
    path = make_file(size)
    seen = []
    with path.open("rb") as content:
        file = sdk.create(
            ("Übung 1.jsonl", content),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": 7200},
            progress=lambda *told: seen.append(told),
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
    with openai.OpenAI(**sdk.settings) as client:
        assert client.files.retrieve(file.id).to_dict() == file.to_dict()
        with client.files.with_streaming_response.content(file.id) as answer:
            answer.stream_to_file(tmp_path / "copy")
    assert sha256(tmp_path / "copy") == sha256(path)


def test_parts_are_assembled_in_order(
    sdk: Sdk, make_file: Callable[[int], Path], tmp_path: Path
) -> None:
    path = make_file(40 * MIB + 1)

    with path.open("rb") as content:
        file = sdk.create(content, direct_limit=0, part_size=6 * MIB, parallel=3)

    assert (file.bytes, file.filename, file.status) == (40 * MIB + 1, path.name, "processed")
    with (
        openai.OpenAI(**sdk.settings) as client,
        client.files.with_streaming_response.content(file.id) as answer,
    ):
        answer.stream_to_file(tmp_path / "copy")
    assert sha256(tmp_path / "copy") == sha256(path)


def test_an_error_is_the_services_own(sdk: Sdk, make_file: Callable[[int], Path]) -> None:
    with (
        make_file(4_500_001).open("rb") as content,
        pytest.raises(openai.BadRequestError) as refused,
    ):
        sdk.create(content, purpose="none")
    assert (refused.value.param, refused.value.code) == ("purpose", "invalid_value")
    assert refused.value.request_id
