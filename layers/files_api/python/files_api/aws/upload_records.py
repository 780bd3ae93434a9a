"""Metadata of uploads and parts in DynamoDB: one item each.

While an upload accepts parts, its item has `open_until`, `parts_left`, `bytes_left` and
`last_change`. They are attributes of their own, which parts sent in parallel change without a
transaction. The rest is JSON text, in `stored`.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from files_api.aws.file_records import pending_item
from files_api.aws.repeats import find, note
from files_api.aws.table import Kind, Table, key, known, sort_key, sort_prefix, stored
from files_api.service.model import (
    MAX_ADDED_PARTS,
    PART_LIFETIME_SECONDS,
    TRANSFER_SECONDS,
    Part,
    PendingFile,
    Upload,
)
from files_api.service.terms import IdempotencyKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoUploadRecords:
    """`service.ports.UploadRecords` in a table.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def open(self, project: str, upload: Upload, by: IdempotencyKey | None = None) -> bool:
        numbers = {
            "open_until": upload.expires_at,
            "parts_left": MAX_ADDED_PARTS,
            "bytes_left": upload.max_part_bytes,
        }
        item = _item(project, upload, _removable_at(upload.expires_at))
        item |= {name: {"N": str(value)} for name, value in numbers.items()}
        return self._table.write(item, by and note(self._table, project, by, upload))

    def made(self, project: str, by: IdempotencyKey, now: int) -> Upload | None:
        return find(self._table, project, by, now, Upload)

    def get(self, project: str, upload_id: str) -> Upload | None:
        item = self._table.get(project, sort_key(Kind.UPLOAD, upload_id))
        return _upload(item) if item else None

    def extend(self, project: str, upload_id: str, expires_at: int) -> bool:
        item = self._table.update(
            project,
            sort_key(Kind.UPLOAD, upload_id),
            "SET open_until = :until, expires_at = :removable",
            # A part that needs less must not shorten what a parallel one has been granted.
            "attribute_exists(open_until) AND open_until <= :until",
            until=expires_at,
            removable=_removable_at(expires_at),
        )
        return item is not None

    def reserve_part(self, project: str, part: Part, now: int) -> Upload | None:
        item = self._table.update(
            project,
            sort_key(Kind.UPLOAD, part.upload_id),
            "SET parts_left = parts_left - :one, bytes_left = bytes_left - :size",
            "open_until > :now AND parts_left >= :one AND bytes_left >= :size",
            once=part.id,
            one=1,
            size=part.bytes,
            now=now,
        )
        return _upload(item) if item else None

    def release_part(self, project: str, part: Part) -> None:
        self._table.update(
            project,
            sort_key(Kind.UPLOAD, part.upload_id),
            "SET parts_left = parts_left + :one, bytes_left = bytes_left + :size",
            "attribute_exists(open_until)",
            once=f"{part.id} released",
            one=1,
            size=part.bytes,
        )

    def add_part(self, project: str, part: Part) -> None:
        part_key = key(project, sort_key(Kind.PART, part.upload_id, part.id))
        expires_at = {"expires_at": {"N": str(part.created_at + PART_LIFETIME_SECONDS)}}
        self._table.write(part_key | {"stored": stored(part)} | expires_at)

    def parts(self, project: str, upload_id: str) -> list[Part]:
        pages = self._part_pages(project, upload_id)
        return [known(Part, json.loads(item["stored"]["S"])) for page in pages for item in page]

    def _part_pages(self, project: str, upload_id: str) -> Iterator[list[Any]]:
        """The items of the parts, a megabyte at a time."""
        pages = self._table.client.get_paginator("query").paginate(
            TableName=self._table.name,
            KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={
                ":project": {"S": project},
                ":prefix": {"S": sort_prefix(Kind.PART, upload_id)},
            },
            ConsistentRead=True,
        )
        return (page["Items"] for page in pages)

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
        # Page by page: however many parts there are, each interrupted call leaves fewer of them.
        for page in self._part_pages(project, upload_id):
            self._table.delete_all([{"PK": item["PK"], "SK": item["SK"]} for item in page])


def _removable_at(expires_at: int) -> int:
    """When TTL may delete an upload: not while one of its parts may be in transfer."""
    return expires_at + TRANSFER_SECONDS


def _item(project: str, upload: Upload, removable_at: int) -> dict[str, Any]:
    return key(project, sort_key(Kind.UPLOAD, upload.id)) | {
        "stored": stored(upload),
        "expires_at": {"N": str(removable_at)},
    }


def _upload(item: Any) -> Upload:
    fields = json.loads(item["stored"]["S"])
    if "open_until" in item:
        fields["expires_at"] = int(item["open_until"]["N"])
    return known(Upload, fields | {"part_ids": tuple(fields.get("part_ids", ()))})
