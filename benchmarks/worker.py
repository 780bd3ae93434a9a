"""Measures one case: CPU of the handler, and of the bare boto3 calls that it makes, in turns.

The bare calls are recorded from the handler, with their parameters, so both sides always make the
same calls. A presigned URL is one of these calls: it takes CPU, although no request. Runs with the
path and the environment that the function has in Lambda.

Usage: python -m benchmarks.worker <case> <requests per batch> <rounds>
Prints the figures as JSON on the last line of stdout.
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
from files_api.api.entry import lambda_handler

type Call = tuple[str, str, dict[str, Any]]  # service, method, parameters

_WARM_UP_CALLS: Final = 10
_STREAMS: Final = {"Body", "Payload"}


def measure(case: Case, requests: int, rounds: int) -> dict[str, Any]:
    """Seconds of CPU per call, round by round, and AWS requests per call.

    Args:
        case: what is called.
        requests: about how many AWS requests a batch of calls makes, so that all take as long.
        rounds: how many times a batch is measured on each side.
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
        raise AssertionError(f"{case.name}: the bare calls differ from those of the handler")
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
        for client in BaseClient.__subclasses__():  # each has a method of its own
            patches.enter_context(mock.patch.object(client, presign.__name__, presigning))
        _check(case, lambda_handler(case.event, None))
    return calls


def _check(case: Case, answer: Mapping[str, Any]) -> None:
    """Fails unless the call has succeeded."""
    if "policyDocument" in answer:
        good = answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    elif "statusCode" in answer:
        good = answer["statusCode"] in (200, 302)
    else:  # without a caller, a failure is raised, or reported for a batch
        good = not answer.get("batchItemFailures")
    if not good:
        raise AssertionError(f"{case.name}: {answer}")


def bare_of(calls: list[Call], *, typed: bool) -> Callable[[], None]:
    """The calls by plain boto3 clients; their answers are read and parsed."""
    connect: Callable[..., Any] = vars(boto3)["client"]  # its type lists every service
    # URLs are presigned like ours; requests are signed like this anyway.
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
    """Seconds of CPU for so many calls."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return time.process_time() - start


def _requests() -> int:
    """The number of requests that the stub has received so far."""
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + COUNT_PATH) as answer:  # noqa: S310  the stub
        return int(answer.read())


if __name__ == "__main__":
    (chosen,) = (case for case in CASES if case.name == sys.argv[1])
    print(json.dumps(measure(chosen, requests=int(sys.argv[2]), rounds=int(sys.argv[3]))))
