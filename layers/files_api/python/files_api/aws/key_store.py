"""API keys in DynamoDB, in a table of their own."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from files_api.aws.table import known, reasons
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
        self._client.put_item(TableName=self._table, Item=_item(key))

    def revoke(self, key_hash: str, now: int) -> Key:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"hash": {"S": key_hash}},
                UpdateExpression="SET revoked_at = :now, changed_at = :now",
                ConditionExpression="attribute_exists(#hash) AND attribute_not_exists(revoked_at)",
                ExpressionAttributeNames={"#hash": "hash"},
                ExpressionAttributeValues={":now": {"N": str(now)}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            revoked: Any = error.response
            return _key(revoked["Item"])
        return _key(answer["Attributes"])

    def replace(self, old: Key, new: Key) -> bool:
        # Only what changes: whoever revokes the old key meanwhile must win.
        names = ("replaced_by", "changed_at", "revoked_at", "expires_at")
        changed = {name: value for name, value in _item(old).items() if name in names}
        end: Any = {
            "TableName": self._table,
            "Key": {"hash": {"S": old.hash}},
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in changed),
            "ConditionExpression": "attribute_exists(#hash) AND attribute_not_exists(revoked_at)"
            " AND attribute_not_exists(replaced_by)",
            "ExpressionAttributeNames": {"#hash": "hash"},
            "ExpressionAttributeValues": {f":{name}": value for name, value in changed.items()},
        }
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Update": end},
                    {"Put": {"TableName": self._table, "Item": _item(new)}},
                ]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            if "ConditionalCheckFailed" not in reasons(error):
                raise
            return False
        return True

    def all(self) -> Iterator[Key]:
        # A Scan: there are few keys, and only the operator's command reads them all.
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        ):
            yield from map(_key, page["Items"])


def _item(key: Key) -> dict[str, Any]:
    fields = asdict(key) | {"scopes": " ".join(key.scopes)}
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in fields.items()
        if value is not None
    }


def _key(item: Any) -> Key:
    fields: dict[str, Any] = {
        name: int(value["N"]) if "N" in value else value.get("S") for name, value in item.items()
    }
    return known(Key, fields | {"scopes": tuple(fields["scopes"].split())})
