"""Metadata of files in DynamoDB.

A file is two items, written and deleted in one transaction: one for the list of all files, one for
the list of its purpose. So both lists are strongly consistent, and a page of either is one Query.
Ids sort by creation, and so does the sort key.

The same transaction counts the file, in one of several items, so that parallel calls seldom meet.
Only the second item has a TTL. When it is gone, the purge deletes the first one and counts, in one
transaction: so the first one is there as long as the file is counted.

A pending file is one item, which no list shows, and is not counted. One transaction turns it into
the two others, once.

Each item holds the file as the JSON text that callers see, in `public`, so that a page is joined
rather than decoded. What callers do not see is in attributes of its own.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from files_api import invocation
from files_api.aws.clients import RESERVE_SECONDS
from files_api.aws.repeats import find, note
from files_api.aws.table import Kind, Table, key, known, parse_sort_key, sort_key, sort_prefix
from files_api.service.blob_keys import FileBlob
from files_api.service.model import File, PendingFile, Usage
from files_api.service.ports import MANY_EXPIRED, PageRequest
from files_api.service.terms import IdempotencyKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_STRIDE = 10_000  # items; a megabyte ends a Query before that
_SHARDS = 64  # items of counters; all of them are read at once, with 4 KB
_FILES_PER_DELETION = 33  # a transaction has at most 100 changes: two for each file, one to count
_COUNTERS = ("files", "bytes", "changes")
_shards = random.SystemRandom()
# The pending file exists and has not failed. A failed one never changes.
_NOT_FAILED = "attribute_exists(PK) AND attribute_not_exists(has_failed)"


class DynamoFileRecords:
    """`service.ports.FileRecords` in a table.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def usage(self, project: str) -> Usage:
        return self.counters(project)[0]

    def counters(self, project: str) -> tuple[Usage, int]:
        """What the project stores, and how many changes that has had."""
        page = self._table.client.query(  # one page: the items have a few KB in all
            TableName=self._table.name,
            KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={
                ":project": {"S": project},
                ":prefix": {"S": sort_prefix(Kind.USAGE)},
            },
            ConsistentRead=True,
        )
        shards = page["Items"]
        files, size, changes = (sum(int(each[name]["N"]) for each in shards) for name in _COUNTERS)
        return Usage(files, size), changes

    def correct(self, project: str, *, files: int, size: int) -> None:
        """Adds to the counters."""
        self._table.transact([self._count(project, files, size)])

    def add(self, project: str, file: File, by: IdempotencyKey | None = None) -> bool:
        noted = [note(self._table, project, by, file)] if by else []
        return self._table.transact([*noted, *self._puts(project, file)])

    def made(self, project: str, by: IdempotencyKey, now: int) -> File | None:
        return find(self._table, project, by, now, File)

    def get(self, project: str, file_id: str) -> File | None:
        item = self._table.get(project, sort_key(Kind.FILE, file_id))
        return file_of(item) if item else None

    def page(
        self,
        project: str,
        request: PageRequest,
        now: int,
        many_expired: Callable[[], object] = lambda: None,
    ) -> list[str]:
        if request.purpose is None:
            prefix = sort_prefix(Kind.FILE)
        else:
            prefix = sort_prefix(Kind.PURPOSE, request.purpose)
        query: dict[str, Any] = {
            "TableName": self._table.name,
            "KeyConditionExpression": "PK = :project AND begins_with(SK, :prefix)",
            # An expired file is gone at once, even if the table's TTL has not yet deleted it.
            "FilterExpression": "attribute_not_exists(gone_at) OR gone_at > :now",
            "ExpressionAttributeNames": {"#public": "public"},
            "ExpressionAttributeValues": {
                ":project": {"S": project},
                ":prefix": {"S": prefix},
                ":now": {"N": str(now)},
            },
            "ProjectionExpression": "#public",
            "ScanIndexForward": not request.newest_first,
            "ConsistentRead": True,
            "Limit": request.limit,
        }
        if request.after:
            query["ExclusiveStartKey"] = key(project, prefix + request.after)
        return self._all_pages(query, request.limit, many_expired)

    def _all_pages(
        self, query: dict[str, Any], limit: int, many_expired: Callable[[], object]
    ) -> list[str]:
        """The files that a Query finds, and further ones if it was cut short.

        It is cut short after a megabyte, or because expired files took some of its limit.
        """
        files: list[str] = []
        expired = 0
        while True:
            answer = self._table.client.query(**query)
            files += [item["public"]["S"] for item in answer["Items"]]
            before, expired = expired, expired + answer["ScannedCount"] - answer["Count"]
            if before < MANY_EXPIRED <= expired:
                many_expired()
            if "LastEvaluatedKey" not in answer or len(files) >= limit:
                return files[:limit]
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            if answer["ScannedCount"] == answer["Count"]:
                query["Limit"] = limit - len(files)
            else:  # there may be many expired files in a row: take longer and longer strides
                query["Limit"] = min(4 * query["Limit"], _MAX_STRIDE)

    def delete_expired(self, project: str, now: int, until: int) -> None:
        lease = sort_key(Kind.EXPIRY)
        free = "attribute_not_exists(busy_until) OR busy_until <= :now"
        if not self._table.update(
            project, lease, "SET busy_until = :until", free, now=now, until=until
        ):
            return
        for files in self._expired(project, now):
            if invocation.seconds_left() < RESERVE_SECONDS:
                break  # the next list that is slow starts another run
            self._delete_many(project, files)
        self._table.update(
            project, lease, "SET busy_until = :now", "busy_until = :until", now=now, until=until
        )

    def _expired(self, project: str, now: int) -> Iterator[list[File]]:
        """The expired files, some at a time."""
        pages = self._table.client.get_paginator("query").paginate(
            TableName=self._table.name,
            KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
            FilterExpression="gone_at <= :now",
            ExpressionAttributeValues={
                ":project": {"S": project},
                ":prefix": {"S": sort_prefix(Kind.FILE)},
                ":now": {"N": str(now)},
            },
            ProjectionExpression="#public",
            ExpressionAttributeNames={"#public": "public"},
        )
        return ([file_of(item) for item in page["Items"]] for page in pages)

    def delete(self, project: str, file: File) -> bool:
        return self._table.transact(self._deletions(project, [file]))

    def _delete_many(self, project: str, files: Iterable[File]) -> None:
        """Deletes many files in few transactions, each of them unless a racing call has done it."""
        for some in batched(files, _FILES_PER_DELETION, strict=False):
            if not self._table.transact(self._deletions(project, some)):
                for file in some:
                    self.delete(project, file)

    def _deletions(self, project: str, files: Collection[File]) -> list[Any]:
        deletions: list[Any] = []
        for file in files:
            main, twin = _sort_keys(file)
            deletions += [
                self._table.deletion(project, main, "attribute_exists(PK)"),
                self._table.deletion(project, twin),
            ]
        return [*deletions, self._count(project, -len(files), -sum(file.bytes for file in files))]

    def delete_leftovers(self, files: Collection[tuple[str, File]]) -> None:
        # Of most, nothing is left: a call has deleted all of it.
        keys = [key(project, each) for project, file in files for each in _sort_keys(file)]
        left = {(item["PK"]["S"], item["SK"]["S"]) for item in self._table.get_all(keys)}
        counted, twins = defaultdict[str, list[File]](list), list[Any]()
        for project, file in files:
            main, twin = _sort_keys(file)
            if (project, main) in left:
                counted[project].append(file)
            elif (project, twin) in left:
                twins.append(key(project, twin))
        for project, some in counted.items():
            self._delete_many(project, some)
        self._table.delete_all(twins)

    def owned(self, blobs: Collection[FileBlob]) -> set[FileBlob]:
        ids = {(blob.project, blob.file_id) for blob in blobs}
        found = set[FileBlob]()
        # The pending files first: they become files, never the other way round.
        for kind in (Kind.PENDING, Kind.FILE):
            keys = [key(project, sort_key(kind, file_id)) for project, file_id in ids]
            for item in self._table.get_all(keys):
                _, (file_id,) = parse_sort_key(item["SK"]["S"])
                found.add(FileBlob(item["PK"]["S"], file_id, "is_direct" in item))
        return found.intersection(blobs)

    def add_pending(
        self, project: str, pending: PendingFile, by: IdempotencyKey | None = None
    ) -> bool:
        return self._table.write(
            pending_item(project, pending), by and note(self._table, project, by, pending.file)
        )

    def get_pending(self, project: str, file_id: str) -> PendingFile | None:
        item = self._table.get(project, sort_key(Kind.PENDING, file_id))
        return pending_of(item) if item else None

    def update_pending(self, project: str, pending: PendingFile) -> bool:
        item = pending_item(project, pending)
        return self._table.transact([self._table.put(item, _NOT_FAILED)])

    def delete_pending(self, project: str, file_id: str) -> bool:
        pending_key = sort_key(Kind.PENDING, file_id)
        return self._table.transact(
            [self._table.deletion(project, pending_key, "attribute_exists(PK)")]
        )

    def finalize(self, project: str, file: File) -> bool:
        pending_key = sort_key(Kind.PENDING, file.id)
        deletion = self._table.deletion(project, pending_key, _NOT_FAILED)
        return self._table.transact([deletion, *self._puts(project, file)])

    def _puts(self, project: str, file: File) -> list[Any]:
        main, twin = _sort_keys(file)
        item, lifetime = _item(file), {}
        if file.expires_at is not None:
            item["gone_at"] = lifetime["expires_at"] = {"N": str(file.expires_at)}
        return [
            self._table.put(item | key(project, main), "attribute_not_exists(PK)"),
            self._table.put(item | lifetime | key(project, twin)),
            self._count(project, 1, file.bytes),
        ]

    def _count(self, project: str, files: int, size: int) -> Any:
        """The change of the counters by so many files and bytes, for `transact`."""
        shard = sort_key(Kind.USAGE, f"{_shards.randrange(_SHARDS):02}")
        return self._table.addition(project, shard, files=files, bytes=size, changes=1)


def pending_item(project: str, pending: PendingFile) -> dict[str, Any]:
    """The item of a pending file, as AttributeValues."""
    item = _item(pending.file) | key(project, sort_key(Kind.PENDING, pending.file.id))
    item["expires_at"] = {"N": str(pending.expires_at)}
    if pending.assembly_started_at is not None:
        item["assembly_started_at"] = {"N": str(pending.assembly_started_at)}
    if pending.part_size is not None:
        item["part_size"] = {"N": str(pending.part_size)}
    if pending.multipart_id is not None:
        item["multipart_id"] = {"S": pending.multipart_id}
    if pending.md5_checked:
        item["is_md5_checked"] = {"BOOL": True}
    if pending.file.status == "error":
        item["has_failed"] = {"BOOL": True}
    return item


def file_of(item: Mapping[str, Any]) -> File:
    """The file that an item (AttributeValues) is about, pending or not."""
    hidden: dict[str, Any] = {"direct": "is_direct" in item}
    if "mime_type" in item:
        hidden["mime_type"] = item["mime_type"]["S"]
    return known(File, json.loads(item["public"]["S"]) | hidden)


def pending_of(item: Mapping[str, Any]) -> PendingFile:
    """The pending file of an item (AttributeValues)."""

    def number(name: str) -> int | None:
        return int(item[name]["N"]) if name in item else None

    return PendingFile(
        file_of(item),
        expires_at=int(item["expires_at"]["N"]),
        assembly_started_at=number("assembly_started_at"),
        md5_checked="is_md5_checked" in item,
        part_size=number("part_size"),
        multipart_id=item["multipart_id"]["S"] if "multipart_id" in item else None,
    )


def _sort_keys(file: File) -> tuple[str, str]:
    return sort_key(Kind.FILE, file.id), sort_key(Kind.PURPOSE, file.purpose, file.id)


def _item(file: File) -> dict[str, Any]:
    item: dict[str, Any] = {"public": {"S": file.public_json()}}
    if file.direct:
        item["is_direct"] = {"BOOL": True}
    if file.mime_type is not None:
        item["mime_type"] = {"S": file.mime_type}
    return item
