"""What `template.yaml` says, made real in moto: its tables, its bucket, its functions' variables.

Nothing here repeats the template: a table that it changes is changed for the tests too.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from moto import mock_aws
from samcli.yamlhelper import yaml_parse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[2]
_TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Stack:
    """The template's stores, deployed into moto.

    Attributes:
        dynamodb: a client.
        s3: a client.
    """

    def __init__(self) -> None:
        session = botocore.session.get_session()
        self.dynamodb: DynamoDBClient = session.create_client("dynamodb")  # type: ignore[assignment]
        self.s3: S3Client = session.create_client("s3")  # type: ignore[assignment]
        for name, resource in _TEMPLATE["Resources"].items():
            match resource["Type"]:
                case "AWS::DynamoDB::Table":
                    self._create_table(name, _resolve(resource["Properties"]))
                case "AWS::S3::Bucket":
                    self.s3.create_bucket(Bucket=physical_name(name))

    def _create_table(self, name: str, properties: dict[str, Any]) -> None:
        """Makes a table; where CloudFormation and DynamoDB differ in how they ask, translates."""
        table = physical_name(name)
        # Neither changes an answer; for encryption moto would make an RSA key each time.
        properties.pop("PointInTimeRecoverySpecification", None)
        properties.pop("SSESpecification", None)
        time_to_live = properties.pop("TimeToLiveSpecification", None)
        if stream := properties.pop("StreamSpecification", None):
            properties["StreamSpecification"] = {"StreamEnabled": True, **stream}
        self.dynamodb.create_table(TableName=table, **properties)
        if time_to_live:
            self.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=time_to_live)


@contextmanager
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A fresh stack in moto, for as long as the context lasts."""
    for name, value in _ACCOUNT.items():
        monkeypatch.setenv(name, value)
    # A session keeps the service descriptions that it has read: half of each test's time.
    monkeypatch.setattr(botocore.session, "get_session", _one_session)
    with mock_aws():
        yield Stack()


@cache
def _one_session() -> botocore.session.Session:
    return botocore.session.Session()


def physical_name(resource: str) -> str:
    """The name that a resource of the template has in the tests' stack."""
    return f"stack-{resource.lower()}"


def functions() -> list[str]:
    """The folders under functions/ that the template deploys."""
    return [
        Path(resource["Properties"]["CodeUri"]).name
        for resource in _TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def environment(function: str) -> dict[str, str]:
    """The variables that the template gives a function, with the defaults of its parameters."""
    own = next(
        resource["Properties"].get("Environment", {}).get("Variables", {})
        for resource in _TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        and Path(resource["Properties"]["CodeUri"]).name == function
    )
    shared = _TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return {name: str(_resolve(value)) for name, value in (shared | own).items()}


def load_app(function: str) -> ModuleType:
    """A function's `app.py`, imported afresh."""
    path = ROOT / "functions" / function / "app.py"
    spec = importlib.util.spec_from_file_location(f"functions.{function}.app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _resolve(node: Any) -> Any:
    """A piece of the template with its references and conditions resolved."""
    match node:
        case {"Ref": "AWS::StackName"}:
            return "stack"
        case {"Ref": str(name)}:
            parameter = _TEMPLATE["Parameters"].get(name)
            return parameter["Default"] if parameter else physical_name(name)
        case {"Fn::If": [condition, yes, no]}:
            return _resolve(yes if _holds(_TEMPLATE["Conditions"][condition]) else no)
        case dict():
            return {name: _resolve(value) for name, value in node.items()}
        case list():
            return [_resolve(each) for each in node]
        case _:
            return node


def _holds(condition: dict[str, Any]) -> bool:
    match condition:
        case {"Fn::Equals": [left, right]}:
            return bool(_resolve(left) == _resolve(right))
        case {"Fn::Not": [inner]}:
            return not _holds(inner)
        case _:
            raise AssertionError(f"the tests do not know this condition: {condition}")
