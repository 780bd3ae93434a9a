"""What `make dev` promises across Ctrl-C: files and keys are there again, at once."""

import contextlib
import hashlib
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from openai import OpenAI

from files_api.keys import DynamoKeyStore, Keys
from tools.local_stack import LocalStack


def noting(steps: list[str]) -> Callable[[str], AbstractContextManager[None]]:
    def note(step: str) -> AbstractContextManager[None]:
        steps.append(step)
        return contextlib.nullcontext()

    return note


def test_files_and_keys_survive_a_restart_which_deploys_nothing(tmp_path: Path) -> None:
    content = random.Random(2).randbytes(1_000_000)
    first: list[str] = []
    with LocalStack(tmp_path, progress=noting(first)) as stack:
        store = DynamoKeyStore(stack.client("dynamodb"), stack.outputs["KeysTable"])
        _, key = Keys(store).create("restart")
        with OpenAI(base_url=stack.base_url, api_key=key) as client:
            file = client.files.create(file=("a.bin", content), purpose="user_data")

    second: list[str] = []
    with (
        LocalStack(tmp_path, progress=noting(second)) as stack,
        OpenAI(base_url=stack.base_url, api_key=key) as client,
    ):
        assert [*client.files.list()] == [file]
        received = client.files.content(file.id).read()

    assert hashlib.sha256(received).digest() == hashlib.sha256(content).digest()
    assert len(first) > len(second) == 1
