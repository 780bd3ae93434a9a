"""The local stack, and clients that watch every answer."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from botocore.config import Config
from openai import AsyncOpenAI, OpenAI

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.keys import Keys
from tools.local_stack import LocalStack

RESTART = "test_files_and_keys_survive_a_restart"
# The stack speaks plain HTTP; to load certificates takes a tenth of a second for each client.
PLAIN: dict[str, Any] = {"verify": False, "timeout": 60}
ERROR_TYPES = {429: "rate_limit_error", 500: "server_error"}


def check(response: httpx2.Response) -> None:
    """Fails if the API's answer has no request id, or is an error of another form than all."""
    if from_s3(response):
        return
    assert response.headers.get("x-request-id"), f"no x-request-id: {response}"
    if response.status_code >= 400:
        assert response.status_code in (400, 401, 403, 404, 413, 429, 500), response
        assert response.headers["content-type"].startswith("application/json"), response
        found = json.loads(response.read())
        assert list(found) == ["error"], found
        assert list(found["error"]) == ["message", "type", "param", "code"], found
        assert found["error"]["message"], found
        usual = "invalid_request_error"
        assert found["error"]["type"] == ERROR_TYPES.get(response.status_code, usual), found


async def check_async(response: httpx2.Response) -> None:
    """The same of an answer to an asynchronous client."""
    if response.status_code >= 400:
        await response.aread()
    check(response)


def from_s3(response: httpx2.Response) -> bool:
    """Whether S3 has answered, after a redirect; its errors have a form of their own."""
    return "X-Amz-Signature" in response.request.url.params


def eventually(condition: Callable[[], object], limit: float = 20) -> None:
    """Waits until the condition holds, as events are handled soon. Fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"still false after {limit} s"
        time.sleep(0.1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the restart of the stack last: until then the functions stay warm."""
    items.sort(key=lambda item: item.name == RESTART)


@pytest.fixture(scope="session")
def stack(local_stack: LocalStack) -> LocalStack:
    return local_stack


@pytest.fixture(scope="session")
def dynamodb(stack: LocalStack) -> Any:
    """A client with all permissions."""
    return stack.client("dynamodb")


@pytest.fixture(scope="session")
def key_store(stack: LocalStack, dynamodb: Any) -> DynamoKeyStore:
    return DynamoKeyStore(dynamodb, stack.outputs["KeysTable"])


@pytest.fixture(scope="session")
def keys(key_store: DynamoKeyStore) -> Keys:
    return Keys(key_store)


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """A project of the test's own, so that tests do not see each other's files."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return f"{name[:50]}-{secrets.token_hex(4)}".lower()


@pytest.fixture
def key(keys: Keys, project: str) -> str:
    return keys.create(project)[1]


@pytest.fixture(scope="session")
def connect(stack: LocalStack) -> Iterator[Callable[[str], OpenAI]]:
    """Makes an unmodified OpenAI client for a key."""
    with httpx2.Client(**PLAIN, event_hooks={"response": [check]}, follow_redirects=True) as http:
        yield lambda key: OpenAI(base_url=stack.base_url, api_key=key, http_client=http)


@pytest.fixture
def client(connect: Callable[[str], OpenAI], key: str) -> OpenAI:
    return connect(key)


@pytest.fixture
def stranger(connect: Callable[[str], OpenAI], keys: Keys) -> OpenAI:
    """A client of another project."""
    return connect(keys.create(f"stranger-{secrets.token_hex(4)}")[1])


@pytest.fixture
async def async_client(stack: LocalStack, key: str) -> AsyncIterator[AsyncOpenAI]:
    async with httpx2.AsyncClient(
        **PLAIN, event_hooks={"response": [check_async]}, follow_redirects=True
    ) as http:
        yield AsyncOpenAI(base_url=stack.base_url, api_key=key, http_client=http)


def raw(stack: LocalStack, key: str) -> httpx2.Client:
    """Raw HTTP with a key."""
    return httpx2.Client(
        **PLAIN,
        base_url=stack.base_url,
        headers={"Authorization": f"Bearer {key}"},
        event_hooks={"response": [check]},
    )


@pytest.fixture
def http(stack: LocalStack, key: str) -> Iterator[httpx2.Client]:
    """Raw HTTP with the test's key."""
    with raw(stack, key) as http:
        yield http


@pytest.fixture(scope="session")
def store() -> Iterator[httpx2.Client]:
    """A client for presigned URLs, without an API key."""
    with httpx2.Client(**PLAIN) as store:
        yield store


@pytest.fixture
def signed_before(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes this process presign URLs as it would have done so many seconds ago."""

    def turn_back(seconds: int) -> None:
        then = datetime.now(UTC) - timedelta(seconds=seconds)

        def now(*, remove_tzinfo: bool = True) -> datetime:
            return then.replace(tzinfo=None) if remove_tzinfo else then

        for signer in ("botocore.auth", "botocore.crt.auth"):
            monkeypatch.setattr(f"{signer}.get_current_datetime", now)

    return turn_back


@dataclass(frozen=True)
class Stored:
    """What the table and the bucket have of a project.

    Attributes:
        project: the project.
        records: the files' metadata in the table.
        blobs: the bytes in the bucket.
        dynamodb: a client.
        table: the table's name.
    """

    project: str
    records: DynamoFileRecords
    blobs: S3Blobs
    dynamodb: Any
    table: str

    def items(self) -> list[str]:
        """The sort keys of the project's items."""
        answer = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="PK = :project",
            ExpressionAttributeValues={":project": {"S": self.project}},
            ConsistentRead=True,
        )
        return [item["SK"]["S"] for item in answer["Items"]]

    def objects(self) -> list[str]:
        """The keys of the project's objects."""
        return [
            key
            for prefix in ("direct", "files", "parts")
            for key in self.blobs.sizes(f"{prefix}/{self.project}/")
        ]

    def nothing(self) -> bool:
        """Whether the project has neither items nor objects."""
        return not self.items() and not self.objects()

    def remove(self, sort_key: str) -> None:
        """Deletes one item from the table, as its TTL does."""
        key = {"PK": {"S": self.project}, "SK": {"S": sort_key}}
        self.dynamodb.delete_item(TableName=self.table, Key=key)


@pytest.fixture(scope="session")
def records(stack: LocalStack, dynamodb: Any) -> DynamoFileRecords:
    return DynamoFileRecords(dynamodb, stack.outputs["FilesTable"])


@pytest.fixture(scope="session")
def upload_records(stack: LocalStack, dynamodb: Any) -> DynamoUploadRecords:
    return DynamoUploadRecords(dynamodb, stack.outputs["FilesTable"])


@pytest.fixture(scope="session")
def blobs(stack: LocalStack) -> S3Blobs:
    client = stack.client("s3", Config(signature_version="s3v4"))
    return S3Blobs(client, stack.outputs["FilesBucket"])


@pytest.fixture
def stored(
    stack: LocalStack, records: DynamoFileRecords, blobs: S3Blobs, dynamodb: Any, project: str
) -> Stored:
    return Stored(project, records, blobs, dynamodb, stack.outputs["FilesTable"])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
