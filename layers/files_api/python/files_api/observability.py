"""Structured logs, each line with Lambda's request id.

Powertools takes a twentieth of a function's init to import, so it is imported with the first line;
most functions write none.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

_request_id: str | None = None


def begin(context: Any) -> None:
    """Notes the invocation that the following log lines belong to.

    Args:
        context: Lambda's context object; None outside Lambda.
    """
    global _request_id  # an execution environment handles one invocation at a time
    _request_id = getattr(context, "aws_request_id", None)


def request_id() -> str | None:
    """Lambda's id of the current invocation."""
    return _request_id


def logger() -> "Logger":
    """The function's log, in JSON."""
    log = _logger()
    log.append_keys(function_request_id=_request_id)
    return log


@cache
def _logger() -> "Logger":
    """Named and levelled by the template's `POWERTOOLS_` variables."""
    from aws_lambda_powertools import Logger

    return Logger()
