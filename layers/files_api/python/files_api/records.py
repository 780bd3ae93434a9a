"""Files' metadata in DynamoDB.

A file is two items, written and removed in one transaction: `F#<id>` for the list of all files and
`P#<purpose>#<id>` for the list of one purpose. So both lists are strongly consistent and a page of
either is one Query. Ids are ordered by time, so the sort key is the order of the list.

Each item carries the public object as one JSON text, `doc`, so that a page is joined, not decoded.
"""

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from files_api.model import File
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
        item: dict[str, Any] = {"PK": {"S": project}, "doc": {"S": file.doc()}}
        if file.expires_at is not None:
            item["expires_at"] = {"N": str(file.expires_at)}
        self._client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": self._table, "Item": item | {"SK": {"S": sort_key}}}}
                for sort_key in _sort_keys(file)
            ]
        )

    def get(self, project: str, file_id: str) -> File | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key={"PK": {"S": project}, "SK": {"S": f"F#{file_id}"}},
            ProjectionExpression="doc",
            ConsistentRead=True,
        )
        return File.from_doc(answer["Item"]["doc"]["S"]) if "Item" in answer else None

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
        main, twin = (_key(project, sort_key) for sort_key in _sort_keys(file))
        items: list[TransactWriteItemTypeDef] = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": main,
                    "ConditionExpression": "attribute_exists(PK)",
                }
            },
            {"Delete": {"TableName": self._table, "Key": twin}},
        ]
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


def _sort_keys(file: File) -> tuple[str, str]:
    return f"F#{file.id}", f"P#{file.purpose}#{file.id}"


def _key(project: str, sort_key: str) -> dict[str, Any]:
    return {"PK": {"S": project}, "SK": {"S": sort_key}}


def _cancellation_codes(error: ClientError) -> set[str]:
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return {reason.get("Code", "") for reason in reasons}
