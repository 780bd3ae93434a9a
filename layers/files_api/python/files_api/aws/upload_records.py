"""Metadata of uploads and parts in DynamoDB: one item each.

While an upload accepts parts, its item has `open_until`, an attribute of its own: parts sent in
parallel can extend it without a transaction. The rest is JSON text, in `stored`.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from files_api.aws.file_records import pending_item
from files_api.aws.table import Kind, Table, back_off, key, known, sort_key, sort_prefix
from files_api.service.model import TRANSFER_SECONDS, Part, PendingFile, Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 25  # AWS: items per BatchWriteItem


class DynamoUploadRecords:
    """`service.ports.UploadRecords` in a table.

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
        item = self._table.get(project, sort_key(Kind.UPLOAD, upload_id))
        return _upload(item) if item else None

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        return self._table.update(
            project,
            sort_key(Kind.UPLOAD, upload_id),
            "SET open_until = :until, expires_at = :removable",
            "attribute_exists(open_until)",
            until=expires_at,
            removable=_removable_at(expires_at),
        )

    def add_part(self, project: str, part: Part) -> None:
        stored = {"stored": {"S": json.dumps(asdict(part))}}
        part_key = key(project, sort_key(Kind.PART, part.upload_id, part.id))
        self._table.write(part_key | stored)

    def parts(self, project: str, upload_id: str) -> list[Part]:
        pages = self._table.client.get_paginator("query").paginate(
            TableName=self._table.name,
            KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={
                ":project": {"S": project},
                ":prefix": {"S": sort_prefix(Kind.PART, upload_id)},
            },
            ConsistentRead=True,
        )
        return [
            known(Part, json.loads(item["stored"]["S"])) for page in pages for item in page["Items"]
        ]

    def has_part(self, project: str, upload_id: str, part_id: str) -> bool:
        return self._table.get(project, sort_key(Kind.PART, upload_id, part_id)) is not None

    def close(self, project: str, upload: Upload, pending: PendingFile | None = None) -> bool:
        # Not while its parts may be in transfer, or assembled.
        removable_at = pending.expires_at if pending else _removable_at(upload.expires_at)
        item = _item(project, upload, removable_at)
        items = [self._table.put(item, "attribute_exists(open_until)")]
        if pending:
            items.append(self._table.put(pending_item(project, pending)))
        return self._table.transact(items)

    def delete_parts(self, project: str, upload_id: str) -> None:
        requests: list[Any] = [
            {"DeleteRequest": {"Key": key(project, sort_key(Kind.PART, upload_id, part.id))}}
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
            if left:  # the table is busy
                back_off(attempt)


def _removable_at(expires_at: int) -> int:
    """When TTL may delete an upload: not while one of its parts may be in transfer."""
    return expires_at + TRANSFER_SECONDS


def _item(project: str, upload: Upload, removable_at: int) -> dict[str, Any]:
    return key(project, sort_key(Kind.UPLOAD, upload.id)) | {
        "stored": {"S": json.dumps(asdict(upload), ensure_ascii=False)},
        "expires_at": {"N": str(removable_at)},
    }


def _upload(item: Any) -> Upload:
    fields = json.loads(item["stored"]["S"])
    if "open_until" in item:
        fields["expires_at"] = int(item["open_until"]["N"])
    return known(Upload, fields | {"part_ids": tuple(fields.get("part_ids", ()))})
