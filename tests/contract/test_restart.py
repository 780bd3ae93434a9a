"""A restart of `make dev`: files and keys are available again, without another deployment."""

import contextlib
import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from openai import OpenAI

from tools.local.stack import LocalStack


def noting(steps: list[str]) -> Callable[[str], AbstractContextManager[None]]:
    def note(step: str) -> AbstractContextManager[None]:
        steps.append(step)
        return contextlib.nullcontext()

    return note


def test_files_and_keys_survive_a_restart(
    client: OpenAI, local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = random.Random(2).randbytes(1_000_000)
    file = client.files.create(file=("a.bin", content), purpose="user_data")
    steps: list[str] = []
    monkeypatch.setattr(local_stack, "progress", noting(steps))

    local_stack.__exit__(None, None, None)
    local_stack.__enter__()

    assert steps == ["Starting MiniStack"]
    assert [*client.files.list()] == [file]
    assert client.files.content(file.id).read() == content
