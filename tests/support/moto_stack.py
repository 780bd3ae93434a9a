"""What `template.yaml` says, made real in moto: its tables, its bucket, its functions' variables.

Nothing here repeats the template: a table that it changes is changed for the tests too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.backends import get_backend

from tests.support import functions
from tests.support.template import default_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Made before any test: SAM's session of boto3 would add its own to the tests' one session.
_TEMPLATE = default_stack()
_REGION, _MOTO_ACCOUNT = "us-east-1", "123456789012"
_TABLE = "AWS::DynamoDB::Table"
_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": _REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Contents:
    """What a stack held at one moment.

    Attributes:
        items: of each table, as moto keeps them.
        objects: of each bucket, by their key.
        multiparts: of each bucket, as moto keeps them, with the content of each part.
    """

    items: dict[str, Any]
    objects: dict[str, dict[str, bytes]]
    multiparts: dict[str, Any]


class Stack:
    """The template's stores, deployed into moto.

    To look inside, it reads moto itself: calls take longer.

    Attributes:
        dynamodb: a client.
        s3: a client.
    """

    def __init__(self) -> None:
        self.dynamodb: DynamoDBClient = _client("dynamodb")
        self.s3: S3Client = _client("s3")
        for name, properties in _TEMPLATE.of_type(_TABLE).items():
            self._create_table(name, dict(properties))
        for name in _TEMPLATE.of_type("AWS::S3::Bucket"):
            self.s3.create_bucket(Bucket=physical_name(name))

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, as AttributeValues."""
        return [item.to_json()["Attributes"] for item in _table(table).all_items()]

    def objects(self, bucket: str) -> dict[str, bytes]:
        """The content of each object of a bucket, by its key."""
        return {key: object.value for key, object in _bucket(bucket).keys.items()}

    def multipart_uploads(self, bucket: str) -> list[str]:
        """The keys of the multipart uploads that are neither completed nor aborted."""
        return [each.key_name for each in _bucket(bucket).multiparts.values()]

    def contents(self) -> Contents:
        """All that it holds, for `restore`."""
        buckets = _physical_names("AWS::S3::Bucket")
        return Contents(
            {name: deepcopy(_table(name).items) for name in _physical_names(_TABLE)},
            {name: self.objects(name) for name in buckets},
            {name: _parts(_bucket(name).multiparts) for name in buckets},
        )

    def restore(self, contents: Contents) -> None:
        """Makes it hold just this: in a hundredth of the time of a new stack."""
        for name, items in contents.items.items():
            table = _table(name)
            table.items = deepcopy(items)
            if table.stream_shard:
                table.stream_shard.items.clear()  # moto copies it in each transaction
        for name, objects in contents.objects.items():
            bucket = _bucket(name)
            bucket.multiparts.clear()
            for upload_id, (upload, parts) in contents.multiparts[name].items():
                bucket.multiparts[upload_id] = restored = copy(upload)
                restored.parts, restored.partlist = {}, []
                for number, content in parts.items():
                    restored.set_part(number, content)
            for key in list(bucket.keys):
                bucket.keys.pop(key)
            for key, content in objects.items():
                _s3().put_object(name, key, content)

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


def _parts(multiparts: Mapping[str, Any]) -> dict[str, tuple[Any, dict[int, bytes]]]:
    return {
        upload_id: (upload, {number: part.value for number, part in upload.parts.items()})
        for upload_id, upload in multiparts.items()
    }


@contextmanager
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A fresh stack in moto, for as long as the context lasts."""
    for name, value in _ACCOUNT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Stack()


@cache
def _client(service: str) -> Any:
    """The tests' own client: to make one takes half of a test's time."""
    return boto3.Session().client(service)  # type: ignore[call-overload]


def _table(name: str) -> Any:
    return get_backend("dynamodb")[_MOTO_ACCOUNT][_REGION].get_table(name)


def _s3() -> Any:
    return get_backend("s3")[_MOTO_ACCOUNT]["aws"]


def _bucket(name: str) -> Any:
    return _s3().buckets[name]


def _physical_names(type: str) -> list[str]:
    return [physical_name(name) for name in _TEMPLATE.of_type(type)]


def physical_name(resource: str) -> str:
    """The name that a resource of the template has in the tests' stack."""
    return f"stack-{resource.lower()}"


def environment(folder: str) -> dict[str, str]:
    """The variables that template and Lambda give a function, with the names of this stack."""
    variables = functions.properties(folder)["Environment"]["Variables"]
    return {
        name: physical_name(value) if value in _TEMPLATE.resources else str(value)
        for name, value in variables.items()
    } | {"AWS_LAMBDA_FUNCTION_NAME": physical_name(functions.resources()[folder])}
