"""The functions' clients: what they do when AWS is throttling, and when time runs out."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from files_api import invocation
from files_api.aws.blobs import S3Blobs
from files_api.aws.clients import RESERVE_SECONDS, OutOfTime, guard
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.queues import LambdaAssemblyQueue
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.errors import RateLimitExceeded
from files_api.service.ids import new_id
from files_api.service.model import Part
from files_api.service.ports import PageRequest
from tests.adapters.conftest import FILES_BUCKET, FILES_TABLE, Clients, Hook, aws_answer
from tests.support.functions import load_app
from tests.support.moto_stack import environment
from tests.support.samples import NOW, a_file
from tests.support.template import ROOT

ATTEMPT_SECONDS = 8.0  # before an attempt times out
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3})


class Invocation:
    """Lambda's context object.

    Attributes:
        seconds_left: that the function may still run.
    """

    aws_request_id = "an id of Lambda"

    def __init__(self, seconds_left: float) -> None:
        self.seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


@pytest.fixture(autouse=True)
def context(stack: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invocation]:
    """An invocation whose time passes with each wait, and not otherwise."""
    context = Invocation(26)

    def wait(seconds: float) -> None:
        context.seconds_left -= seconds

    monkeypatch.setattr("time.sleep", wait)
    invocation.begin(context)
    yield context
    invocation.begin(None)


def client(service: str) -> Any:
    return guard(boto3.Session().client(service, config=CONFIG))  # type: ignore[call-overload]


class Busy:
    """A service that answers every request with an error.

    Attributes:
        requests: how many it has had.
    """

    def __init__(self, status: int, *bodies: str) -> None:
        self.requests = 0
        self._status = status
        self._bodies = cycle(bodies)

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests += 1
        return aws_answer(request, self._status, next(self._bodies))


def dynamodb_says(error: str, **fields: Any) -> str:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{error}", **fields})


def cancelled(*reasons: str) -> str:
    codes = [{"Code": reason} for reason in reasons]
    return dynamodb_says("TransactionCanceledException", CancellationReasons=codes)


THROTTLED = dynamodb_says("ThrottlingException")
BUSY_S3, BUSY_LAMBDA = Busy(503, SLOW_DOWN), Busy(429, '{"__type": "TooManyRequestsException"}')
TRANSACTION = Busy(400, cancelled("None", "ThrottlingError"))
BOTH = Busy(400, cancelled("ProvisionedThroughputExceeded", "None"), THROTTLED)
THROUGHPUT = Busy(400, dynamodb_says("ProvisionedThroughputExceededException"))


@pytest.mark.parametrize(
    ("service", "busy", "call"),
    [
        ("s3", BUSY_S3, lambda s3: S3Blobs(s3, FILES_BUCKET).put("files/a/1", b"abc")),
        ("s3", Busy(503, ""), lambda s3: S3Blobs(s3, FILES_BUCKET).size("files/a/1")),
        ("dynamodb", TRANSACTION, lambda db: DynamoFileRecords(db, FILES_TABLE).add("a", a_file())),
        ("dynamodb", BOTH, lambda db: DynamoFileRecords(db, FILES_TABLE).add("a", a_file())),
        ("dynamodb", THROUGHPUT, lambda db: DynamoFileRecords(db, FILES_TABLE).get("a", new_id())),
        (
            "dynamodb",
            Busy(400, dynamodb_says("RequestLimitExceeded")),
            lambda db: DynamoFileRecords(db, FILES_TABLE).page("a", PageRequest(10), NOW),
        ),
        (
            "dynamodb",
            Busy(400, THROTTLED),
            lambda db: DynamoUploadRecords(db, FILES_TABLE).reserve_part(
                "a", Part(new_id(), new_id(), 1, NOW), NOW
            ),
        ),
        ("lambda", BUSY_LAMBDA, lambda lambda_: LambdaAssemblyQueue(lambda_, "f").send("a", "1")),
    ],
)
def test_throttled_request_is_repeated_and_then_429(
    service: str, busy: Busy, call: Callable[[Any], object]
) -> None:
    throttled = client(service)
    throttled.meta.events.register(f"before-send.{service}", busy)

    with pytest.raises(RateLimitExceeded):
        call(throttled)

    assert busy.requests >= 3


def test_throttled_transaction_is_repeated_while_time_is_left(context: Invocation) -> None:
    dynamodb, busy = client("dynamodb"), Busy(400, cancelled("None", "ThrottlingError"))
    dynamodb.meta.events.register("before-send.dynamodb", busy)

    with pytest.raises(RateLimitExceeded):
        DynamoFileRecords(dynamodb, FILES_TABLE).add("acme", a_file())

    assert busy.requests > 8
    assert context.seconds_left > 0


@pytest.mark.parametrize(("slow", "told"), [(True, OutOfTime), (False, RateLimitExceeded)])
def test_no_request_starts_that_cannot_end_in_time(
    slow: bool, told: type[Exception], context: Invocation
) -> None:
    s3, starts = client("s3"), []

    def take_time(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        starts.append(context.seconds_left)
        context.seconds_left -= ATTEMPT_SECONDS
        if slow:
            raise ReadTimeoutError(endpoint_url=request.url)
        return aws_answer(request, 503, SLOW_DOWN)

    s3.meta.events.register("before-send.s3", take_time)
    context.seconds_left = RESERVE_SECONDS + ATTEMPT_SECONDS + 1.5  # botocore waits, too

    with pytest.raises(told):
        S3Blobs(s3, FILES_BUCKET).put("files/acme/1", b"abc")

    assert len(starts) == 2
    assert min(starts) >= RESERVE_SECONDS


def test_functions_answer_throttling_with_429_and_log_it(
    clients: Clients,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    for name, value in environment("create_file").items():
        monkeypatch.setenv(name, value)
    app = load_app("create_file")
    app.lambda_handler.start()
    hook(clients.only("s3"), "before-send.s3", Busy(503, SLOW_DOWN))
    event = json.loads((ROOT / "events/create_file/success_file_first.json").read_text())

    answer = app.lambda_handler(event, Invocation(26))

    assert answer["statusCode"] == 429
    assert answer["headers"]["Retry-After"] == "1"
    assert json.loads(answer["body"])["error"]["code"] == "rate_limit_exceeded"
    assert [line["message"] for line in logged()] == ["AWS throttled a request"]
    assert logged()[0]["operation"] == "PutObject"
