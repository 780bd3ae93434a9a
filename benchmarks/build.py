"""The functions as `sam build` makes them for AWS."""

import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import run
from tests.support.template import ROOT, default_stack, source
from tools.local import sam

# That of the environments, without their packages: as in Lambda, only what the function itself
# contains can be imported.
INTERPRETER: Final = f"{sys.base_prefix}/bin/python{sysconfig.get_python_version()}"
FOLDER: Final = ROOT / ".local" / "bench"

# What Lambda adds to the environment of each function; the credentials are not real.
_LAMBDA: Final = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example" * 100,  # as long as a role's
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PATH": os.defpath,
}


class Build:
    """The output of `sam build`: a folder of each function and layer, named by its logical id."""

    def __init__(self, folder: Path = FOLDER / "build") -> None:
        self._folder = folder
        self._properties = default_stack().of_type("AWS::Lambda::Function")
        self.functions = [*self._properties]
        kinds = {name: resource["Type"] for name, resource in source()["Resources"].items()}
        self.layers = [n for n, kind in kinds.items() if kind == "AWS::Serverless::LayerVersion"]

    def layer(self, name: str) -> Path:
        """The folder of a layer."""
        return self._folder / name

    def path(self, function: str) -> list[str]:
        """The folders of a function's modules, in Lambda's order."""
        folders = [self._folder / function, *(self.layer(name) / "python" for name in self.layers)]
        return [str(folder) for folder in folders]

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment. Instead of a resource's name it has the logical id."""
        variables = self._properties[function]["Environment"]["Variables"]
        given = {name: str(value) for name, value in variables.items()}
        return _LAMBDA | {"AWS_LAMBDA_FUNCTION_NAME": function} | given

    def call(self, function: str, program: str, url: str, given: object) -> Any:
        """What a program (a module) prints in a function's environment, with the stub at a URL.

        Raises Failed.
        """
        environment = self.environment(function) | {
            "AWS_ENDPOINT_URL": url,
            "PYTHONPATH": os.pathsep.join([*self.path(function), str(ROOT)]),
        }
        command = [INTERPRETER, "-S", "-m", f"benchmarks.{program}"]
        return json.loads(run(command, environment, json.dumps(given)).splitlines()[-1])

    def memory(self, function: str) -> int:
        """The bytes of memory that a function has."""
        return int(self._properties[function]["MemorySize"]) * 1024**2


def build() -> Build:
    """Builds what has changed since the last build. Raises Failed."""
    command: list[str | Path] = [sam.COMMAND, "build", "--cached", "--parallel"]
    command += ["--build-dir", FOLDER / "build", "--cache-dir", FOLDER / "cache"]
    run(command, sam.environment() | {"AWS_DEFAULT_REGION": "us-east-1"})
    return Build()
