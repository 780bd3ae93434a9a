"""What the template says of the API: the gateway's own errors, and what is accepted by default."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from samcli.yamlhelper import yaml_parse

from files_api.service.lifetimes import Lifetimes
from files_api.service.limits import Limits
from files_api.service.objects import ErrorObject

ROOT: Final = Path(__file__).parents[2]


@cache
def _template() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def gateway_errors() -> dict[str, tuple[int, ErrorObject]]:
    """By the gateway's name for the case: status and body. Those of unnamed cases are left out."""
    responses = _template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    return {
        name: (each["StatusCode"], json.loads(each["ResponseTemplates"]["application/json"]))
        for name, each in responses.items()
        if not name.startswith("DEFAULT")
    }


def default_limits() -> Limits:
    """What a deployment accepts, unless its parameters say otherwise."""
    values = {name: each["Default"] for name, each in _template()["Parameters"].items()}
    lifetimes = Lifetimes(least=values["MinLifetimeSeconds"], most=values["MaxLifetimeSeconds"])
    return Limits(tuple(values["Purposes"].split(",")), values["MaxFileBytes"], lifetimes)
