"""The invocation under way. Apart from `observability`, which takes longer to import."""

from typing import Any

_request_id: str | None = None


def begin(context: Any) -> None:
    """Notes the invocation that the following log lines belong to.

    Args:
        context: Lambda's context object; None outside Lambda.
    """
    global _request_id  # an execution environment handles one invocation at a time
    _request_id = getattr(context, "aws_request_id", None)


def request_id() -> str | None:
    """Lambda's id of the invocation under way."""
    return _request_id
