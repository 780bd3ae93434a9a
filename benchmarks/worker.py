"""Measures calls: the handler, and the bare boto3 calls that it makes, in turns.

The bare calls are recorded from the handler, with their parameters, so both sides always make the
same calls. A presigned URL is one of these calls: it takes CPU, although no request. Runs with the
path and the environment that the function has in Lambda.

Usage: python -m benchmarks.worker
Reads `{"cases": {name: {"event", "typed"}}, "requests", "rounds", "clock"}` from stdin: about how
many AWS requests a batch of calls makes, how often a batch is measured on each side, and a function
of `time`. Prints, by case, `{"handler", "bare"}`, the seconds per call of each round, and
`{"aws_calls", "items_read"}` of one call, on the last line of stdout.
"""

import copy
import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Final
from unittest import mock

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.signers import generate_presigned_url

from benchmarks.events import Event, succeeded
from files_api.api.entry import lambda_handler

type Call = tuple[str, str, dict[str, Any]]  # service, method, parameters

_WARM_UP_CALLS: Final = 10
_STREAMS: Final = {"Body", "Payload"}


class _Case:
    """One case; `figures` is what is printed of it."""

    def __init__(self, event: Event, requests: int, *, typed: bool) -> None:
        calls, items_read = _recorded(event)
        sent = sum(method != "generate_presigned_url" for _, method, _ in calls)
        self._batch = max(1, requests // sent)
        self._sides: dict[str, Callable[[], object]] = {
            "handler": lambda: lambda_handler(event, None),
            "bare": _bare(calls, typed=typed),
        }
        counts = {"aws_calls": sent, "items_read": items_read}
        self.figures: dict[str, Any] = counts | {"handler": [], "bare": []}
        for side in self._sides.values():
            for _ in range(_WARM_UP_CALLS):
                side()

    def round(self, number: int, clock: Callable[[], float]) -> None:
        """A batch on each side, which take turns at being first."""
        for name in self._sides if number % 2 else reversed(self._sides):
            start = clock()
            for _ in range(self._batch):
                self._sides[name]()
            self.figures[name].append((clock() - start) / self._batch)


def _recorded(event: Event) -> tuple[list[Call], int]:
    """The AWS calls that the handler makes, and the items that the table reads for them."""
    calls: list[Call] = []
    items_read: list[int] = []
    call_api: Callable[..., Any] = vars(BaseClient)["_make_api_call"]
    presign: Callable[..., Any] = generate_presigned_url

    def note(client: Any, method: str, parameters: Mapping[str, Any]) -> None:
        service = client.meta.service_model.service_name
        calls.append((service, method, copy.deepcopy(dict(parameters))))

    def calling(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        methods = {value: key for key, value in client.meta.method_to_api_mapping.items()}
        note(client, methods[operation], parameters)
        answer = call_api(client, operation, parameters)
        items_read.append(answer.get("ScannedCount", 0))
        return answer

    def presigning(client: Any, method: str, **parameters: Any) -> Any:
        note(client, "generate_presigned_url", {"ClientMethod": method} | parameters)
        return presign(client, method, **parameters)

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(BaseClient, "_make_api_call", calling))
        for client in BaseClient.__subclasses__():  # each has a method of its own
            patches.enter_context(mock.patch.object(client, presign.__name__, presigning))
        answer = lambda_handler(event, None)
    if not succeeded(answer):
        raise AssertionError(answer)
    return calls, sum(items_read)


def _bare(calls: list[Call], *, typed: bool) -> Callable[[], None]:
    """The calls by plain boto3 clients; their answers are read and parsed."""
    connect: Callable[..., Any] = vars(boto3)["client"]  # its type lists every service
    # URLs are presigned like ours; requests are signed like this anyway.
    configs = {
        "s3": Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
        )
    }
    clients = {name: connect(name, config=configs.get(name)) for name, _, _ in calls}
    bound = []
    for service, method, parameters in calls:
        if typed:
            del parameters["ProjectionExpression"], parameters["ExpressionAttributeNames"]
        bound.append((getattr(clients[service], method), parameters))

    def bare() -> None:
        for method, parameters in bound:
            with suppress(ClientError):  # a HEAD of what is not there, as the handler expects
                answer = method(**parameters)
                for stream in _STREAMS & answer.keys() if isinstance(answer, dict) else ():
                    answer[stream].read()

    return bare


if __name__ == "__main__":
    given = json.load(sys.stdin)
    cases = {
        name: _Case(case["event"], given["requests"], typed=case["typed"])
        for name, case in given["cases"].items()
    }
    for number in range(given["rounds"]):
        for case in cases.values():
            case.round(number, getattr(time, given["clock"]))
    print(json.dumps({name: case.figures for name, case in cases.items()}))
