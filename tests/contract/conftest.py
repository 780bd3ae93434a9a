"""The local stack, started once for the run, and clients that watch every answer they get."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.keys import DynamoKeyStore, Keys
from tools.local_stack import LocalStack


@dataclass
class Watch:
    """Every error answer that any client of the run has been given."""

    errors: list[tuple[str, int, httpx2.Headers, bytes]] = field(default_factory=list)

    def see(self, response: httpx2.Response) -> None:
        assert response.headers.get("x-request-id"), f"no x-request-id: {response}"
        if response.status_code >= 400:
            response.read()
            self._keep(response)

    async def asee(self, response: httpx2.Response) -> None:
        assert response.headers.get("x-request-id"), f"no x-request-id: {response}"
        if response.status_code >= 400:
            await response.aread()
            self._keep(response)

    def _keep(self, response: httpx2.Response) -> None:
        call = f"{response.request.method} {response.request.url.path}"
        self.errors.append((call, response.status_code, response.headers, response.content))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that judges every error answer comes after those that provoke them."""
    items.sort(key=lambda item: item.name == "test_every_error_answer_seen_has_the_one_form")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


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
async def async_client(stack: LocalStack, watch: Watch, key: str) -> AsyncIterator[AsyncOpenAI]:
    async with httpx2.AsyncClient(event_hooks={"response": [watch.asee]}, timeout=60) as http:
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


@pytest.fixture
def jsonl(tmp_path: Path) -> Path:
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(json.dumps({"custom_id": str(n)}) + "\n" for n in range(1000)))
    return path


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
