"""The table that keeps files, promises, uploads and parts: what every use of it needs.

| sort key | what |
|---|---|
| `F#<id>`, `P#<purpose>#<id>` | a file, once for the list of all and once for that of its purpose |
| `U#<id>` | a file that is promised |
| `M#<id>` | an upload |
| `M#<upload id>#<part id>` | a part |

The partition key is the project. `expires_at` is when the table's TTL may remove an item.
"""

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Racing transactions on one item: DynamoDB lets one through and cancels the others, which then
# have to look again ("Amazon DynamoDB transactions", transaction conflicts).
_CONFLICT_ATTEMPTS = 6
_CONFLICT_BACKOFF_SECONDS = 0.02
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

    def put(self, item: dict[str, Any], condition: str = "", **values: str) -> Any:
        """The writing of an item, for `transact`; only where the condition holds, if any.

        Args:
            item: as AttributeValues.
            condition: a ConditionExpression.
            values: what it calls `:name`, as strings.
        """
        return {"Put": {"TableName": self.name, "Item": item, **_condition(condition, values)}}

    def deletion(self, project: str, sort_key: str, *, certain: bool = True) -> Any:
        """The removal of an item, for `transact`; if `certain`, of one that must be there."""
        condition = _condition("attribute_exists(PK)" if certain else "", {})
        return {"Delete": {"TableName": self.name, "Key": key(project, sort_key), **condition}}

    def check(self, project: str, sort_key: str, condition: str, **values: str) -> Any:
        """A condition on an item, for `transact`; see `put`."""
        expression = _condition(condition, values)
        return {
            "ConditionCheck": {"TableName": self.name, "Key": key(project, sort_key), **expression}
        }

    def transact(self, items: "list[TransactWriteItemTypeDef]") -> bool:
        """Writes all items, or none and returns False where a condition does not hold."""
        attempt = 0
        while True:
            attempt += 1
            try:
                self.client.transact_write_items(TransactItems=items)
            except self.client.exceptions.TransactionCanceledException as error:
                reasons = _cancellation_codes(error)
                if "ConditionalCheckFailed" in reasons:
                    return False
                if "TransactionConflict" not in reasons or attempt == _CONFLICT_ATTEMPTS:
                    raise
                time.sleep(_jitter.uniform(0, _CONFLICT_BACKOFF_SECONDS * 2 ** (attempt - 1)))
            else:
                return True


def key(project: str, sort_key: str) -> dict[str, Any]:
    """The key of an item, as AttributeValues."""
    return {"PK": {"S": project}, "SK": {"S": sort_key}}


def _condition(expression: str, values: dict[str, str]) -> dict[str, Any]:
    if not expression:
        return {}
    named = {f":{name}": {"S": value} for name, value in values.items()}
    return {"ConditionExpression": expression} | (
        {"ExpressionAttributeValues": named} if named else {}
    )


def _cancellation_codes(error: ClientError) -> set[str]:
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return {reason.get("Code", "") for reason in reasons}
