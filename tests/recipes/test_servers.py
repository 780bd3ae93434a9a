"""Files in the requests to models, through servers that teams run: see docs/responses-api.md."""

import base64
import json
import os
import random
import subprocess
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.recipes.conftest import LITELLM, ROOT
from tests.recipes.model import Model
from tools.local.stack import LocalStack

PDF = b"%PDF-1.7\n" + random.Random(1).randbytes(20_000)
LARGE = b"%PDF-1.7\n" + random.Random(2).randbytes(6_000_000)

type Start = Callable[[str], OpenAI]


@pytest.fixture(scope="module")
def ogx_server(ogx: Start, through_proxy: str) -> OpenAI:
    return ogx(through_proxy)


@pytest.fixture(scope="module")
def litellm_server(litellm: Start, through_proxy: str) -> OpenAI:
    return litellm(through_proxy)


def ask(server: OpenAI, file_id: str, model: str = "mock") -> str:
    """Has the model read a file; returns what it said."""
    part = {"type": "input_file", "file_id": file_id}
    text = {"type": "input_text", "text": "What is in it?"}
    answer = server.responses.create(
        model=model,
        input=[{"role": "user", "content": [part, text]}],  # type: ignore[list-item,misc]
    )
    return answer.output_text


def decoded(url: str) -> bytes:
    """The bytes of a data URL."""
    return base64.b64decode(url.partition(";base64,")[2])


@pytest.mark.parametrize("content", [PDF, LARGE], ids=["small", "6 MB"])
def test_ogx_gives_the_model_what_was_uploaded_through_it(
    ogx_server: OpenAI, files: OpenAI, mock: Model, content: bytes
) -> None:
    file = ogx_server.files.create(file=("a.pdf", content), purpose="user_data")
    assert files.files.content(file.id).read() == content

    assert ask(ogx_server, file.id, "model/mock") == "Read."

    (part,) = mock.parts("file")
    assert decoded(part["file"]["file_data"]) == content
    ogx_server.files.delete(file.id)
    with pytest.raises(openai.NotFoundError):
        files.files.retrieve(file.id)


def test_ogx_does_not_know_what_was_uploaded_elsewhere(ogx_server: OpenAI, files: OpenAI) -> None:
    file = files.files.create(file=("a.pdf", PDF), purpose="user_data")

    with pytest.raises(openai.APIStatusError):
        ogx_server.files.retrieve(file.id)


def test_ogx_does_not_pass_an_expiry_on(ogx_server: OpenAI, files: OpenAI) -> None:
    file = ogx_server.files.create(
        file=("a.pdf", PDF),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )

    assert files.files.retrieve(file.id).expires_at is None


@pytest.mark.parametrize("content", [PDF, LARGE], ids=["small", "6 MB"])
def test_litellm_gives_the_model_what_was_uploaded_through_it(
    litellm_server: OpenAI, files: OpenAI, mock: Model, content: bytes
) -> None:
    file = litellm_server.files.create(
        file=("a.pdf", content), purpose="user_data", extra_body={"custom_llm_provider": "openai"}
    )
    assert files.files.content(file.id).read() == content

    assert ask(litellm_server, file.id) == "Read."

    (part,) = mock.parts("input_file")
    assert (part["filename"], decoded(part["file_data"])) == ("a.pdf", content)


def test_litellm_hook_reads_what_was_uploaded_straight_to_the_api(
    litellm_server: OpenAI, files: OpenAI, mock: Model
) -> None:
    file = files.files.create(file=("a.pdf", PDF), purpose="user_data")

    assert ask(litellm_server, file.id) == "Read."
    (part,) = mock.parts("input_file")
    assert decoded(part["file_data"]) == PDF

    litellm_server.chat.completions.create(
        model="mock",
        messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": file.id}}]}],
    )
    (part,) = mock.parts("file")
    assert decoded(part["file"]["file_data"]) == PDF


def test_litellm_hook_tells_which_file_is_not_there(litellm_server: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="No such File object: file-abc"):
        ask(litellm_server, "file-abc")


CALLER = """
import asyncio, json, sys
from files_api_client.litellm import hook
from litellm.proxy._types import UserAPIKeyAuth
part = {"type": "input_file", "file_id": sys.argv[2]}
data = {"input": [{"role": "user", "content": [part]}]}
caller = UserAPIKeyAuth(team_id=sys.argv[1])
print(json.dumps(asyncio.run(hook.async_pre_call_hook(caller, None, data, "responses"))))
"""


@pytest.fixture
def given_by_the_hook(local_stack: LocalStack) -> Callable[..., dict[str, Any]]:
    """The part that the hook makes of a file, for a caller of this LiteLLM team."""

    def run(team: str, file_id: str, **settings: str) -> dict[str, Any]:
        environment = os.environ | LITELLM | {"FILES_API_BASE_URL": local_stack.base_url}
        done = subprocess.run(
            [ROOT / ".venv-litellm/bin/python", "-c", CALLER, team, file_id],
            env=environment | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        part: dict[str, Any] = json.loads(done.stdout)["input"][0]["content"][0]
        return part

    return run


def test_litellm_hook_uses_the_key_of_the_callers_team(
    local_stack: LocalStack,
    files_key: str,
    given_by_the_hook: Callable[..., dict[str, Any]],
) -> None:
    key = local_stack.keys.create("recipes-team")[1]
    with OpenAI(base_url=local_stack.base_url, api_key=key) as client:
        file = client.files.create(file=("a.txt", b"abc"), purpose="user_data")
    teams = {"FILES_API_KEYS": json.dumps({"team-1": key})}

    part = given_by_the_hook("team-1", file.id, **teams, FILES_API_KEY=files_key)
    assert decoded(part["file_data"]) == b"abc"
    assert given_by_the_hook("team-1", file.id, **teams, FILES_API_INTO="text") == {
        "type": "input_text",
        "text": "abc",
    }
    # Nobody's key: LiteLLM does as it does without the hook.
    assert given_by_the_hook("team-2", file.id, **teams) == {
        "type": "input_file",
        "file_id": file.id,
    }
