"""Clients of AWS services that keep to the invocation's time, and tell when AWS is throttling."""

from collections.abc import Mapping
from typing import Any

from files_api import invocation
from files_api.observability import logger
from files_api.service.errors import RateLimitExceeded

# No request starts with less time left: an attempt takes 9 s at most (see the timeouts in
# `composition`), and the function must still answer.
RESERVE_SECONDS = 10
# DynamoDB and Lambda say "Throttling…", "…Throughput…" or "TooManyRequests…", S3 says "SlowDown".
# The answer to a HEAD has no body, so the status is its only code.
_THROTTLING = (
    "Throttl",
    "ThroughputExceeded",
    "TooManyRequests",
    "RequestLimit",
    "SlowDown",
    "503",
)


class OutOfTime(Exception):
    """The invocation has too little time left for another request to AWS."""


def guard(client: Any) -> Any:
    """The client, watched: each of its attempts, the SDK's own retries included.

    Its methods then also raise RateLimitExceeded if AWS still throttles the last attempt, and
    OutOfTime.
    """
    events = client.meta.events
    events.register_first("request-created", _check_time)
    events.register("response-received", _note_throttling)
    events.register("after-call", _raise_throttling)
    return client


def is_throttling(code: str) -> bool:
    """Whether AWS asks to slow down, by the code of its error or the reason of a cancellation."""
    return any(each in code for each in _THROTTLING)


def _check_time(request: Any, **_: object) -> None:
    if invocation.seconds_left() < RESERVE_SECONDS:
        raise RateLimitExceeded if request.context.get("throttled") else OutOfTime


def _note_throttling(
    parsed_response: Mapping[str, Any] | None, context: dict[str, Any], **_: object
) -> None:
    context["throttled"] = is_throttling(_code(parsed_response or {}))


def _raise_throttling(parsed: Mapping[str, Any], model: Any, **_: object) -> None:
    if is_throttling(_code(parsed)):
        logger().warning("AWS throttled a request", extra={"operation": model.name})
        raise RateLimitExceeded


def _code(parsed: Mapping[str, Any]) -> str:
    return str(parsed.get("Error", {}).get("Code", ""))
