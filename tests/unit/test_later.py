"""What is left to another function: asked for once, waited for never."""

import json
from io import BytesIO

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from files_api.later import LambdaLater


@pytest.fixture
def stubbed() -> tuple[LambdaLater, Stubber]:
    client = botocore.session.Session().create_client(
        "lambda",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return LambdaLater(client, "assemble"), Stubber(client)  # type: ignore[arg-type]


def test_an_assembly_is_queued_with_all_that_it_needs_to_know(
    stubbed: tuple[LambdaLater, Stubber],
) -> None:
    later, stub = stubbed
    stub.add_response(
        "invoke",
        {"StatusCode": 202, "Payload": BytesIO()},
        {
            "FunctionName": "assemble",
            "InvocationType": "Event",  # AWS Lambda, "Invoking a function asynchronously"
            "Payload": json.dumps({"project": "acme", "upload_id": "an id"}),
        },
    )

    with stub:
        later.assemble("acme", "an id")

    stub.assert_no_pending_responses()


def test_an_assembly_that_cannot_be_queued_is_told(stubbed: tuple[LambdaLater, Stubber]) -> None:
    later, stub = stubbed
    stub.add_client_error("invoke", "ResourceNotFoundException")

    with stub, pytest.raises(ClientError, match="ResourceNotFoundException"):
        later.assemble("acme", "an id")
