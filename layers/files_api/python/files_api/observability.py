"""Structured logs, each line with Lambda's request id.

Powertools takes a twentieth of a function's init to import, so it is imported with the first line;
most functions write none.
"""

from functools import cache
from typing import TYPE_CHECKING

from files_api import invocation

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


def logger() -> "Logger":
    """The function's log, in JSON."""
    log = _logger()
    log.append_keys(function_request_id=invocation.request_id())
    return log


@cache
def _logger() -> "Logger":
    """Named and levelled by the template's `POWERTOOLS_` variables."""
    from aws_lambda_powertools import Logger

    return Logger()
