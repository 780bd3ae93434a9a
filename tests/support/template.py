"""The template as CloudFormation gets it: transformed by SAM, its parameters filled in."""

import logging
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

ROOT: Final = Path(__file__).resolve().parents[2]
# `AlwaysDeploy` names the deployment by a digest of the second of the transform.
_SECOND: Final = re.compile(r"(?<=ApiDeployment)[0-9a-f]{10}\b|(?<=deployment id: )[0-9a-f]{40}")
_NOTHING: Final = object()  # what AWS::NoValue stands for
# It says at every transform that it has no feature flags from AWS.
logging.getLogger("samtranslator.feature_toggle").setLevel(logging.ERROR)


class _NoManagedPolicies:
    """Instead of asking IAM for the names of AWS's policies: the template uses none of them."""

    def load(self) -> dict[str, str]:
        raise AssertionError("The template names a managed policy by its short name.")


def source() -> dict[str, Any]:
    """template.yaml as it stands, intrinsic functions in their long form."""
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


class Stack:
    """What the template makes of its parameters.

    References become names that can be compared: the name of a resource, `Name.Attribute`,
    `<AWS::Region>`.

    Attributes:
        resources: by name; those whose condition does not hold are left out.
        outputs: by name.
        parameters: by name, as strings.
    """

    def __init__(self, **parameters: str) -> None:
        validator = SamTemplateValidator(
            source(), _NoManagedPolicies(), region="us-east-1", parameter_overrides=parameters
        )
        translated = _SECOND.sub("", validator.get_translated_template_if_valid())
        template = yaml_parse(translated)
        defaults = {name: str(each["Default"]) for name, each in template["Parameters"].items()}
        self.parameters: dict[str, str] = defaults | parameters
        self._conditions: dict[str, Any] = template["Conditions"]
        self.resources: dict[str, dict[str, Any]] = {
            name: self._resolved(resource)
            for name, resource in template["Resources"].items()
            if self._holds(resource.get("Condition"))
        }
        self.outputs: dict[str, dict[str, Any]] = self._resolved(template["Outputs"])

    def of_type(self, type: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of one type, by name."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == type
        }

    def only(self, type: str) -> dict[str, Any]:
        """The properties of the one resource of this type."""
        (properties,) = self.of_type(type).values()
        return properties

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self._resolved(self._conditions[condition]))

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, list):
            return [each for each in map(self._resolved, node) if each is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, value),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._value(name, value)
            if name == "Condition" and isinstance(value, str):
                return self._holds(value)
        resolved = {key: self._resolved(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not _NOTHING}

    def _value(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                return ".".join(argument)
            case "Fn::Sub":
                text, names = argument if isinstance(argument, list) else (argument, {})
                values = self._resolved(names)
                return re.sub(
                    r"\$\{([^}]+)\}",
                    lambda found: values.get(found[1]) or str(self._reference(found[1])),
                    text,
                )
            case "Fn::Join":
                separator, texts = argument
                return separator.join(self._resolved(texts))
            case "Fn::If":
                condition, yes, no = argument
                return self._resolved(yes if self._holds(condition) else no)
            case "Fn::Equals":
                left, right = self._resolved(argument)
                return left == right
            case "Fn::Not":
                return not self._resolved(argument[0])
            case "Fn::Or":
                return any(map(self._resolved, argument))
        raise NotImplementedError(function)

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        return f"<{name}>" if name.startswith("AWS::") else self.parameters.get(name, name)


def listed(value: str | list[str]) -> list[str]:
    """What the template may say of one thing or of several, as several."""
    return [value] if isinstance(value, str) else value


@cache
def default_stack() -> Stack:
    """The stack of the parameters' defaults. Not to be changed."""
    return Stack()
