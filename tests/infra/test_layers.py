"""The layer of dependencies: what the lock says, and all that the functions need."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

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


def requirements() -> dict[str, str]:
    """Package to version, as installed into the layer."""
    pairs = (line.split("==") for line in REQUIREMENTS.read_text().split())
    return dict(pairs)


def locked() -> dict[str, str]:
    """Package to version: what uv.lock resolves the project's own dependencies to, no group."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages: dict[tuple[str, str], dict[str, Any]] = {}
    versions: dict[str, list[str]] = {}
    for package in lock["package"]:
        packages[package["name"], package["version"]] = package
        versions.setdefault(package["name"], []).append(package["version"])
    found: dict[str, str] = {}
    (root,) = (each for each in lock["package"] if each["source"] == {"virtual": "."})
    pending = [each for each in root["dependencies"] if _holds(each)]
    while pending:
        wanted = pending.pop()
        name = wanted["name"]
        version = wanted.get("version") or "".join(versions[name])  # left out where there is one
        if name not in found:
            found[name] = version
            dependencies = packages[name, version].get("dependencies", [])
            pending += [each for each in dependencies if _holds(each)]
    return found


def _holds(dependency: dict[str, Any]) -> bool:
    """Whether it is one on Lambda, with none of the development groups."""
    lambda_ = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}
    marker = dependency.get("marker")
    return marker is None or Marker(marker).evaluate(lambda_)


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer's packages, and nothing else of what is installed here."""
    folder = tmp_path_factory.mktemp("layer")
    for name in requirements():
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(installed.locate_file(top))).resolve())
    return folder


def test_requirements_are_what_the_lock_resolves() -> None:
    assert requirements() == locked()


def test_tests_use_the_package_versions_that_are_deployed() -> None:
    assert {name: distribution(name).version for name in requirements()} == requirements()


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
    assert {"app", "boto3", "files_api.composition"} <= set(modules)
    assert not {"moto", "pytest", "click", "aws_xray_sdk"} & set(modules)
