"""What Schemathesis does beside `schemathesis.toml`."""

import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Gives each valid request a key of its own: one with the key of another is rejected."""
    if case.meta.generation.mode.is_positive and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Leaves out numbers such as `1.0`: integers to JSON Schema, but not to this API."""
    if isinstance(body, dict | list):
        inner = body.values() if isinstance(body, dict) else body
        return all(filter_body(context, each) for each in inner)
    return not (isinstance(body, float) and body.is_integer())
