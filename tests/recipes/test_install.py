"""The client as its README has it: installed by pip into an environment of its own, then used."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.recipes.conftest import ROOT, server
from tests.recipes.test_node import MIB, random_file, sha256
from tools.local.ministack import free_port
from tools.local.stack import LocalStack

# The snippets of the README: a file of any size, a bar, and an input without ids.
PROGRAM = """
import json, sys
import files_api_client
from openai import OpenAI

shown = []
http_client = files_api_client.Client(progress=lambda sent, total: shown.append(sent / total))
client = OpenAI(http_client=http_client)
file = client.files.create(file=open(sys.argv[1], "rb"), purpose="user_data")
input = [{"role": "user", "content": [{"type": "input_file", "file_id": file.id}]}]
[part] = http_client.resolve(input, into="data")[0]["content"]
print(json.dumps([shown[-1], part["filename"], len(part["file_data"])]))
"""


@pytest.fixture(scope="module")
def bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of the environment, which has the client and what it depends on alone."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, f"{ROOT}/client"], check=True)
    return folder / "bin"


def test_what_the_readme_shows_works(
    local_stack: LocalStack, files_key: str, bin: Path, tmp_path: Path
) -> None:
    path = random_file(tmp_path / "report.pdf", 6 * MIB)
    environment = {"OPENAI_BASE_URL": local_stack.base_url, "OPENAI_API_KEY": files_key}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")

    def run(program: str, *arguments: Any) -> str:
        command = [f"{bin}/{program}", *map(str, arguments)]
        return subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)

    assert "upload" in run("files-api", "--help")
    sent = json.loads(run("files-api", "upload", "*.pdf", "--purpose", "user_data", "--json"))
    assert sent["id"] in run("files-api", "list", "--purpose", "user_data", "--limit", 20)
    run("files-api", "download", sent["id"], "--output", "copy")
    assert sha256(tmp_path / "copy") == sha256(path)

    done, name, size = json.loads(run("python", "-c", PROGRAM, path))
    assert (done, name) == (1, "report.pdf")
    assert size > 6 * MIB * 4 / 3

    port = free_port()
    command = [str(bin / "files-api"), "proxy", "--upstream", local_stack.base_url]
    url, headers = f"http://127.0.0.1:{port}/v1/files", {"Authorization": f"Bearer {files_key}"}
    with (
        server([*command, "--port", str(port)], tmp_path, f"{url}?limit=1", {}, headers),
        path.open("rb") as content,
        httpx2.Client(headers=headers, timeout=60) as http,
    ):
        file = http.post(url, data={"purpose": "user_data"}, files={"file": content}).json()
        assert http.get(f"{url}/{file['id']}/content").content == path.read_bytes()
    assert run("files-api", "delete", sent["id"], file["id"], "--yes").count("deleted") == 2
