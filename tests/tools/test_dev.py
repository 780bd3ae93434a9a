import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import dev
from tools.errors import StackError
from tools.local import lock
from tools.local.stack import LocalStack
from tools.reset import reset


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout's .local; afterwards, signals and umask are as they were."""
    monkeypatch.setattr(dev, "LOCAL", tmp_path)
    for name in ("LOCAL_API_KEYS", "PARAMETERS"):
        monkeypatch.delenv(name, raising=False)
    umask = os.umask(0o022)
    before = {each: signal.getsignal(each) for each in dev.STOPS}
    yield tmp_path
    os.umask(umask)
    for each, handler in before.items():
        signal.signal(each, handler)


def fails(capsys: pytest.CaptureFixture[str]) -> str:
    """What a failing start prints."""
    assert dev.main() == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize("setting", ["0", "65536", "http", "-1", "3000.5"])
def test_an_invalid_port_is_reported_in_one_sentence(
    setting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", setting)

    assert fails(capsys) == f"\nPORT must be a number from 1 to 65535, not '{setting}'.\n"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LOCAL_API_KEYS", "nothing", "LOCAL_API_KEYS must be project:key pairs"),
        ("PARAMETERS", "nothing", "PARAMETERS must be Name=value pairs"),
        ("PARAMETERS", "MaxFileByte=7", "PARAMETERS: there is no parameter MaxFileByte."),
    ],
)
def test_an_invalid_setting_is_reported_before_the_start(
    name: str,
    value: str,
    sentence: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)

    assert fails(capsys).startswith(f"\n{sentence}")
    assert not [*folder.iterdir()]


def test_files_and_keys_are_closed_to_other_users(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        fails(capsys)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    assert modes == {folder.name: 0o700, "lock": 0o600, "log.txt": 0o600}


def test_a_port_in_use_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        sentence = f"\nPort {port} is in use: stop the program that listens there, or set PORT.\n"
        assert fails(capsys) == sentence


def test_a_second_start_in_a_checkout_is_rejected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock.held(folder):
        assert "`make dev` is running in this checkout (process " in fails(capsys)


def test_reset_deletes_everything_but_the_lock(folder: Path) -> None:
    (folder / "aws" / "state").mkdir(parents=True)
    (folder / "api-key").write_text("sk-one")

    reset(folder)

    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_reset_is_rejected_while_the_stack_runs(folder: Path) -> None:
    (folder / "api-key").write_text("sk-one")

    with lock.held(folder), pytest.raises(StackError, match="stop it first"):
        reset(folder)

    assert (folder / "api-key").exists()


def test_screen_has_the_addresses_of_api_console_and_reference(tmp_path: Path) -> None:
    screen = dev.screen(LocalStack(tmp_path, port=3000), "sk-one")

    for name, path in {"Base URL": "/v1", "Console": "/", "Reference": "/docs"}.items():
        assert f"\n  {name:9} http://127.0.0.1:3000{path}\n" in screen


def test_each_step_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with dev.timed("Starting"):
        pass
    with pytest.raises(StackError), dev.timed("Deploying"):
        raise StackError("no")

    lines = capsys.readouterr().out.splitlines()
    assert lines == ["Starting ............................... 0.0 s", lines[1]]
    assert lines[1] == "Deploying .............................. failed"
