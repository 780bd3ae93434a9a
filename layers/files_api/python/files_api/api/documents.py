"""JSON documents, read so that nothing in them is dropped in silence."""

import json
from typing import Any

from files_api.service.errors import MalformedBody

# More than any call has; an object of millions of fields would take all of a function's memory.
_MAX_FIELDS = 64


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        MalformedBody: not JSON, or an object in it has a field twice, or too many fields.
    """
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not a JSON object.") from None


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise MalformedBody("An object in the JSON body has a field more than once.")
    if len(fields) > _MAX_FIELDS:
        raise MalformedBody(f"An object in the JSON body has more than {_MAX_FIELDS} fields.")
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=_fields)
