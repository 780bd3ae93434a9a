"""Measures one case: CPU of the handler, and of the bare boto3 calls that it makes, in turns.

The bare calls are those that the handler was seen to make, with the same parameters, so that they
cannot differ from it. A presigned URL takes no request, but CPU: it is one of these calls. Runs
with the function's path and environment as Lambda would, boto3 added.

Usage: python -m benchmarks.worker <case> <requests a batch> <rounds>
Says the figures as JSON on the last line of stdout.
"""

import contextlib
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
from botocore.config import Config
from botocore.signers import generate_presigned_url

from benchmarks.cases import CASES, Case
from benchmarks.stub import COUNT_PATH
from files_api.entry import lambda_handler

type Call = tuple[str, str, dict[str, Any]]  # service, method, parameters

_WARM_UP_CALLS: Final = 10
_STREAMS: Final = {"Body", "Payload"}


def measure(case: Case, requests: int, rounds: int) -> dict[str, Any]:
    """Seconds of CPU a call, round by round, and requests a call.

    Args:
        case: what is called.
        requests: to AWS, about so many in one batch of calls: cases of many take no longer.
        rounds: of one batch on each side.
    """
    bare = bare_of(recorded(case), typed=case.typed)

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
    calls = max(1, requests // aws_calls)
    seconds: dict[str, list[float]] = {"handler": [], "bare": []}
    for number in range(rounds):
        turns = [("handler", handler), ("bare", bare)]
        for name, function in turns if number % 2 else reversed(turns):
            seconds[name].append(_cpu(function, calls) / calls)
    return seconds | {"aws_calls": aws_calls}


def recorded(case: Case) -> list[Call]:
    """The AWS calls that the handler makes for the case's event."""
    calls: list[Call] = []
    call_api: Callable[..., Any] = vars(BaseClient)["_make_api_call"]
    presign: Callable[..., Any] = generate_presigned_url

    def note(client: Any, method: str, parameters: Mapping[str, Any]) -> None:
        service = client.meta.service_model.service_name
        calls.append((service, method, copy.deepcopy(dict(parameters))))

    def calling(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        methods = {value: key for key, value in client.meta.method_to_api_mapping.items()}
        note(client, methods[operation], parameters)
        return call_api(client, operation, parameters)

    def presigning(client: Any, method: str, **parameters: Any) -> Any:
        note(client, "generate_presigned_url", {"ClientMethod": method} | parameters)
        return presign(client, method, **parameters)

    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(BaseClient, "_make_api_call", calling))
        for client in BaseClient.__subclasses__():  # botocore gives each of them its own
            patches.enter_context(mock.patch.object(client, presign.__name__, presigning))
        _check(case, lambda_handler(case.event, None))
    return calls


def _check(case: Case, answer: Mapping[str, Any]) -> None:
    """Only calls that succeed are worth measuring."""
    if "policyDocument" in answer:
        good = answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    elif "statusCode" in answer:
        good = answer["statusCode"] in (200, 302)
    else:  # of what no caller waits for: what fails is raised, or told of a batch
        good = not answer.get("batchItemFailures")
    if not good:
        raise AssertionError(f"{case.name}: {answer}")


def bare_of(calls: list[Call], *, typed: bool) -> Callable[[], None]:
    """The calls, by plain clients of boto3, their answers read and parsed."""
    connect: Callable[..., Any] = vars(boto3)["client"]  # its type lists every service
    # A URL is signed as ours are; requests are signed like this anyway.
    configs = {"s3": Config(signature_version="s3v4")}
    clients = {name: connect(name, config=configs.get(name)) for name, _, _ in calls}
    bound = []
    for service, method, parameters in calls:
        if typed:
            del parameters["ProjectionExpression"]
        bound.append((getattr(clients[service], method), parameters))

    def bare() -> None:
        for method, parameters in bound:
            answer = method(**parameters)
            for stream in _STREAMS & answer.keys() if isinstance(answer, dict) else ():
                answer[stream].read()

    return bare


def _cpu(function: Callable[[], object], calls: int) -> float:
    """Seconds of CPU that so many calls take."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return time.process_time() - start


def _requests() -> int:
    """Requests that the stub has had so far."""
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + COUNT_PATH) as answer:  # noqa: S310  the stub
        return int(answer.read())


if __name__ == "__main__":
    (chosen,) = (case for case in CASES if case.name == sys.argv[1])
    print(json.dumps(measure(chosen, requests=int(sys.argv[2]), rounds=int(sys.argv[3]))))
