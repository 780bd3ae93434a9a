"""The process itself: no other test would notice that it loses somebody's files."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.errors import StackError
from tools.local.deployment import Deployment
from tools.local.ministack import ROOT, MiniStack, free_port

# Starts a MiniStack, stores something, and exits without stopping it.
CRASH = """
import os, sys
from pathlib import Path
from tools.local.ministack import MiniStack
ministack = MiniStack(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[1]) / "log.txt")
ministack.start()
ministack.client("s3").create_bucket(Bucket="stored")
os._exit(1)
"""


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[MiniStack]:
    ministack = MiniStack(tmp_path, free_port(), tmp_path / "log.txt")
    yield ministack
    ministack.stop()


def buckets(ministack: MiniStack) -> list[str]:
    return [each["Name"] for each in ministack.client("s3").list_buckets()["Buckets"]]


def test_stored_objects_survive_a_restart(ministack: MiniStack) -> None:
    ministack.start()
    ministack.client("s3").create_bucket(Bucket="stored")
    ministack.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(ministack.endpoint.rpartition(":")[2])))

    ministack.start()

    assert buckets(ministack) == ["stored"]


def test_a_start_deletes_the_temporary_files_of_earlier_runs(
    ministack: MiniStack, tmp_path: Path
) -> None:
    worker = tmp_path / "temporary" / "worker"
    worker.mkdir(parents=True)

    ministack.start()

    assert not worker.exists()


def test_unsaved_changes_are_gone_after_a_restart(ministack: MiniStack) -> None:
    ministack.start()
    ministack.client("iam").create_user(UserName="somebody")
    ministack.stop(save=False)

    ministack.start()

    assert ministack.client("iam").list_users()["Users"] == []


def test_stored_objects_survive_a_crash_of_the_command(
    ministack: MiniStack, tmp_path: Path
) -> None:
    crashed = [sys.executable, "-c", CRASH, str(tmp_path), str(free_port())]
    assert subprocess.run(crashed, cwd=ROOT, check=False).returncode == 1

    ministack.start()  # waits until the other one has saved

    assert buckets(ministack) == ["stored"]


def test_a_failed_start_names_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    ministack = MiniStack(tmp_path, 1_000_000, log)

    with pytest.raises(
        StackError, match=f"MiniStack exited while it was starting. The log is {log}"
    ):
        ministack.start()

    ministack.stop()


def project(folder: Path) -> Path:
    """A project with one function."""
    (folder / "functions" / "one").mkdir(parents=True)
    (folder / "functions" / "one" / "app.py").write_text("x = 1")
    (folder / "template.yaml").write_text("Resources: {}")
    return folder


def deployment(ministack: MiniStack, tmp_path: Path, **parameters: str) -> Deployment:
    return Deployment(
        ministack,
        project=tmp_path / "project",
        folder=tmp_path / "sam",
        log=tmp_path / "log.txt",
        parameters=parameters,
    )


def test_only_sources_and_parameters_change_the_fingerprint(
    ministack: MiniStack, tmp_path: Path
) -> None:
    root = project(tmp_path / "project")
    before = deployment(ministack, tmp_path).fingerprint()

    (root / "functions" / "one" / "__pycache__").mkdir()
    (root / "functions" / "one" / "__pycache__" / "app.pyc").write_text("compiled")
    (root / "README.md").write_text("read me")
    assert deployment(ministack, tmp_path).fingerprint() == before

    assert deployment(ministack, tmp_path, Stage="prod").fingerprint() != before
    (root / "functions" / "one" / "app.py").write_text("x = 2")
    assert deployment(ministack, tmp_path).fingerprint() != before


def test_a_failed_build_gives_the_reason_and_names_the_log(
    ministack: MiniStack, tmp_path: Path
) -> None:
    root = project(tmp_path / "project")
    (root / "template.yaml").write_text("Resources: {")

    with pytest.raises(StackError, match=r"sam build failed. Error: .*The log is .*log.txt"):
        deployment(ministack, tmp_path).build()


def test_a_wanted_port_is_taken_if_it_is_free() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted

    with socket.create_server(("127.0.0.1", wanted)):
        assert free_port(wanted) != wanted
    assert free_port(65_536) < 65_536
