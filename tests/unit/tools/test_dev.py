import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import checkout_lock, dev
from tools.errors import StackError
from tools.reset import reset


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout's .local, and the signals as they were."""
    monkeypatch.setattr(dev, "LOCAL", tmp_path)
    for name in ("LOCAL_API_KEYS", "PARAMETERS"):
        monkeypatch.delenv(name, raising=False)
    before = {each: signal.getsignal(each) for each in dev.STOPS}
    yield tmp_path
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("setting", ["0", "65536", "http", "-1", "3000.5"])
def test_an_invalid_port_is_reported_in_one_sentence(
    setting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", setting)

    assert dev.main() == 1

    sentence = f"\nPORT must be a number from 1 to 65535, not '{setting}'.\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize("setting", ["MaxFileBytes", "MaxFileBytes 7", "=7", "a=b c"])
def test_invalid_parameters_are_reported_in_one_sentence(
    setting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARAMETERS", setting)

    assert dev.main() == 1

    sentence = f"\nPARAMETERS must be Name=value pairs separated by spaces, not '{setting}'.\n"
    assert capsys.readouterr().err == sentence


def test_parameters_are_pairs_separated_by_spaces() -> None:
    assert dev.parameters("") == {}
    assert dev.parameters("  MaxFileBytes=7  Purposes=batch,evals AlarmTopicArn= ") == {
        "MaxFileBytes": "7",
        "Purposes": "batch,evals",
        "AlarmTopicArn": "",
    }


def test_a_port_in_use_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        assert dev.main() == 1

    sentence = f"\nPort {port} is in use: stop the program that listens there, or set PORT.\n"
    assert capsys.readouterr().err == sentence


def test_a_second_start_in_a_checkout_is_rejected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with checkout_lock.held(folder):
        assert dev.main() == 1

    assert "`make dev` is running in this checkout (process " in capsys.readouterr().err


def test_invalid_keys_are_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_API_KEYS", "nothing")

    assert dev.main() == 1

    sentence = "\nLOCAL_API_KEYS must be project:key pairs separated by commas.\n"
    assert capsys.readouterr().err == sentence


def test_reset_deletes_everything_but_the_lock(folder: Path) -> None:
    (folder / "aws" / "state").mkdir(parents=True)
    (folder / "api-key").write_text("sk-one")

    reset(folder)

    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_reset_is_rejected_while_the_stack_runs(folder: Path) -> None:
    (folder / "api-key").write_text("sk-one")

    with checkout_lock.held(folder), pytest.raises(StackError, match="stop it first"):
        reset(folder)

    assert (folder / "api-key").exists()


def test_each_step_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with dev.timed("Starting"):
        pass
    with pytest.raises(StackError), dev.timed("Deploying"):
        raise StackError("no")

    lines = capsys.readouterr().out.splitlines()
    assert lines == ["Starting ............................... 0.0 s", lines[1]]
    assert lines[1] == "Deploying .............................. failed"
