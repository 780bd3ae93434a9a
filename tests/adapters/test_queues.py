"""The assembly queue: Lambda is asked once to start an assembly, and nobody waits for it."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from files_api.aws.queues import LambdaAssemblyQueue


@pytest.fixture
def stubbed(slim_client: Callable[..., Any]) -> Iterator[tuple[LambdaAssemblyQueue, Stubber]]:
    client = slim_client("lambda")
    with Stubber(client) as stub:
        yield LambdaAssemblyQueue(client, "assemble"), stub


def test_an_assembly_is_queued_or_the_error_raised(
    stubbed: tuple[LambdaAssemblyQueue, Stubber],
) -> None:
    queue, stub = stubbed
    expected = {
        "FunctionName": "assemble",
        "InvocationType": "Event",  # AWS Lambda, "Invoking a function asynchronously"
        "Payload": json.dumps({"project": "acme", "upload_id": "an id"}),
    }
    stub.add_response("invoke", {"StatusCode": 202, "Payload": BytesIO()}, expected)
    stub.add_client_error("invoke", "ResourceNotFoundException")

    queue.send("acme", "an id")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        queue.send("acme", "an id")
    stub.assert_no_pending_responses()
