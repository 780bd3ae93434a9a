"""Measures one case: CPU of the handler, and of the bare boto3 calls that it makes, in turns.

The bare calls are those that the handler was seen to make, with the same parameters, so that they
cannot differ from it. Runs with the function's path and environment as Lambda would, boto3 added.

Usage: python -m benchmarks.worker <case> <calls a batch> <rounds>
Says the figures as JSON on the last line of stdout.
"""

import copy
import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final
from unittest import mock

import boto3
from botocore.client import BaseClient

from benchmarks.cases import CASES, Case
from benchmarks.stub import COUNT_PATH
from files_api.entry import lambda_handler

type Call = tuple[str, str, dict[str, Any]]  # service, method, parameters

_WARM_UP_CALLS: Final = 20


def measure(case: Case, calls: int, rounds: int) -> dict[str, Any]:
    """Seconds of CPU a call, round by round, and requests a call."""
    bare = _bare(_recorded(case), typed=case.typed)

    def handler() -> object:
        return lambda_handler(case.event, None)

    for function in (handler, bare):
        _cpu(function, _WARM_UP_CALLS)
    before = _requests()
    handler()
    aws_calls = _requests() - before
    before = _requests()
    bare()
    if _requests() - before != aws_calls:
        raise AssertionError(f"{case.name}: the bare calls are not those of the handler")
    seconds: dict[str, list[float]] = {"handler": [], "bare": []}
    for number in range(rounds):
        turns = [("handler", handler), ("bare", bare)]
        for name, function in turns if number % 2 else reversed(turns):
            seconds[name].append(_cpu(function, calls) / calls)
    return seconds | {"aws_calls": aws_calls}


def _recorded(case: Case) -> list[Call]:
    """The AWS calls that the handler makes for the case's event."""
    recorded: list[Call] = []
    real: Callable[..., Any] = vars(BaseClient)["_make_api_call"]

    def record(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        methods = {value: key for key, value in client.meta.method_to_api_mapping.items()}
        recorded.append((service, methods[operation], copy.deepcopy(dict(parameters))))
        return real(client, operation, parameters)

    with mock.patch.object(BaseClient, "_make_api_call", record):
        _check(case, lambda_handler(case.event, None))
    return recorded


def _check(case: Case, answer: Mapping[str, Any]) -> None:
    """Only calls that succeed are worth measuring."""
    if "statusCode" in answer:
        good = answer["statusCode"] == 200
    else:
        good = answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    if not good:
        raise AssertionError(f"{case.name}: {answer}")


def _bare(calls: list[Call], *, typed: bool) -> Callable[[], None]:
    """The calls, by plain clients of boto3, their answers read and parsed."""
    connect: Callable[[str], Any] = vars(boto3)["client"]  # its type lists every service
    clients = {service: connect(service) for service, _, _ in calls}
    bound = []
    for service, method, parameters in calls:
        if typed:
            del parameters["ProjectionExpression"]
        bound.append((getattr(clients[service], method), parameters))

    def bare() -> None:
        for method, parameters in bound:
            answer = method(**parameters)
            if "Body" in answer:
                answer["Body"].read()

    return bare


def _cpu(function: Callable[[], object], calls: int) -> float:
    """Seconds of CPU that so many calls take."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return time.process_time() - start


def _requests() -> int:
    """Requests that the stub has had so far."""
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + COUNT_PATH) as answer:  # noqa: S310
        return int(answer.read())


if __name__ == "__main__":
    (chosen,) = (case for case in CASES if case.name == sys.argv[1])
    print(json.dumps(measure(chosen, calls=int(sys.argv[2]), rounds=int(sys.argv[3]))))
