"""`make replay`: gives Purge again the records that it could not handle.

Lambda has put them into a bucket, each batch whole (AWS Lambda, "Retain discarded records").
"""

import json
from collections.abc import Iterator
from typing import Any

import click

from tools.commands import Command, in_stack
from tools.stacks import Place, Stack


@click.command("make replay", cls=Command)
@in_stack
@click.pass_obj
def cli(place: Place) -> None:
    """Give Purge again the records that it could not handle.

    A batch is deleted once all of its records are handled. Repeating this is safe.
    """
    stack = place.open()
    s3, bucket = stack.client("s3"), stack.outputs["FailedRecordsBucket"]
    handled = failed = 0
    for key in _keys(s3, bucket):
        stored = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        event = stored["payload"]
        event = json.loads(event) if isinstance(event, str) else event
        left = _failures(stack, event)
        handled, failed = handled + len(event["Records"]) - left, failed + left
        if not left:
            s3.delete_object(Bucket=bucket, Key=key)
    click.echo(f"{_records(handled)} handled, {_records(failed)} failed again.")
    if failed:
        raise click.ClickException("The log of Purge tells why. Fix the cause and replay again.")


def _keys(s3: Any, bucket: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (each["Key"] for each in page.get("Contents", []))


def _failures(stack: Stack, event: dict[str, Any]) -> int:
    """How many records of the event the function could not handle."""
    answer = stack.client("lambda").invoke(
        FunctionName=stack.outputs["PurgeFunction"], Payload=json.dumps(event)
    )
    result = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return len(event["Records"])
    return len(result["batchItemFailures"])


def _records(count: int) -> str:
    return f"{count} record{'' if count == 1 else 's'}"


if __name__ == "__main__":
    cli()
