"""The table that keeps files, promises, uploads and parts: what every use of it needs.

| sort key | what |
|---|---|
| `F#<id>`, `P#<purpose>#<id>` | a file, once for the list of all and once for that of its purpose |
| `U#<id>` | a file that is promised |
| `M#<id>` | an upload |
| `M#<upload id>#<part id>` | a part |

The partition key is the project. `expires_at` is when the table's TTL may remove an item. A part
has none: it goes with its upload.
"""

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Racing transactions on one item: DynamoDB lets one through and turns the others away, which then
# have to look again ("Amazon DynamoDB transactions", transaction conflicts).
_CONFLICT_ATTEMPTS = 6
_BACKOFF_SECONDS = 0.02
_jitter = random.SystemRandom()


class Table:
    """One table.

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

    def write(self, item: dict[str, Any]) -> None:
        """Writes an item (AttributeValues), over what was there."""
        self.client.put_item(TableName=self.name, Item=item)

    def delete(self, project: str, sort_key: str) -> None:
        """Removes an item, if it is there."""
        self.client.delete_item(TableName=self.name, Key=key(project, sort_key))

    def update(
        self, project: str, sort_key: str, change: str, condition: str, **numbers: int
    ) -> bool:
        """Changes an item; or returns False where the condition does not hold.

        Args:
            project: of the key.
            sort_key: of the key.
            change: an UpdateExpression.
            condition: a ConditionExpression.
            numbers: what these two call `:name`.
        """
        values: Any = {f":{name}": {"N": str(number)} for name, number in numbers.items()}
        try:
            self._patiently(
                lambda: self.client.update_item(
                    TableName=self.name,
                    Key=key(project, sort_key),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                )
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def put(self, item: dict[str, Any], condition: str = "") -> Any:
        """The writing of an item (AttributeValues), for `transact`, if the condition holds."""
        return {"Put": {"TableName": self.name, "Item": item, **_if(condition)}}

    def deletion(self, project: str, sort_key: str, condition: str = "") -> Any:
        """The removal of an item, for `transact`, if the condition holds."""
        gone = {"TableName": self.name, "Key": key(project, sort_key)}
        return {"Delete": gone | _if(condition)}

    def transact(self, items: "list[TransactWriteItemTypeDef]") -> bool:
        """Writes all items, or none and returns False where a condition does not hold."""
        try:
            self._patiently(lambda: self.client.transact_write_items(TransactItems=items))
        except self.client.exceptions.TransactionCanceledException as error:
            if "ConditionalCheckFailed" not in _reasons(error):
                raise
            return False
        return True

    def _patiently[Answer](self, write: Callable[[], Answer]) -> Answer:
        """Writes, and again where a transaction was in the way."""
        for attempt in range(_CONFLICT_ATTEMPTS - 1):
            try:
                return write()
            except ClientError as error:
                reasons = _reasons(error)
                if "TransactionConflict" not in reasons or "ConditionalCheckFailed" in reasons:
                    raise
                back_off(attempt)
        return write()


def back_off(attempt: int) -> None:
    """Waits a little, longer from one attempt (0, 1, …) to the next."""
    time.sleep(_jitter.uniform(0, _BACKOFF_SECONDS * 2**attempt))


def key(project: str, sort_key: str) -> dict[str, Any]:
    """The key of an item, as AttributeValues."""
    return {"PK": {"S": project}, "SK": {"S": sort_key}}


def _if(condition: str) -> dict[str, str]:
    """A ConditionExpression, if there is any."""
    return {"ConditionExpression": condition} if condition else {}


def _reasons(error: ClientError) -> set[str]:
    """Why a write was turned away: of a transaction there may be several reasons."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    own = error.response["Error"]["Code"].removesuffix("Exception")
    return {own, *(reason["Code"] for reason in reasons)}
