"""The deployed stack behind the API: its resources, the events of AWS, other settings."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from tools.local.stack import LocalStack


@cache
def aws(stack: LocalStack, service: str) -> Any:
    """A client of the stack's AWS, cached because it takes long to make."""
    return stack.client(service)


@cache
def resource(stack: LocalStack, name: str) -> str:
    """The physical name of a resource of the template."""
    described = aws(stack, "cloudformation").describe_stack_resource(
        StackName="files-api", LogicalResourceId=name
    )
    return str(described["StackResourceDetail"]["PhysicalResourceId"])


# --- events -------------------------------------------------------------------------------------


def object_created(stack: LocalStack, key: str) -> dict[str, Any]:
    """EventBridge's event for a new object."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": stack.outputs["FilesBucket"]}, "object": {"key": key}},
    }


def queued(stack: LocalStack, keys: list[str]) -> dict[str, Any]:
    """A queue's batch with the events for new objects."""
    return {
        "Records": [
            {
                "messageId": key,
                "eventSource": "aws:sqs",
                "body": json.dumps(object_created(stack, key)),
            }
            for key in keys
        ]
    }


def invoke(stack: LocalStack, function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = aws(stack, "lambda").invoke(
        FunctionName=resource(stack, function), Payload=json.dumps(event)
    )
    returned: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, returned
    return returned


# --- other settings -----------------------------------------------------------------------------


@contextmanager
def stage_setting(stack: LocalStack, name: str, value: str, before: str) -> Iterator[None]:
    """Changes a setting of the deployed stage while the block runs."""
    api, stage = stack.outputs["ApiId"], stack.outputs["StageName"]

    def put(value: str) -> None:
        aws(stack, "apigateway").update_stage(
            restApiId=api,
            stageName=stage,
            patchOperations=[{"op": "replace", "path": name, "value": value}],
        )

    put(value)
    try:
        yield
    finally:
        put(before)


@contextmanager
def configured(
    stack: LocalStack, function: str, *, handler: str | None = None, **variables: str
) -> Iterator[None]:
    """Gives a function another handler or other variables while the block runs."""
    functions, name = aws(stack, "lambda"), resource(stack, function)
    before = functions.get_function_configuration(FunctionName=name)

    def put(handler: str, variables: dict[str, str]) -> None:
        functions.update_function_configuration(
            FunctionName=name, Handler=handler, Environment={"Variables": variables}
        )

    usual = before["Environment"]["Variables"]
    put(handler or before["Handler"], usual | variables)
    try:
        yield
    finally:
        put(before["Handler"], usual)
