"""Files' metadata in DynamoDB.

A file is two items, written and removed in one transaction: one for the list of all files and one
for the list of its purpose. So both lists are strongly consistent and a page of either is one
Query. Ids are ordered by time, so the sort key is the order of the list.

A file that is promised is one item, in no list. It becomes the two others in one transaction, once.

Each item carries the public object as one JSON text, `doc`, so that a page is joined, not decoded.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from files_api.model import File, Pending
from files_api.ports import Query
from files_api.table import Table, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_STRIDE = 10_000  # items; a megabyte ends a Query before that
# A promise that is neither kept nor off, and of a file that is no error: that is for good.
_STANDS = "attribute_exists(PK) AND attribute_not_exists(is_broken)"


class DynamoRecords:
    """`ports.Records` on one table.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def add(self, project: str, file: File) -> None:
        self._table.transact(self._puts(project, file))

    def get(self, project: str, file_id: str) -> File | None:
        item = self._table.get(project, f"F#{file_id}")
        return _file(item) if item else None

    def promise(self, project: str, pending: Pending) -> None:
        self._table.write(promise_item(project, pending))

    def pending(self, project: str, file_id: str) -> Pending | None:
        item = self._table.get(project, f"U#{file_id}")
        return _pending(item) if item else None

    def amend(self, project: str, pending: Pending) -> bool:
        item = promise_item(project, pending)
        return self._table.transact([self._table.put(item, _STANDS)])

    def keep(self, project: str, file: File) -> bool:
        promise = self._table.deletion(project, f"U#{file.id}", _STANDS)
        return self._table.transact([promise, *self._puts(project, file)])

    def drop(self, project: str, file_id: str) -> bool:
        promise = self._table.deletion(project, f"U#{file_id}", "attribute_exists(PK)")
        return self._table.transact([promise])

    def docs(self, query: Query) -> list[str]:
        prefix = f"P#{query.purpose}#" if query.purpose else "F#"
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "KeyConditionExpression": "PK = :project AND begins_with(SK, :prefix)",
            # An expired file is gone at once, whenever the table's TTL gets round to removing it.
            "FilterExpression": "attribute_not_exists(expires_at) OR expires_at > :now",
            "ExpressionAttributeValues": {
                ":project": {"S": query.project},
                ":prefix": {"S": prefix},
                ":now": {"N": str(query.now)},
            },
            "ProjectionExpression": "doc",
            "ScanIndexForward": not query.newest_first,
            "ConsistentRead": True,
            "Limit": query.limit,
        }
        if query.after:
            request["ExclusiveStartKey"] = key(query.project, prefix + query.after)
        return self._all_pages(request, query.limit)

    def _all_pages(self, request: dict[str, Any], limit: int) -> list[str]:
        """The docs of one Query; of more where a megabyte, or expired files, cut it short."""
        docs: list[str] = []
        while True:
            answer = self._table.client.query(**request)
            docs += [item["doc"]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer or len(docs) >= limit:
                return docs[:limit]
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            if answer["ScannedCount"] == answer["Count"]:
                request["Limit"] = limit - len(docs)
            else:  # a run of expired files may be long: take longer and longer strides
                request["Limit"] = min(4 * request["Limit"], _MAX_STRIDE)

    def remove(self, project: str, file: File) -> bool:
        main, twin = _sort_keys(file)
        return self._table.transact(
            [
                self._table.deletion(project, main, "attribute_exists(PK)"),
                self._table.deletion(project, twin),
            ]
        )

    def remove_rest(self, project: str, file: File) -> None:
        for sort_key in _sort_keys(file):
            self._table.delete(project, sort_key)

    def _puts(self, project: str, file: File) -> list[Any]:
        item = _item(project, file)
        return [self._table.put(item | key(project, sort_key)) for sort_key in _sort_keys(file)]


def promise_item(project: str, pending: Pending) -> dict[str, Any]:
    """The item of a promise, as AttributeValues."""
    item = _item(project, pending.file) | key(project, f"U#{pending.file.id}")
    item["expires_at"] = {"N": str(pending.expires_at)}
    if pending.begun_at is not None:
        item["begun_at"] = {"N": str(pending.begun_at)}
    if pending.checked:
        item["is_checked"] = {"BOOL": True}
    if pending.file.status == "error":
        item["is_broken"] = {"BOOL": True}
    return item


def _pending(item: Any) -> Pending:
    return Pending(
        _file(item),
        expires_at=int(item["expires_at"]["N"]),
        begun_at=int(item["begun_at"]["N"]) if "begun_at" in item else None,
        checked="is_checked" in item,
    )


def _sort_keys(file: File) -> tuple[str, str]:
    return f"F#{file.id}", f"P#{file.purpose}#{file.id}"


def _item(project: str, file: File) -> dict[str, Any]:
    item: dict[str, Any] = {"PK": {"S": project}, "doc": {"S": file.doc()}}
    if file.expires_at is not None:
        item["expires_at"] = {"N": str(file.expires_at)}
    if file.direct:
        item["is_direct"] = {"BOOL": True}
    return item


def _file(item: Any) -> File:
    return File.from_doc(item["doc"]["S"], direct="is_direct" in item)


@dataclass(frozen=True, slots=True)
class Removed:
    """A file's item that was in the table.

    Attributes:
        project: whose.
        file: the file that it spoke of.
        promised: whether it only promised the file.
    """

    project: str
    file: File
    promised: bool


def removed_file(image: Any) -> Removed:
    """What a stream record's `OldImage` (AttributeValues, as DynamoDB writes them) was."""
    return Removed(image["PK"]["S"], _file(image), image["SK"]["S"].startswith("U#"))
