"""`make replay`: the real Purge gets what it could not handle, until it can."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from files_api.aws.file_records import pending_item
from files_api.service.model import File, PendingFile
from tests.functions import aws_events
from tests.support import moto_stack
from tests.support.functions import load_app
from tests.support.moto_stack import environment, physical_name
from tests.support.samples import a_file
from tools.replay import cli
from tools.stacks import Place, Stack

BUCKET, FILES_BUCKET = physical_name("FailedRecordsBucket"), physical_name("FilesBucket")


class Lambda:
    """Runs the real function in this process.

    Attributes:
        breaks: whether the function ends without an answer.
    """

    def __init__(self) -> None:
        self.breaks = False
        self._purge: Callable[..., Any] = load_app("purge").lambda_handler

    def invoke(self, **asked: str) -> dict[str, Any]:
        assert asked["FunctionName"] == "Purge"
        if self.breaks:
            return {"FunctionError": "Unhandled", "Payload": BytesIO(b'{"errorType": "Timeout"}')}
        answer = self._purge(json.loads(asked["Payload"]), None)
        return {"Payload": BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[moto_stack.Stack]:
    for name, value in environment("purge").items():
        monkeypatch.setenv(name, value)
    with moto_stack.stack(monkeypatch) as made:
        yield made


@pytest.fixture
def purge(stack: moto_stack.Stack, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """The function of the stack that the command finds."""
    purge, session = Lambda(), boto3.Session()

    def client(_: Stack, service: str) -> Any:
        return purge if service == "lambda" else getattr(stack, service)

    outputs = {"FailedRecordsBucket": BUCKET, "PurgeFunction": "Purge"}
    monkeypatch.setattr(Stack, "client", client)
    monkeypatch.setattr(
        Place, "open", lambda _: Stack(session, {}, outputs, {"AuthorizerTtlSeconds": "60"})
    )
    return purge


def removed_with_bytes(stack: moto_stack.Stack) -> tuple[File, dict[str, Any]]:
    """A pending file whose record is gone while its bytes are there, and the stream's record."""
    file = a_file(status="pending", direct=True)
    stack.s3.put_object(Bucket=FILES_BUCKET, Key=file.blob_key("acme"), Body=b"abc")
    return file, aws_events.removed(pending_item("acme", PendingFile(file, 1)))


def given_up(stack: moto_stack.Stack, name: str, *records: dict[str, Any]) -> None:
    """Puts a batch where Lambda does (AWS Lambda, "Retain discarded records", example of S3)."""
    invocation = {
        "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11},
        "version": "1.0",
        "DDBStreamBatchInfo": {"batchSize": len(records)},
        "payload": json.dumps({"Records": records}),
    }
    stack.s3.put_object(Bucket=BUCKET, Key=f"aws/lambda/{name}", Body=json.dumps(invocation))


def run() -> Result:
    return CliRunner(mix_stderr=False).invoke(cli, [], catch_exceptions=False)


@pytest.mark.usefixtures("purge")
def test_records_are_handled_and_forgotten(stack: moto_stack.Stack) -> None:
    gone = [removed_with_bytes(stack) for _ in range(3)]
    given_up(stack, "1", *(record for _, record in gone[:2]))
    given_up(stack, "2", gone[2][1])

    first, second = run(), run()

    assert (first.exit_code, first.stdout) == (0, "3 records handled, 0 records failed again.\n")
    assert stack.objects(FILES_BUCKET) == stack.objects(BUCKET) == {}
    assert (second.exit_code, second.stdout) == (0, "0 records handled, 0 records failed again.\n")


def test_records_that_fail_again_are_kept(stack: moto_stack.Stack, purge: Lambda) -> None:
    file, record = removed_with_bytes(stack)
    unreadable = aws_events.removed({"PK": {"S": "acme"}, "SK": {"S": "NOTHING#1"}})
    given_up(stack, "1", record, unreadable)

    partly = run()
    purge.breaks = True
    broken = run()

    told = partly.stdout.splitlines()[-1]  # behind the function's own log
    assert (partly.exit_code, told) == (1, "1 record handled, 1 record failed again.")
    assert "The log of Purge tells why." in partly.stderr
    assert broken.stdout == "0 records handled, 2 records failed again.\n"
    assert file.blob_key("acme") not in stack.objects(FILES_BUCKET)
    assert [*stack.objects(BUCKET)] == ["aws/lambda/1"]
