"""The template's parameters, checked before anything starts, as CloudFormation would later."""

import difflib
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from samcli.yamlhelper import yaml_parse
from yaml import YAMLError  # type: ignore[import-untyped]

from tools.errors import StackError

LIST: Final = "docs/operations.md lists the parameters."


def read(setting: str) -> dict[str, str]:
    """Reads `Name=value Name=value`.

    Raises:
        StackError: the setting has another form.
    """
    pairs = [pair.partition("=") for pair in setting.split()]
    if not all(name and equals for name, equals, _ in pairs):
        raise StackError(
            f"PARAMETERS must be Name=value pairs separated by spaces, not {setting!r}."
        )
    return {name: value for name, _, value in pairs}


def complete(template: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter's value: as given, or the template's default.

    CloudFormation would keep the values of the last deployment instead. `Architecture` is this
    machine's by default, because the functions run on it.

    Raises:
        StackError: a parameter is unknown, or its value is not allowed.
    """
    try:
        rules: dict[str, Any] = yaml_parse(template.read_text()).get("Parameters", {})
    except YAMLError as error:
        raise StackError(f"{template.name} is not valid YAML: {error}") from error
    for name, value in given.items():
        if name not in rules:
            similar = " or ".join(difflib.get_close_matches(name, rules))
            hint = f" Did you mean {similar}?" if similar else ""
            raise StackError(f"PARAMETERS: there is no parameter {name}.{hint} {LIST}")
        if expected := _violated(rules[name], value):
            raise StackError(f"PARAMETERS: {name} must be {expected}, not {value!r}. {LIST}")
    defaults = {name: str(rule["Default"]) for name, rule in rules.items()}
    if "Architecture" in rules:
        arm = platform.machine().lower() in ("arm64", "aarch64")
        defaults["Architecture"] = "arm64" if arm else "x86_64"
    return defaults | dict(given)


def _violated(rule: Mapping[str, Any], value: str) -> str | None:
    """What a value must be, if it is something else."""
    if "AllowedValues" in rule:
        allowed = [str(each) for each in rule["AllowedValues"]]
        return None if value in allowed else f"one of {', '.join(allowed)}"
    if rule["Type"] == "Number":
        low, high = rule.get("MinValue"), rule.get("MaxValue")
        number = re.fullmatch(r"-?\d+", value, re.ASCII)
        if number and (low is None or low <= int(value)) and (high is None or int(value) <= high):
            return None
        bounds = [f"from {low}"] * (low is not None) + [f"to {high}"] * (high is not None)
        return " ".join(["a whole number", *bounds])
    pattern = rule.get("AllowedPattern", ".*")
    return None if re.fullmatch(pattern, value) else f"text of the form {pattern}"
