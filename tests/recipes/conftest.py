"""Real servers beside the local stack, each in the environment that uv.lock has for it."""

import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI

from client.tests.proxied import proxied
from tests.recipes import model
from tests.recipes.model import Model
from tools.local.ministack import free_port
from tools.local.stack import LocalStack

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECONDS = 120  # until a server answers
LITELLM = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it looks for one on the internet
    "PYTHONPATH": str(ROOT / "client/src"),
}


@pytest.fixture(scope="session")
def files_key(local_stack: LocalStack) -> str:
    """A key of the project whose files the servers read."""
    return local_stack.keys.create("recipes")[1]


@pytest.fixture(scope="session")
def files(local_stack: LocalStack, files_key: str) -> Iterator[OpenAI]:
    """The Files API itself."""
    with OpenAI(base_url=local_stack.base_url, api_key=files_key) as client:
        yield client


@pytest.fixture(scope="session")
def through_proxy(local_stack: LocalStack) -> Iterator[str]:
    """The base URL of the client's proxy before the Files API."""
    with proxied(local_stack.base_url) as url:
        yield url


@pytest.fixture(scope="session")
def mock() -> Iterator[Model]:
    with model.running() as made:
        yield made


@contextmanager
def server(
    command: list[str],
    folder: Path,
    ready: str,
    environment: dict[str, str],
    headers: dict[str, str] | None = None,
) -> Iterator[None]:
    """Runs a server until the end; begins once a GET of `ready` is answered 200."""
    log = folder / "log.txt"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, cwd=folder, env=inherited | environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + SECONDS
        while not _answers(ready, headers):
            assert running.poll() is None, log.read_text()[-4_000:]
            assert time.monotonic() < deadline, log.read_text()[-4_000:]
            time.sleep(0.3)
        yield
    finally:
        running.terminate()
        running.wait(30)


def _answers(url: str, headers: dict[str, str] | None) -> bool:
    try:
        return httpx2.get(url, headers=headers, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


type Start = Callable[[str], OpenAI]


@pytest.fixture(scope="session")
def common(files_key: str, mock: Model) -> dict[str, str]:
    """What both servers are told: the key for files, and where the model is."""
    return {"FILES_API_KEY": files_key, "MODEL_BASE_URL": mock.url, "MODEL_API_KEY": "unused"}


@pytest.fixture(scope="session")
def opened() -> Iterator[ExitStack]:
    """What is closed at the end: clients and servers."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def ogx(
    tmp_path_factory: pytest.TempPathFactory, common: dict[str, str], opened: ExitStack
) -> Start:
    """Starts OGX with files at a base URL; returns a client of it."""

    def start(base_url: str) -> OpenAI:
        folder, port = tmp_path_factory.mktemp("ogx"), free_port()
        environment = common | {"OPENAI_BASE_URL": base_url, "SQLITE_STORE_DIR": str(folder)}
        command = [str(ROOT / ".venv-ogx/bin/ogx"), "run", str(HERE / "ogx.yaml")]
        command += ["--port", str(port), "--insecure"]
        url = f"http://127.0.0.1:{port}/v1"
        opened.enter_context(server(command, folder, f"{url}/health", environment))
        return opened.enter_context(OpenAI(base_url=url, api_key="unused", max_retries=0))

    return start


@pytest.fixture(scope="session")
def litellm(
    tmp_path_factory: pytest.TempPathFactory, common: dict[str, str], opened: ExitStack
) -> Start:
    """Starts LiteLLM's proxy with files at a base URL; returns a client of it."""

    def start(base_url: str) -> OpenAI:
        folder, port = tmp_path_factory.mktemp("litellm"), free_port()
        secret = f"sk-{secrets.token_urlsafe()}"
        more = {"FILES_API_BASE_URL": base_url, "LITELLM_MASTER_KEY": secret}
        command = [str(ROOT / ".venv-litellm/bin/litellm"), "--config", str(HERE / "litellm.yaml")]
        command += ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        url = f"http://127.0.0.1:{port}"
        ready = f"{url}/health/liveliness"
        opened.enter_context(server(command, folder, ready, common | more | LITELLM))
        return opened.enter_context(OpenAI(base_url=f"{url}/v1", api_key=secret, max_retries=0))

    return start
