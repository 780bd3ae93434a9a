"""The local stack, as tests see it, and clients that watch every answer they get."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from botocore.config import Config
from openai import AsyncOpenAI, OpenAI

from files_api.blobs import S3Blobs
from files_api.keys import DynamoKeyStore, Keys
from files_api.model import DIRECT, INLINE, PARTS
from files_api.records import DynamoRecords
from files_api.upload_records import DynamoUploadRecords
from tools.local_stack import LocalStack

LAST = (
    "test_files_and_keys_survive_a_restart_which_deploys_nothing",
    "test_every_error_answer_seen_has_the_one_form",
)


@dataclass
class Watch:
    """Every error answer that any client of the run has been given."""

    errors: list[tuple[str, int, httpx2.Headers, bytes]] = field(default_factory=list)

    def see(self, response: httpx2.Response) -> None:
        if _of_the_store(response):
            return
        assert response.headers.get("x-request-id"), f"no x-request-id: {response}"
        if response.status_code >= 400:
            response.read()
            self._keep(response)

    async def asee(self, response: httpx2.Response) -> None:
        if _of_the_store(response):
            return
        assert response.headers.get("x-request-id"), f"no x-request-id: {response}"
        if response.status_code >= 400:
            await response.aread()
            self._keep(response)

    def _keep(self, response: httpx2.Response) -> None:
        call = f"{response.request.method} {response.request.url.path}"
        self.errors.append((call, response.status_code, response.headers, response.content))


def _of_the_store(response: httpx2.Response) -> bool:
    """Whether S3 answers, where a client followed a redirect: in its own form, not in ours."""
    return "X-Amz-Signature" in response.request.url.params


def eventually(condition: Callable[[], object], limit: float = 20) -> None:
    """Returns when the condition holds: what events do, they do soon. Fails after `limit` s."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not so after {limit} s"
        time.sleep(0.1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last come the restart of what the others use, and the judge of every error answer seen."""
    items.sort(key=lambda item: LAST.index(item.name) if item.name in LAST else -1)


@pytest.fixture(scope="session")
def stack(local_stack: LocalStack) -> LocalStack:
    return local_stack


@pytest.fixture(scope="session")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="session")
def keys(stack: LocalStack) -> Keys:
    return Keys(DynamoKeyStore(stack.client("dynamodb"), stack.outputs["KeysTable"]))


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """A project of the test's own, so that tests see nothing of each other."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:64].lower()


@pytest.fixture
def key(keys: Keys, project: str) -> str:
    return keys.create(project)[1]


@pytest.fixture(scope="session")
def connect(stack: LocalStack, watch: Watch) -> Iterator[Callable[[str], OpenAI]]:
    """Makes an unmodified OpenAI client for a key."""
    with httpx2.Client(
        event_hooks={"response": [watch.see]}, timeout=60, follow_redirects=True
    ) as http:
        yield lambda key: OpenAI(base_url=stack.base_url, api_key=key, http_client=http)


@pytest.fixture
def client(connect: Callable[[str], OpenAI], key: str) -> OpenAI:
    return connect(key)


@pytest.fixture
def stranger(connect: Callable[[str], OpenAI], keys: Keys) -> OpenAI:
    """A client of another project."""
    return connect(keys.create("stranger")[1])


@pytest.fixture
async def async_client(stack: LocalStack, watch: Watch, key: str) -> AsyncIterator[AsyncOpenAI]:
    async with httpx2.AsyncClient(
        event_hooks={"response": [watch.asee]}, timeout=60, follow_redirects=True
    ) as http:
        yield AsyncOpenAI(base_url=stack.base_url, api_key=key, http_client=http)


@pytest.fixture
def http(stack: LocalStack, watch: Watch, key: str) -> Iterator[httpx2.Client]:
    """Raw HTTP with the test's key."""
    with httpx2.Client(
        base_url=stack.base_url,
        headers={"Authorization": f"Bearer {key}"},
        event_hooks={"response": [watch.see]},
        timeout=60,
    ) as http:
        yield http


@pytest.fixture(scope="session")
def store() -> Iterator[httpx2.Client]:
    """What a presigned URL is used with: a client that knows no key of the API."""
    with httpx2.Client(timeout=60) as store:
        yield store


@pytest.fixture
def signed_before(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes this process sign as if it were that many seconds ago."""

    def turn_back(seconds: int) -> None:
        then = datetime.now(UTC) - timedelta(seconds=seconds)

        def now(*, remove_tzinfo: bool = True) -> datetime:
            return then.replace(tzinfo=None) if remove_tzinfo else then

        for signer in ("botocore.auth", "botocore.crt.auth"):
            monkeypatch.setattr(f"{signer}.get_current_datetime", now)

    return turn_back


@dataclass(frozen=True)
class Kept:
    """What a project has in the table and in the bucket, seen from below, with all rights."""

    records: DynamoRecords
    blobs: S3Blobs
    project: str

    def items(self) -> list[str]:
        """The sort keys of the project's items."""
        answer = self.records._table.client.query(
            TableName=self.records._table.name,
            KeyConditionExpression="PK = :project",
            ExpressionAttributeValues={":project": {"S": self.project}},
            ConsistentRead=True,
        )
        return [item["SK"]["S"] for item in answer["Items"]]

    def objects(self) -> list[str]:
        """The keys of the project's objects."""
        return [
            key
            for prefix in (DIRECT, INLINE, PARTS)
            for key in self.blobs.sizes(f"{prefix}/{self.project}/")
        ]

    def nothing(self) -> bool:
        """Whether there is nothing of the project at all."""
        return not self.items() and not self.objects()

    def remove(self, sort_key: str) -> None:
        """Takes one item from the table, as its TTL does."""
        self.records._table.client.delete_item(
            TableName=self.records._table.name,
            Key={"PK": {"S": self.project}, "SK": {"S": sort_key}},
        )


@pytest.fixture(scope="session")
def records(stack: LocalStack) -> DynamoRecords:
    """The table, with all rights."""
    return DynamoRecords(stack.client("dynamodb"), stack.outputs["FilesTable"])


@pytest.fixture(scope="session")
def upload_records(records: DynamoRecords) -> DynamoUploadRecords:
    """The table again, for uploads."""
    return DynamoUploadRecords(records._table.client, records._table.name)


@pytest.fixture(scope="session")
def blobs(stack: LocalStack) -> S3Blobs:
    """The bucket, with all rights."""
    client = stack._ministack.client("s3", Config(signature_version="s3v4"))
    return S3Blobs(client, stack.outputs["FilesBucket"])


@pytest.fixture
def kept(records: DynamoRecords, blobs: S3Blobs, project: str) -> Kept:
    return Kept(records, blobs, project)


@pytest.fixture
def jsonl(tmp_path: Path) -> Path:
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(json.dumps({"custom_id": str(n)}) + "\n" for n in range(1000)))
    return path


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
