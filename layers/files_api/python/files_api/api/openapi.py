"""What `openapi.json` says of one deployment; the rest of it is the same for all."""

import json
from typing import Any

from files_api.service.limits import Limits


def of_deployment(document: bytes, limits: Limits) -> bytes:
    """The document, with the bounds of a deployment in place of the default ones."""
    described = json.loads(document)
    described["components"]["schemas"] |= bounds(limits)
    return encoded(described)


def encoded(document: dict[str, Any]) -> bytes:
    """The document as it is stored and served."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def bounds(limits: Limits) -> dict[str, Any]:
    """The schemas, by name, of the values that each deployment bounds in its own way."""
    return {
        "Purpose": {
            "description": "What a file is for.",
            "type": "string",
            "enum": [*limits.purposes],
        },
        "FileBytes": {
            "description": "The exact size of a file.",
            "type": "integer",
            "minimum": 1,
            "maximum": limits.max_file_bytes,
        },
        "LifetimeSeconds": {
            "description": "How long a file lives, counted from its creation.",
            "type": "integer",
            "minimum": limits.lifetimes.least,
            "maximum": limits.lifetimes.most,
        },
    }
