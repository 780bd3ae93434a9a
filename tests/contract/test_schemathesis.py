"""The API against its OpenAPI document, with requests that Schemathesis makes up."""

import os
import subprocess
import sys
from pathlib import Path

from tests.contract.project import Project
from tests.support.template import ROOT

# Without a time, each call gets a few requests of each kind; with one, as many as it allows.
SECONDS = os.environ.get("SCHEMATHESIS_SECONDS")
BOUND = f"--max-time={SECONDS}" if SECONDS else "--max-examples=5"


def test_schemathesis_finds_nothing(project: Project) -> None:
    origin = project.stack.base_url.removesuffix("/v1")
    command = [
        *(str(Path(sys.executable).parent / "st"), "--config-file", "schemathesis.toml"),
        *("run", "docs/openapi.json", f"--url={origin}", "--no-color", "--warnings=off"),
        f"--header=Authorization: Bearer {project.client.api_key}",
        *("--phases=examples,coverage,fuzzing", BOUND),
    ]

    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
