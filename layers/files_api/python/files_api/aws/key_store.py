"""API keys in DynamoDB, in a table of their own."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from files_api.aws.table import known
from files_api.service.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoKeyStore:
    """`service.keys.KeyStore` in a table, keyed by hash.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key_hash: str) -> Key | None:
        answer = self._client.get_item(
            TableName=self._table, Key={"hash": {"S": key_hash}}, ConsistentRead=True
        )
        return _key(answer["Item"]) if "Item" in answer else None

    def put(self, key: Key) -> None:
        fields = asdict(key) | {"scopes": " ".join(key.scopes)}
        item: dict[str, Any] = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value}
            for name, value in fields.items()
            if value is not None
        }
        self._client.put_item(TableName=self._table, Item=item)

    def all(self) -> Iterator[Key]:
        # A Scan: there are few keys, and only the operator's command reads them all.
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        ):
            yield from map(_key, page["Items"])


def _key(item: Any) -> Key:
    fields: dict[str, Any] = {
        name: int(value["N"]) if "N" in value else value.get("S") for name, value in item.items()
    }
    return known(Key, fields | {"scopes": tuple(fields["scopes"].split())})
