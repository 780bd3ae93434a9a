"""The local stack, and clients that check every answer."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from botocore.config import Config
from openai import AsyncOpenAI, OpenAI

from client.tests.proxied import proxied
from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.keys import Keys
from tests.contract.project import Project, Stores
from tests.support import openapi
from tools.local.stack import LocalStack

RESTART = "test_files_and_keys_survive_a_restart"
# The stack speaks plain HTTP; to load certificates takes a tenth of a second for each client.
PLAIN: dict[str, Any] = {"verify": False, "timeout": 60}
ERROR_TYPES = {429: "rate_limit_error", 500: "server_error"}


def check(response: httpx2.Response) -> None:
    """Fails if the API's answer is none of the OpenAPI document, or an error of another form."""
    request, headers = response.request, response.headers
    if "X-Amz-Signature" in request.url.params:
        return  # S3 has answered, after a redirect; its errors have a form of their own
    assert headers.get("x-request-id"), f"no x-request-id: {response}"
    is_json = headers.get("content-type", "").startswith("application/json")
    body = response.read() if is_json and request.method != "HEAD" else b""
    path = request.url.raw_path.partition(b"?")[0].decode()
    openapi.check(request.method, path, response.status_code, headers, body)
    if response.status_code >= 400:
        assert is_json, response
        if request.method == "HEAD":
            return
        found = json.loads(body)
        assert list(found) == ["error"], found
        assert list(found["error"]) == ["message", "type", "param", "code"], found
        assert found["error"]["message"], found
        usual = "invalid_request_error"
        assert found["error"]["type"] == ERROR_TYPES.get(response.status_code, usual), found


async def check_async(response: httpx2.Response) -> None:
    """The same of an answer to an asynchronous client."""
    if response.headers.get("content-type", "").startswith("application/json"):
        await response.aread()
    check(response)


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
def stores(local_stack: LocalStack) -> Stores:
    dynamodb, table = local_stack.client("dynamodb"), local_stack.outputs["FilesTable"]
    s3 = local_stack.client("s3", Config(signature_version="s3v4"))
    return Stores(
        dynamodb,
        table,
        DynamoFileRecords(dynamodb, table),
        DynamoUploadRecords(dynamodb, table),
        S3Blobs(s3, local_stack.outputs["FilesBucket"]),
    )


@pytest.fixture(scope="session")
def key_store(local_stack: LocalStack, stores: Stores) -> DynamoKeyStore:
    return DynamoKeyStore(stores.dynamodb, local_stack.outputs["KeysTable"])


@pytest.fixture(scope="session")
def keys(key_store: DynamoKeyStore) -> Keys:
    return Keys(key_store)


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest, local_stack: LocalStack) -> Iterator[str]:
    """Of the API, or with `--proxy` of the client's proxy before it."""
    with ExitStack() as opened:
        through = request.config.getoption("--proxy")
        direct = local_stack.base_url
        yield opened.enter_context(proxied(direct)) if through else direct


@pytest.fixture(scope="session")
def connect(base_url: str) -> Iterator[Callable[[str], OpenAI]]:
    """Makes an unmodified OpenAI client for a key."""
    hooks = {"response": [check]}
    with httpx2.Client(**PLAIN, event_hooks=hooks, follow_redirects=True) as http:
        yield lambda key: OpenAI(base_url=base_url, api_key=key, http_client=http)


@pytest.fixture(scope="session")
def new_project(
    local_stack: LocalStack,
    base_url: str,
    stores: Stores,
    keys: Keys,
    connect: Callable[[str], OpenAI],
) -> Iterator[Callable[[str], Project]]:
    """Makes a project with a name that begins like this."""
    with ExitStack() as opened:
        store = opened.enter_context(httpx2.Client(**PLAIN))

        def make(name: str) -> Project:
            name = f"{name[:50]}-{secrets.token_hex(4)}".lower()
            client = connect(keys.create(name)[1])
            http = httpx2.Client(
                **PLAIN,
                base_url=base_url,
                headers={"Authorization": f"Bearer {client.api_key}"},
                event_hooks={"response": [check]},
            )
            opened.enter_context(http)
            return Project(name, local_stack, http, client, store, stores)

        yield make


@pytest.fixture
def project(request: pytest.FixtureRequest, new_project: Callable[[str], Project]) -> Project:
    """A project of the test's own, so that tests do not see each other's files."""
    return new_project("".join(c if c.isalnum() else "-" for c in request.node.name))


@pytest.fixture
def client(project: Project) -> OpenAI:
    return project.client


@pytest.fixture
def http(project: Project) -> httpx2.Client:
    return project.http


@pytest.fixture
async def async_client(project: Project) -> AsyncIterator[AsyncOpenAI]:
    url, key = project.client.base_url, project.client.api_key
    hooks = {"response": [check_async]}
    async with httpx2.AsyncClient(**PLAIN, event_hooks=hooks, follow_redirects=True) as http:
        yield AsyncOpenAI(base_url=url, api_key=key, http_client=http)


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


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
