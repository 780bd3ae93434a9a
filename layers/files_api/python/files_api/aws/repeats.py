"""What a creation with an `Idempotency-Key` has made: an item that its transaction writes, too."""

import json
from typing import Any

from files_api.aws.table import Kind, Table, key, known, sort_key, stored
from files_api.service.errors import IdempotencyKeyReused
from files_api.service.model import File, Upload
from files_api.service.terms import REPEATABLE_SECONDS, IdempotencyKey


def note(table: Table, project: str, by: IdempotencyKey, made: File | Upload) -> Any:
    """The write that notes what was made, for `transact`; refused if there is such a note."""
    item = key(project, sort_key(Kind.IDEMPOTENCY, by.hash)) | {
        "request": {"S": by.request},
        "stored": stored(made),
        "expires_at": {"N": str(made.created_at + REPEATABLE_SECONDS)},
    }
    free = "attribute_not_exists(PK) OR expires_at <= :now"
    return table.put(item, free, now=made.created_at)


def find[Made: (File, Upload)](
    table: Table, project: str, by: IdempotencyKey, now: int, kind: type[Made]
) -> Made | None:
    """What was made, unless that is too long ago. Raises IdempotencyKeyReused."""
    item = table.get(project, sort_key(Kind.IDEMPOTENCY, by.hash))
    if item is None or int(item["expires_at"]["N"]) <= now:
        return None
    if item["request"]["S"] != by.request:
        raise IdempotencyKeyReused
    fields = json.loads(item["stored"]["S"])
    return known(kind, {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()})
