"""What a project stores, and the limits that the operator sets."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest
from click.testing import CliRunner

from files_api.service.keys import Keys
from files_api.service.quota import NO_LIMIT, Quota
from tests.contract.calls import CONTENT, NEW_FILE
from tests.contract.conftest import eventually
from tests.contract.project import Project
from tools import project as command
from tools import stacks
from tools.local.stack import LocalStack

MAX_FILE_BYTES = 536_870_912


def usage(project: Project) -> dict[str, Any]:
    answer = project.http.get("/usage")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def stored(project: Project) -> tuple[int, int]:
    """How many files there are, and bytes."""
    found = usage(project)
    return found["files"], found["bytes"]


def test_usage_is_that_of_the_files_that_are_there(project: Project) -> None:
    files = project.client.files
    assert usage(project) == {
        "object": "usage",
        "project": project.name,
        "files": 0,
        "bytes": 0,
        "limits": {"files": None, "bytes": None, "file_bytes": MAX_FILE_BYTES},
    }

    plain = files.create(file=("a.txt", b"plain"), purpose="user_data")
    assert stored(project) == (1, 5)
    pending = project.create_pending()
    assert stored(project) == (1, 5)
    assert project.put(pending) == 200
    files.retrieve(pending["id"])
    assert stored(project) == (2, 5 + len(CONTENT))
    upload = project.client.uploads.create(
        filename="b.txt", purpose="user_data", bytes=3, mime_type="text/plain"
    )
    part = project.client.uploads.parts.create(upload.id, data=b"abc")
    assert stored(project) == (2, 5 + len(CONTENT))
    assembled = project.client.uploads.complete(upload.id, part_ids=[part.id]).file
    assert assembled
    assert stored(project) == (3, 8 + len(CONTENT))

    for file_id in (plain.id, pending["id"]):
        files.delete(file_id)
    with pytest.raises(openai.NotFoundError):
        files.delete(plain.id)
    assert stored(project) == (1, 3)


def test_an_expired_file_is_counted_until_it_is_purged(project: Project) -> None:
    file = project.client.files.create(
        file=("a.txt", b"abc"),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert stored(project) == (1, 3)

    project.remove(f"PURPOSE#user_data#{file.id}")

    eventually(lambda: stored(project) == (0, 0))
    eventually(project.nothing)


@pytest.fixture
def run(
    local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str], tuple[int, str]]:
    """`make project` on the stack of these tests: exit code and standard output."""
    endpoint = tmp_path / "endpoint"
    endpoint.write_text(local_stack.endpoint)
    monkeypatch.setattr(stacks, "ENDPOINT", endpoint)

    def typed(line: str) -> tuple[int, str]:
        result = CliRunner(mix_stderr=False).invoke(command.cli, line.split())
        return result.exit_code, result.stdout

    return typed


def test_a_limit_holds_for_all_ways_to_send_a_file(
    project: Project,
    run: Callable[[str], tuple[int, str]],
    keys: Keys,
    connect: Callable[[str], openai.OpenAI],
) -> None:
    promised = project.create_pending()

    assert run(f"limit {project.name} --files 2 --bytes 1KB") == (
        0,
        "files  0 of 2\nbytes  0 of 1,000\n",
    )

    # The gateway still knows the project's first key without the limit.
    limited = connect(keys.create(project.name)[1])
    files = limited.files
    files.create(file=("a.txt", b"a" * 990), purpose="user_data")
    assert project.put(promised) == 200  # it may still come in
    assert files.retrieve(promised["id"]).status == "processed"
    used = 990 + len(CONTENT)
    assert limited.get("/usage", cast_to=object) == {
        "object": "usage",
        "project": project.name,
        "files": 2,
        "bytes": used,
        "limits": {"files": 2, "bytes": 1_000, "file_bytes": MAX_FILE_BYTES},
    }
    new = {**NEW_FILE, "mime_type": "text/plain"}
    calls: list[Callable[[], Any]] = [
        partial(limited.post, "/files", body=new, cast_to=object),
        partial(limited.post, "/files", body=new | {"part_size": 5_242_880}, cast_to=object),
        partial(limited.post, "/uploads", body=new, cast_to=object),
        partial(files.create, file=("a.txt", b"a"), purpose="user_data"),
    ]
    for call in calls:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            call()
        assert refused.value.body == {
            "message": "The project can store at most 2 files, and stores 2: 1 more are too many. "
            "Delete files, or ask the operator for a higher limit.",
            "type": "invalid_request_error",
            "param": None,
            "code": "storage_limit_exceeded",
        }

    assert run(f"limit {project.name} --files none --bytes default")[0] == 0
    assert keys.quota(project.name) == Quota(NO_LIMIT)
    assert run(f"show {project.name}") == (
        0,
        f"files  2 no limit\nbytes  {used:,} no limit\n",
    )
    unlimited = connect(keys.create(project.name)[1])
    unlimited.files.create(file=("a.txt", b"a"), purpose="user_data")
