"""Files' metadata in DynamoDB.

A file is two items, written and removed in one transaction: `F#<id>` for the list of all files and
`P#<purpose>#<id>` for the list of one purpose. So both lists are strongly consistent and a page of
either is one Query. Ids are ordered by time, so the sort key is the order of the list.

A file that is promised, whose bytes come by direct upload, is one item, `U#<id>`, in no list. It
becomes the two others in one transaction, once.

Each item carries the public object as one JSON text, `doc`, so that a page is joined, not decoded.
"""

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from files_api.model import File, Pending
from files_api.ports import Query

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Racing transactions on one item: DynamoDB lets one through and cancels the others, which then
# have to look again ("Amazon DynamoDB transactions", transaction conflicts).
_CONFLICT_ATTEMPTS = 6
_CONFLICT_BACKOFF_SECONDS = 0.02
_MAX_STRIDE = 10_000  # items; a megabyte ends a Query before that
_jitter = random.SystemRandom()


class DynamoRecords:
    """`ports.Records` on one table.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def add(self, project: str, file: File) -> None:
        self._client.transact_write_items(TransactItems=self._puts(project, file))

    def get(self, project: str, file_id: str) -> File | None:
        item = self._item(project, f"F#{file_id}")
        return _file(item) if item else None

    def promise(self, project: str, pending: Pending) -> None:
        item = _item(project, pending.file) | _key(project, f"U#{pending.file.id}")
        item["expires_at"] = {"N": str(pending.expires_at)}
        self._client.put_item(TableName=self._table, Item=item)

    def pending(self, project: str, file_id: str) -> Pending | None:
        item = self._item(project, f"U#{file_id}")
        return Pending(_file(item), int(item["expires_at"]["N"])) if item else None

    def keep(self, project: str, file: File) -> bool:
        return self._transact([self._delete(project, f"U#{file.id}"), *self._puts(project, file)])

    def drop(self, project: str, file_id: str) -> bool:
        return self._transact([self._delete(project, f"U#{file_id}")])

    def docs(self, query: Query) -> list[str]:
        prefix = f"P#{query.purpose}#" if query.purpose else "F#"
        request: dict[str, Any] = {
            "TableName": self._table,
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
            request["ExclusiveStartKey"] = _key(query.project, prefix + query.after)
        return self._all_pages(request, query.limit)

    def _all_pages(self, request: dict[str, Any], limit: int) -> list[str]:
        """The docs of one Query; of more where a megabyte, or expired files, cut it short."""
        docs: list[str] = []
        while True:
            answer = self._client.query(**request)
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
        return self._transact(
            [self._delete(project, main), self._delete(project, twin, certain=False)]
        )

    def remove_rest(self, project: str, file: File) -> None:
        for sort_key in _sort_keys(file):
            self._client.delete_item(TableName=self._table, Key=_key(project, sort_key))

    def _item(self, project: str, sort_key: str) -> Any:
        answer = self._client.get_item(
            TableName=self._table,
            Key=_key(project, sort_key),
            ProjectionExpression="doc, expires_at, is_direct",
            ConsistentRead=True,
        )
        return answer.get("Item")

    def _puts(self, project: str, file: File) -> "list[TransactWriteItemTypeDef]":
        item = _item(project, file)
        return [
            {"Put": {"TableName": self._table, "Item": item | _key(project, sort_key)}}
            for sort_key in _sort_keys(file)
        ]

    def _delete(
        self, project: str, sort_key: str, *, certain: bool = True
    ) -> "TransactWriteItemTypeDef":
        """The removal of an item; where it must be `certain`, of one that is there."""
        condition = {"ConditionExpression": "attribute_exists(PK)"} if certain else {}
        key = _key(project, sort_key)
        return {"Delete": {"TableName": self._table, "Key": key, **condition}}  # type: ignore[typeddict-item]

    def _transact(self, items: "list[TransactWriteItemTypeDef]") -> bool:
        """Writes all items, or none and returns False where a condition does not hold."""
        attempt = 0
        while True:
            attempt += 1
            try:
                self._client.transact_write_items(TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = _cancellation_codes(error)
                if "ConditionalCheckFailed" in reasons:
                    return False
                if "TransactionConflict" not in reasons or attempt == _CONFLICT_ATTEMPTS:
                    raise
                time.sleep(_jitter.uniform(0, _CONFLICT_BACKOFF_SECONDS * 2**attempt))
            else:
                return True


def _item(project: str, file: File) -> dict[str, Any]:
    item: dict[str, Any] = {"PK": {"S": project}, "doc": {"S": file.doc()}}
    if file.expires_at is not None:
        item["expires_at"] = {"N": str(file.expires_at)}
    if file.direct:
        item["is_direct"] = {"BOOL": True}
    return item


def _file(item: Any) -> File:
    return File.from_doc(item["doc"]["S"], direct="is_direct" in item)


def _sort_keys(file: File) -> tuple[str, str]:
    return f"F#{file.id}", f"P#{file.purpose}#{file.id}"


def _key(project: str, sort_key: str) -> dict[str, Any]:
    return {"PK": {"S": project}, "SK": {"S": sort_key}}


def _cancellation_codes(error: ClientError) -> set[str]:
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return {reason.get("Code", "") for reason in reasons}


@dataclass(frozen=True, slots=True)
class Removed:
    """An item that was in the table.

    Attributes:
        project: whose.
        file: the file that it spoke of.
        promised: whether it only promised the file.
    """

    project: str
    file: File
    promised: bool


def removed(image: Any) -> Removed:
    """What a stream record's `OldImage` (AttributeValues, as DynamoDB writes them) was."""
    return Removed(image["PK"]["S"], _file(image), image["SK"]["S"].startswith("U#"))
