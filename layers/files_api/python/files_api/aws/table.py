"""The table of files, uploads and parts: its keys, and how to read and write an item.

| sort key | item |
|---|---|
| `FILE#<id>` | a file, for the list of all files |
| `PURPOSE#<purpose>#<id>` | the same file, for the list of its purpose |
| `PENDING#<id>` | a pending file |
| `UPLOAD#<id>` | an upload |
| `PART#<upload id>#<part id>` | a part of an upload |
| `EXPIRY` | until when a run may be deleting the project's expired files |
| `IDEMPOTENCY#<hash>` | what a creation with this `Idempotency-Key` has made |
| `USAGE#<shard>` | a part of the project's counters: their sum counts |

The partition key is the project. From `expires_at` on, the table's TTL may delete an item.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from files_api import invocation
from files_api.aws.clients import RESERVE_SECONDS, is_throttling
from files_api.service.errors import RateLimitExceeded

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# A write that races with a transaction for an item, or is throttled, is tried again (Amazon
# DynamoDB, "Transaction conflict handling"), as long as the invocation has time.
_MAX_ATTEMPTS = 20
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 0.02, 2.0
_BATCH, _READ_BATCH = 25, 100  # AWS: items per BatchWriteItem and BatchGetItem
_jitter = random.SystemRandom()
_encoded = json.JSONEncoder(ensure_ascii=False).encode


class Kind(StrEnum):
    """What an item is: the first part of its sort key."""

    FILE = "FILE"
    PURPOSE = "PURPOSE"
    PENDING = "PENDING"
    UPLOAD = "UPLOAD"
    PART = "PART"
    EXPIRY = "EXPIRY"
    IDEMPOTENCY = "IDEMPOTENCY"
    USAGE = "USAGE"


def sort_key(kind: Kind, *ids: str) -> str:
    """The sort key of an item."""
    return "#".join((kind, *ids))


def sort_prefix(kind: Kind, *ids: str) -> str:
    """The start of the sort keys of all items of a kind, or of those below some ids."""
    return sort_key(kind, *ids) + "#"


def parse_sort_key(text: str) -> tuple[Kind, list[str]]:
    """The parts of a sort key. Raises ValueError for an unknown kind."""
    kind, *ids = text.split("#")
    return Kind(kind), ids


def key(project: str, sort_key: str) -> dict[str, Any]:
    """The key of an item, as AttributeValues."""
    return {"PK": {"S": project}, "SK": {"S": sort_key}}


def known[T: DataclassInstance](kind: type[T], fields: Mapping[str, Any]) -> T:
    """A dataclass made of those stored fields that it knows.

    Functions are not all replaced at the same moment during an update, so an item may have been
    written by a later version, with more fields.
    """
    names = kind.__dataclass_fields__
    return kind(**{name: fields[name] for name in names if name in fields})


def stored(document: "DataclassInstance") -> dict[str, str]:
    """A dataclass as JSON text (an AttributeValue), which `known` reads again."""
    names = type(document).__dataclass_fields__
    return {"S": _encoded({name: getattr(document, name) for name in names})}


class Table:
    """A table.

    Args:
        client: a DynamoDB client.
        name: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.client = client
        self.name = name

    def get(self, project: str, sort_key: str) -> Any:
        """The item, as AttributeValues; None if there is none. Strongly consistent."""
        answer = self.client.get_item(
            TableName=self.name, Key=key(project, sort_key), ConsistentRead=True
        )
        return answer.get("Item")

    def get_all(self, keys: list[Any]) -> list[Any]:
        """The items that exist, of their keys (AttributeValues), in no order. Consistent."""
        items: list[Any] = []
        attempt = 0
        while keys:
            batch: Any = {"Keys": keys[:_READ_BATCH], "ConsistentRead": True}
            answer = self.client.batch_get_item(RequestItems={self.name: batch})
            items += answer["Responses"].get(self.name, [])
            unprocessed: dict[str, Any] = answer.get("UnprocessedKeys", {})
            left = unprocessed.get(self.name, {}).get("Keys", [])
            keys = [*left, *keys[_READ_BATCH:]]
            attempt = attempt + 1 if left else 0
            if left:  # the table is busy; once the time is over, the client raises
                back_off(attempt)
        return items

    def write(self, item: dict[str, Any], with_: Any = None) -> bool:
        """Writes an item (AttributeValues), replacing an earlier one.

        With another change (as for `transact`), both are made, or none: then it returns False.
        """
        if with_:
            return self.transact([with_, self.put(item)])
        self.client.put_item(TableName=self.name, Item=item)
        return True

    def update(
        self,
        project: str,
        sort_key: str,
        change: str,
        condition: str,
        *,
        once: str = "",
        **numbers: int,
    ) -> Any:
        """Changes an item; returns it, or None if the condition does not hold.

        Args:
            project: of the key.
            sort_key: of the key.
            change: an UpdateExpression that sets attributes.
            condition: a ConditionExpression.
            once: an id of this change. The SDK sends a request again if its answer is lost: with an
                id, the second one changes nothing and returns the item, too, unless another change
                came between them.
            numbers: values that the expressions refer to as `:name`.
        """
        values: Any = {f":{name}": {"N": str(number)} for name, number in numbers.items()}
        if once:
            change += ", last_change = :once"
            condition += " AND (attribute_not_exists(last_change) OR last_change <> :once)"
            values[":once"] = {"S": once}
        try:
            answer = self._patiently(
                lambda: self.client.update_item(
                    TableName=self.name,
                    Key=key(project, sort_key),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD" if once else "NONE",
                )
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            item: Any = error.response.get("Item") or {}
            return item if once and item.get("last_change") == {"S": once} else None
        return answer["Attributes"]

    def delete_all(self, keys: list[Any]) -> None:
        """Deletes items, by their keys (AttributeValues), if they exist."""
        requests: list[Any] = [{"DeleteRequest": {"Key": each}} for each in keys]
        attempt = 0
        while requests:
            answer = self.client.batch_write_item(RequestItems={self.name: requests[:_BATCH]})
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            requests = [*left, *requests[_BATCH:]]
            attempt = attempt + 1 if left else 0
            if left:  # the table is busy; once the time is over, the client raises
                back_off(attempt)

    def put(self, item: dict[str, Any], condition: str = "", **numbers: int) -> Any:
        """A write of an item (AttributeValues), if the condition holds, for `transact`.

        `numbers` are values that the condition refers to as `:name`.
        """
        values = {f":{name}": {"N": str(number)} for name, number in numbers.items()}
        given = {"ExpressionAttributeValues": values} if values else {}
        return {"Put": {"TableName": self.name, "Item": item, **_if(condition), **given}}

    def deletion(self, project: str, sort_key: str, condition: str = "") -> Any:
        """A deletion of an item, if the condition holds, for `transact`."""
        return {"Delete": {"TableName": self.name, "Key": key(project, sort_key), **_if(condition)}}

    def addition(self, project: str, sort_key: str, **numbers: int) -> Any:
        """An increase of an item's numbers, which are 0 if there is none, for `transact`."""
        return {
            "Update": {
                "TableName": self.name,
                "Key": key(project, sort_key),
                "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in numbers),
                "ExpressionAttributeNames": {f"#{name}": name for name in numbers},
                "ExpressionAttributeValues": {
                    f":{name}": {"N": str(number)} for name, number in numbers.items()
                },
            }
        }

    def transact(self, items: "list[TransactWriteItemTypeDef]") -> bool:
        """Makes all changes; returns False, and makes none, if a condition does not hold."""
        try:
            self._patiently(lambda: self.client.transact_write_items(TransactItems=items))
        except self.client.exceptions.TransactionCanceledException as error:
            if "ConditionalCheckFailed" not in reasons(error):
                raise
            return False
        return True

    def _patiently[Answer](self, write: Callable[[], Answer]) -> Answer:
        """Writes; tries again while DynamoDB is too busy. Raises RateLimitExceeded."""
        for attempt in range(_MAX_ATTEMPTS):
            if attempt:
                back_off(attempt - 1)
                if invocation.seconds_left() < RESERVE_SECONDS:
                    break
            try:
                return write()
            except RateLimitExceeded:
                pass
            except ClientError as error:
                if not _is_busy(error):
                    raise
        raise RateLimitExceeded


def back_off(attempt: int) -> None:
    """Waits a random time, longer with each attempt (0, 1, …)."""
    longest = min(_FIRST_BACKOFF_SECONDS * 2**attempt, _LONGEST_BACKOFF_SECONDS)
    time.sleep(_jitter.uniform(0, longest))


def _is_busy(error: ClientError) -> bool:
    """Whether the same write may succeed later: a condition that does not hold is final."""
    found = reasons(error)
    busy = any(each == "TransactionConflict" or is_throttling(each) for each in found)
    return busy and "ConditionalCheckFailed" not in found


def _if(condition: str) -> dict[str, str]:
    """The parameter of a condition, if there is one."""
    return {"ConditionExpression": condition} if condition else {}


def reasons(error: ClientError) -> set[str]:
    """Why DynamoDB rejected a write; a transaction may have several reasons."""
    cancelled: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    own = error.response["Error"]["Code"].removesuffix("Exception")
    return {own, *(reason["Code"] for reason in cancelled)}
