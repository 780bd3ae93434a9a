"""The functions as `sam build` makes them for AWS."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

from benchmarks.processes import ROOT, Deadline
from tools import sam
from tools.ministack import LOCAL

_FOLDER: Final = LOCAL / "bench"

# What Lambda adds to the environment of each function; the credentials are not real.
_LAMBDA: Final = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example" * 100,  # as long as a role's
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LANG": "en_US.UTF-8",
    "PATH": os.defpath,
    "TZ": ":UTC",
}


class Build:
    """The output of `sam build`.

    Args:
        folder: contains a folder for each function and layer, named by its logical id.
        template: the template that was built.
    """

    def __init__(self, folder: Path, template: Mapping[str, Any]) -> None:
        self._folder = folder
        self._template = template
        self.functions = self._named("AWS::Serverless::Function")
        self.layers = self._named("AWS::Serverless::LayerVersion")

    def layer(self, name: str) -> Path:
        """The folder of a layer."""
        return self._folder / name

    def path(self, function: str) -> list[str]:
        """The folders of a function's modules, in Lambda's order."""
        folders = [self._folder / function, *(self.layer(name) / "python" for name in self.layers)]
        return [str(folder) for folder in folders]

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment. Instead of a resource's name it has the logical id."""
        own = self._template["Resources"][function]["Properties"].get("Environment", {})
        shared = self._template["Globals"]["Function"]["Environment"]["Variables"]
        variables = shared | own.get("Variables", {})
        given = {name: self._value(value) for name, value in variables.items()}
        return _LAMBDA | {"AWS_LAMBDA_FUNCTION_NAME": function} | given

    def memory(self, function: str) -> int:
        """The bytes of memory that a function has."""
        shared = self._template["Globals"]["Function"]["MemorySize"]
        own = self._template["Resources"][function]["Properties"].get("MemorySize", shared)
        return int(own) * 1024**2

    def _named(self, kind: str) -> list[str]:
        resources = self._template["Resources"].items()
        return [name for name, resource in resources if resource["Type"] == kind]

    def _value(self, value: Any) -> str:
        if isinstance(value, dict):
            (name,) = value.values()
            if name == "AWS::StackName":
                return "files-api"
            parameter = self._template["Parameters"].get(name, {})
            return str(parameter.get("Default", name.lower()))
        return str(value)


def template() -> dict[str, Any]:
    """The template, with its intrinsic functions as dicts."""
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def build(deadline: Deadline) -> Build:
    """Builds what has changed since the last build. Raises Failed."""
    command: list[str | Path] = [sam.COMMAND, "build", "--cached", "--parallel"]
    command += ["--build-dir", _FOLDER / "build", "--cache-dir", _FOLDER / "cache"]
    deadline.run(command, sam.environment() | {"AWS_DEFAULT_REGION": "us-east-1"})
    return Build(_FOLDER / "build", template())
