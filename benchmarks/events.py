"""The sample payloads of `events/`, and changes to them."""

import copy
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from benchmarks.processes import ROOT

type Event = dict[str, Any]


def sample(function: str, case: str = "success") -> Event:
    """The payload `events/<function>/<case>.json`."""
    event: Event = json.loads((ROOT / "events" / function / f"{case}.json").read_text())
    return event


def of_project(event: Event, project: str) -> Event:
    """The event, about another project: `benchmarks.table` says which there are."""
    event = copy.deepcopy(event)
    event.get("requestContext", {"authorizer": event})["authorizer"]["project"] = project
    return event


def query(event: Event, **parameters: str) -> Event:
    """The event, with another query string."""
    return event | {"queryStringParameters": parameters}


def with_json(event: Event, value: object) -> Event:
    """The event, with another JSON body."""
    return event | {"body": b64encode(json.dumps(value).encode()).decode()}


def with_content(event: Event, size: int) -> Event:
    """The event, whose form has a file of this many bytes."""
    form, mark, end = b64decode(event["body"]).rpartition(b"\r\n--")
    head, blank, _ = form.rpartition(b"\r\n\r\n")
    body = head + blank + bytes(size) + mark + end
    return event | {"body": b64encode(body).decode()}


def succeeded(answer: Mapping[str, Any]) -> bool:
    """Whether the handler did what its event asked for."""
    if "policyDocument" in answer:
        return bool(answer["policyDocument"]["Statement"][0]["Effect"] == "Allow")
    return answer.get("statusCode", 200) in (200, 302) and not answer.get("batchItemFailures")
