"""The invocation at hand: an execution environment handles one at a time."""

import math
from typing import Any

_context: Any = None


def begin(context: Any) -> None:
    """Notes the invocation that everything until the next one belongs to.

    Args:
        context: Lambda's context object; None outside Lambda.
    """
    global _context
    _context = context


def request_id() -> str | None:
    """Lambda's id of the invocation; None outside Lambda."""
    return getattr(_context, "aws_request_id", None)


def seconds_left() -> float:
    """How long the function may still run; infinite outside Lambda."""
    remaining = getattr(_context, "get_remaining_time_in_millis", None)
    return remaining() / 1000 if remaining else math.inf
