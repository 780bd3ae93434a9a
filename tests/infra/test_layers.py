"""The layer of dependencies: all that the functions need."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support import functions
from tests.support.moto_stack import environment
from tests.support.template import ROOT

REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
SHARED = ROOT / "layers" / "files_api" / "python"

# A Lambda sandbox in small: this interpreter's standard library, the layers, the function.
SANDBOX = """
import json, sys
sys.path += json.loads(sys.argv[1])
import files_api.api.entry
print(json.dumps([callable(files_api.api.entry.lambda_handler), sorted(sys.modules)]))
"""


def requirements(path: Path = REQUIREMENTS) -> dict[str, str]:
    """Package to version, as installed into the layer, or as another file has them."""
    return dict(re.findall(r"^(\S+)==(\S+)", path.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer's packages, and nothing else of what is installed here."""
    folder = tmp_path_factory.mktemp("layer")
    for name in requirements():
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(installed.locate_file(top))).resolve())
    return folder


def test_tests_use_the_package_versions_that_are_deployed() -> None:
    assert {name: distribution(name).version for name in requirements()} == requirements()


def test_packages_are_installed_by_their_hashes() -> None:
    text = REQUIREMENTS.read_text()
    hashed = re.findall(r"^\S+==\S+(?: \\\n    --hash=sha256:[0-9a-f]{64})+$", text, re.MULTILINE)
    assert len(hashed) == len(requirements())
    assert "--require-hashes" in (REQUIREMENTS.parent / "Makefile").read_text()


def test_sbom_lists_the_packages_that_are_deployed(tmp_path: Path) -> None:
    bom = tmp_path / "sbom.json"
    subprocess.run(["make", "--silent", "sbom", f"SBOM={bom}"], cwd=ROOT, check=True)
    listed = json.loads(bom.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    # It also has packages for other platforms, which the layer leaves out.
    deployed = requirements() | requirements(ROOT / "functions" / "pages" / "requirements.txt")
    assert (
        deployed.items() <= {each["name"]: each["version"] for each in listed["components"]}.items()
    )


@pytest.mark.parametrize("folder", functions.FOLDERS)
def test_function_starts_on_its_layers_and_variables_alone(folder: str, layer: Path) -> None:
    # Given the layers as Lambda has them, the function's folder, the template's variables
    path = [str(each) for each in (ROOT / "functions" / folder, SHARED, layer)]
    variables = {
        **environment(folder),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    # When the function starts, clients and all
    started = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", SANDBOX, json.dumps(path)],
        env={"PATH": os.defpath, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    # Then it is ready, without anything that only a developer has
    assert started.returncode == 0, started.stderr
    ready, modules = json.loads(started.stdout)
    assert ready
    assert {"app", "files_api.api.function"} <= set(modules)
    assert not {"moto", "pytest", "click", "aws_xray_sdk"} & set(modules)
