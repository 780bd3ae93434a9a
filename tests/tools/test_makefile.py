"""`make build` and `make deploy`, without running them: what they call, and where."""

import os
import subprocess
from pathlib import Path

from tests.support.template import ROOT


def make(*arguments: str, path: str = os.defpath) -> str:
    """What make prints, called as by a user with this PATH."""
    command = ["make", "--silent", "--no-print-directory", *arguments]
    environment = {"PATH": path, "HOME": os.environ["HOME"], "PYTHON": "python2"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_build_finds_python_where_a_shim_does_not(tmp_path: Path) -> None:
    # Given a shim like pyenv's, which knows no python3.13 in the folder where `sam build` builds
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    rule = "where: ; @cd / && $(SAM:.venv/bin/sam=python3.13) -c 'import sys; print(sys.prefix)'"

    found = make("--eval", rule, "where", path=f"{tmp_path}:{os.defpath}")

    assert found.strip() == str(ROOT / ".venv")


def test_build_sees_nothing_of_the_make_that_runs_it() -> None:
    rule = "flags: ; @$(SAM:.venv/bin/sam=env)"

    names = {line.partition("=")[0] for line in make("--eval", rule, "flags", "-k").splitlines()}

    assert not {"MAKEFLAGS", "MAKELEVEL", "PYTHON"} & names
    assert "SAM_CLI_TELEMETRY" in names


def test_deployment_keeps_its_answers_out_of_version_control() -> None:
    build, copy, deploy = make("--dry-run", "deploy", "ARGS=--profile acme").splitlines()[-3:]

    assert build.endswith(".venv/bin/sam build")
    assert copy.endswith("cp samconfig.toml .samconfig.toml")
    assert deploy.endswith(
        ".venv/bin/sam deploy --guided --config-file .samconfig.toml --profile acme"
    )
    assert "/.samconfig.toml" in (ROOT / ".gitignore").read_text().splitlines()
