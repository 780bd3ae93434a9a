"""Uploads' and parts' metadata in DynamoDB: one item each."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from files_api.intake import TRANSFER_SECONDS
from files_api.model import Part, Pending, Upload
from files_api.records import promise_item
from files_api.table import Table, key

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
        self._table.write(_upload_item(project, upload))

    def get(self, project: str, upload_id: str) -> Upload | None:
        item = self._table.get(project, f"M#{upload_id}")
        if item is None:
            return None
        fields = json.loads(item["doc"]["S"])
        return Upload(**fields | {"part_ids": tuple(fields["part_ids"])})

    def add_part(self, project: str, upload: Upload, part: Part) -> bool:
        item = key(project, f"M#{upload.id}#{part.id}") | {
            "doc": {"S": json.dumps(asdict(part))},
            "expires_at": _removable_at(upload),
        }
        still_open = self._table.check(project, f"M#{upload.id}", "is_open = :yes", yes="yes")
        return self._table.transact([still_open, self._table.put(item)])

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
        items = [self._table.put(_upload_item(project, upload), "is_open = :yes", yes="yes")]
        if promise:
            items.append(self._table.put(promise_item(project, promise)))
        return self._table.transact(items)

    def remove_parts(self, project: str, upload_id: str) -> None:
        parts = self.parts(project, upload_id)
        requests: list[Any] = [
            {"DeleteRequest": {"Key": key(project, f"M#{upload_id}#{part.id}")}} for part in parts
        ]
        while requests:
            answer = self._table.client.batch_write_item(
                RequestItems={self._table.name: requests[:_BATCH]}
            )
            left = answer.get("UnprocessedItems", {}).get(self._table.name, [])
            requests = [*left, *requests[_BATCH:]]


def _upload_item(project: str, upload: Upload) -> dict[str, Any]:
    item: dict[str, Any] = key(project, f"M#{upload.id}") | {
        "doc": {"S": json.dumps(asdict(upload), ensure_ascii=False)},
        "expires_at": _removable_at(upload),
    }
    if upload.status == "pending":
        item["is_open"] = {"S": "yes"}
    return item


def _removable_at(upload: Upload) -> dict[str, str]:
    """When the table may forget it: not while a part may be on its way or be assembled."""
    return {"N": str(upload.expires_at + TRANSFER_SECONDS)}
