"""The command `files-api`, as a process, against the real template on this machine."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_api.service.quota import Quota
from tools.local.stack import LocalStack

from client.tests.conftest import MIB, MakeFile, sha256
from client.tests.stub import KEY, Stub

_ROOT = Path(__file__).parents[2]
_CODE = "from files_api_client.command import main; main()"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(local_stack: LocalStack, tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(_ROOT / "client/src"),
        "OPENAI_BASE_URL": local_stack.base_url,
        "OPENAI_API_KEY": local_stack.keys.create(f"command-{os.urandom(4).hex()}")[1],
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*arguments: Any, said: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _CODE, *map(str, arguments)],
            cwd=tmp_path,
            env=environment | more,
            input=said,
            capture_output=True,
            check=False,
            text=True,
        )

    return run


def killed(
    environment: dict[str, str],
    arguments: list[str],
    begun: Callable[[], bool],
    number: int,
    folder: Path,
) -> int:
    """The exit code of a command that got a signal once it had begun."""
    command = [sys.executable, "-c", _CODE, *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not begun():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        return process.wait(60)


def test_files_are_uploaded_listed_downloaded_and_deleted(run: Run, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name)
    sent = run("upload", "*.txt", "--purpose", "batch", "--expires-after", 3600, "--json")
    assert (sent.returncode, sent.stderr) == (0, "")
    one, two = (json.loads(line) for line in sent.stdout.splitlines())
    assert [one["filename"], two["filename"]] == ["one.txt", "two.txt"]
    assert one["expires_at"] == one["created_at"] + 3600

    listed = run("list", "--purpose", "batch", "--limit", 1, "--json")
    assert [json.loads(line) for line in listed.stdout.splitlines()] == [two]
    assert run("list", "--purpose", "vision").stdout == ""
    assert "2 files" in run("usage").stdout

    (tmp_path / "one.txt").write_text("mine")
    refused = run("download", one["id"])
    assert (refused.returncode, (tmp_path / "one.txt").read_text()) == (2, "mine")
    assert run("download", one["id"], "--force").returncode == 0
    assert (tmp_path / "one.txt").read_text() == "one.txt"

    kept = run("delete", one["id"], said="n\n")
    assert (kept.returncode, "one.txt" in kept.stderr) == (1, True)
    assert run("delete", one["id"], said="y\n").returncode == 0
    gone = run("delete", one["id"], two["id"], "--yes")
    assert (gone.returncode, two["id"] in gone.stdout) == (4, True)
    assert run("list").stdout == ""


def test_usage_names_the_limits_that_there_are(run: Run, local_stack: LocalStack) -> None:
    project = f"command-{os.urandom(4).hex()}"
    local_stack.keys.limit(project, Quota(files=0))

    told = run("usage", OPENAI_API_KEY=local_stack.keys.create(project)[1])

    assert told.stdout == "0 of 0 files  0 bytes\n"


def test_what_cannot_be_done_has_a_code_and_a_message(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "one").write_text("one")
    for code, message, result in [
        (1, "empty", run("upload", "empty")),
        (2, "'none' does not exist", run("upload", "none")),
        (2, "is a folder", run("upload", tmp_path)),
        (3, "key", run("upload", "one", OPENAI_API_KEY="sk-wrong")),
        (3, "OPENAI_API_KEY", run("list", OPENAI_API_KEY="")),
        (2, "OPENAI_BASE_URL", run("list", OPENAI_BASE_URL="")),
        (4, "0", run("download", "0")),
        (1, "connection failed", run("list", OPENAI_BASE_URL="http://127.0.0.1:9/v1")),
    ]:
        assert (result.returncode, result.stdout) == (code, ""), result.stderr
        assert message in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_ended_transfer_goes_on(
    run: Run,
    environment: dict[str, str],
    make_file: MakeFile,
    tmp_path: Path,
    number: int,
    code: int,
) -> None:
    path = make_file(200 * MIB)
    notes = tmp_path / "cache/files-api-client/uploads"
    arguments = ["upload", str(path), "--json"]

    def noted() -> bool:
        return notes.exists() and any(note.read_text() for note in notes.iterdir())

    assert killed(environment, arguments, noted, number, tmp_path) == code
    [note] = notes.iterdir()
    file_id = note.read_text()
    assert environment["OPENAI_API_KEY"] not in note.name + file_id
    sent = run(*arguments)
    assert (sent.returncode, json.loads(sent.stdout)["id"]) == (0, file_id)
    assert not list(notes.iterdir())

    pieces = tmp_path / f".{file_id}.pieces"
    arguments = ["download", file_id, "--output", "copy"]
    assert killed(environment, arguments, pieces.exists, number, tmp_path) == code
    assert not (tmp_path / "copy").exists()
    assert run(*arguments).returncode == 0
    assert sha256(tmp_path / "copy") == sha256(path)
    assert not list(tmp_path.glob(".*"))


def test_a_bar_is_shown_on_a_terminal(stub: Stub, make_file: MakeFile, tmp_path: Path) -> None:
    terminal, its_end = os.openpty()
    environment = os.environ | {
        "PYTHONPATH": str(_ROOT / "client/src"),
        "OPENAI_BASE_URL": stub.base_url,
        "OPENAI_API_KEY": KEY,
        "XDG_CACHE_HOME": str(tmp_path),
        "TERM": "xterm",
        "COLUMNS": "120",
    }
    command = [sys.executable, "-c", _CODE, "upload", str(make_file(6 * MIB)), "--json"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=its_end
    ) as process:
        os.close(its_end)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal ends
            while chunk := os.read(terminal, 65_536):
                shown += chunk
        os.close(terminal)
        assert process.stdout
        assert json.loads(process.stdout.read())["bytes"] == 6 * MIB
    assert process.returncode == 0
    assert f"{6 * MIB}.bin".encode() in shown
    assert b"6.3/6.3 MB" in shown
