"""The assembly queue: Lambda is asked once to start an assembly, and nobody waits for it."""

import json
from collections.abc import Iterator
from io import BytesIO

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from files_api.aws.assembly_queue import LambdaAssemblyQueue


@pytest.fixture
def stubbed() -> Iterator[tuple[LambdaAssemblyQueue, Stubber]]:
    client = botocore.session.Session().create_client(
        "lambda",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    with Stubber(client) as stub:
        yield LambdaAssemblyQueue(client, "assemble"), stub  # type: ignore[arg-type]


def test_an_assembly_is_queued_with_its_project_and_upload(
    stubbed: tuple[LambdaAssemblyQueue, Stubber],
) -> None:
    queue, stub = stubbed
    stub.add_response(
        "invoke",
        {"StatusCode": 202, "Payload": BytesIO()},
        {
            "FunctionName": "assemble",
            "InvocationType": "Event",  # AWS Lambda, "Invoking a function asynchronously"
            "Payload": json.dumps({"project": "acme", "upload_id": "an id"}),
        },
    )

    queue.send("acme", "an id")

    stub.assert_no_pending_responses()


def test_an_assembly_that_cannot_be_queued_raises(
    stubbed: tuple[LambdaAssemblyQueue, Stubber],
) -> None:
    queue, stub = stubbed
    stub.add_client_error("invoke", "ResourceNotFoundException")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        queue.send("acme", "an id")
