"""Uploads' and parts' metadata in DynamoDB: one item each.

An upload's item has `open_until` as long as the upload takes parts: a number of its own, so that
parts that come side by side may each put it off, without a transaction.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from files_api.model import TRANSFER_SECONDS, Part, Pending, Upload
from files_api.records import promise_item
from files_api.table import Table, back_off, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 25  # AWS: items that one BatchWriteItem takes


class DynamoUploadRecords:
    """`ports.UploadRecords` on one table.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def open(self, project: str, upload: Upload) -> None:
        item = _item(project, upload, _removable_at(upload.expires_at))
        self._table.write(item | {"open_until": {"N": str(upload.expires_at)}})

    def get(self, project: str, upload_id: str) -> Upload | None:
        item = self._table.get(project, f"M#{upload_id}")
        return _upload(item) if item else None

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        return self._table.update(
            project,
            f"M#{upload_id}",
            "SET open_until = :until, expires_at = :removable",
            "attribute_exists(open_until)",
            until=expires_at,
            removable=_removable_at(expires_at),
        )

    def add_part(self, project: str, part: Part) -> None:
        doc = {"doc": {"S": json.dumps(asdict(part))}}
        self._table.write(key(project, f"M#{part.upload_id}#{part.id}") | doc)

    def parts(self, project: str, upload_id: str) -> list[Part]:
        pages = self._table.client.get_paginator("query").paginate(
            TableName=self._table.name,
            KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={
                ":project": {"S": project},
                ":prefix": {"S": f"M#{upload_id}#"},
            },
            ConsistentRead=True,
        )
        return [Part(**json.loads(item["doc"]["S"])) for page in pages for item in page["Items"]]

    def has_part(self, project: str, upload_id: str, part_id: str) -> bool:
        return self._table.get(project, f"M#{upload_id}#{part_id}") is not None

    def close(self, project: str, upload: Upload, promise: Pending | None = None) -> bool:
        # As long as its parts may be on their way, or be assembled.
        removable_at = promise.expires_at if promise else _removable_at(upload.expires_at)
        item = _item(project, upload, removable_at)
        items = [self._table.put(item, "attribute_exists(open_until)")]
        if promise:
            items.append(self._table.put(promise_item(project, promise)))
        return self._table.transact(items)

    def remove_parts(self, project: str, upload_id: str) -> None:
        requests: list[Any] = [
            {"DeleteRequest": {"Key": key(project, f"M#{upload_id}#{part.id}")}}
            for part in self.parts(project, upload_id)
        ]
        attempt = 0
        while requests:
            answer = self._table.client.batch_write_item(
                RequestItems={self._table.name: requests[:_BATCH]}
            )
            left = answer.get("UnprocessedItems", {}).get(self._table.name, [])
            requests = [*left, *requests[_BATCH:]]
            attempt = attempt + 1 if left else 0
            if left:  # the table has enough to do
                back_off(attempt)


def _removable_at(expires_at: int) -> int:
    """When the table may forget an upload: not while a part of it may be on its way."""
    return expires_at + TRANSFER_SECONDS


def _item(project: str, upload: Upload, removable_at: int) -> dict[str, Any]:
    return key(project, f"M#{upload.id}") | {
        "doc": {"S": json.dumps(asdict(upload), ensure_ascii=False)},
        "expires_at": {"N": str(removable_at)},
    }


def _upload(item: Any) -> Upload:
    fields = json.loads(item["doc"]["S"])
    if "open_until" in item:
        fields["expires_at"] = int(item["open_until"]["N"])
    return Upload(**fields | {"part_ids": tuple(fields["part_ids"])})
