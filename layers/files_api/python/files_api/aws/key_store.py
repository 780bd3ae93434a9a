"""API keys in DynamoDB, in a table of their own, keyed by hash.

The item of a project, with its quota, has its name and a `#` in the place of a hash.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from files_api.aws.table import known, reasons
from files_api.service.keys import Key
from files_api.service.quota import Quota

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_QUOTA = ("max_files", "max_bytes")


class DynamoKeyStore:
    """`service.keys.KeyStore` in a table.

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
            yield from (_key(item) for item in page["Items"] if not _is_project(item))

    def quota(self, project: str) -> Quota:
        answer = self._client.get_item(
            TableName=self._table, Key=_project_key(project), ConsistentRead=True
        )
        item = answer.get("Item", {})
        return Quota(*(int(item[name]["N"]) if name in item else None for name in _QUOTA))

    def set_quota(self, project: str, quota: Quota) -> None:
        item = _project_key(project) | {
            name: {"N": str(limit)} for name, limit in _limits(quota).items() if limit is not None
        }
        self._client.put_item(TableName=self._table, Item=item)

    def carry(self, key_hash: str, quota: Quota) -> None:
        limits = _limits(quota)
        set_ = [f"{name} = :{name}" for name, limit in limits.items() if limit is not None]
        removed = [name for name, limit in limits.items() if limit is None]
        parts = {"SET": set_, "REMOVE": removed}
        changes = [f"{verb} {', '.join(names)}" for verb, names in parts.items() if names]
        values: Any = {
            f":{name}": {"N": str(limit)} for name, limit in limits.items() if limit is not None
        }
        self._client.update_item(
            TableName=self._table,
            Key={"hash": {"S": key_hash}},
            UpdateExpression=" ".join(changes),
            ConditionExpression="attribute_exists(#hash)",
            ExpressionAttributeNames={"#hash": "hash"},
            **({"ExpressionAttributeValues": values} if values else {}),
        )


def _limits(quota: Quota) -> dict[str, int | None]:
    """The attributes of a quota."""
    return dict(zip(_QUOTA, (quota.files, quota.bytes), strict=True))


def _project_key(project: str) -> Any:
    return {"hash": {"S": f"{project}#"}}


def _is_project(item: Any) -> bool:
    return bool(item["hash"]["S"].endswith("#"))


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
