"""The stub, and calls through the unmodified SDK, with threads or tasks."""

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import FileObject

from client.tests import loopback
from client.tests.stub import KEY, Stub
from files_api_client import AsyncClient, Client, attempts, resume

MIB = 1024**2
PLAIN_LIMIT = 4_500_000
LARGE = PLAIN_LIMIT + 1
IN_PARTS: dict[str, Any] = {"direct_limit": 0, "part_size": MIB}

MakeFile = Callable[[int], Path]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "FIRST_PAUSE", 0.001)


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    folder = tmp_path / "stub"
    folder.mkdir()
    with loopback.running(folder) as stub:
        yield stub


@dataclass
class Sdk:
    """Makes clients for a service, and calls them.

    Attributes:
        how: "threads" for `OpenAI`, "tasks" for `AsyncOpenAI`.
        settings: of the SDK's client.
    """

    how: str
    settings: dict[str, Any] = field(default_factory=dict)

    def call(self, action: Callable[[Any], Any], **options: Any) -> Any:
        """What a call of an SDK's client returns; the options are those of our client."""
        # Every server here speaks plain HTTP; to load certificates takes a tenth of a second.
        options.setdefault("verify", False)
        if self.how == "tasks":
            return asyncio.run(self._acall(action, options))
        with Client(**options) as http, OpenAI(**self.settings, http_client=http) as client:
            return action(client)

    async def _acall(self, action: Callable[[Any], Any], options: dict[str, Any]) -> Any:
        async with (
            AsyncClient(**options) as http,
            AsyncOpenAI(**self.settings, http_client=http) as client,
        ):
            return await action(client)

    def create(self, file: Any, *, purpose: Any = "user_data", **options: Any) -> FileObject:
        """`files.create` of a path or content; what it does not know are options of our client."""
        if isinstance(file, Path):
            with file.open("rb") as content:
                return self.create(content, purpose=purpose, **options)
        known = ("expires_after", "extra_headers", "extra_query", "extra_body", "timeout")
        more = {name: options.pop(name) for name in known if name in options}
        made = self.call(
            lambda client: client.files.create(file=file, purpose=purpose, **more), **options
        )
        return cast("FileObject", made)

    def resume(self, file_id: str, path: Path, **options: Any) -> FileObject:
        """`resume` of a path, with options of our client."""
        with path.open("rb") as content:
            made = self.call(lambda client: resume(client, file_id, content), **options)
        return cast("FileObject", made)


@pytest.fixture(params=["threads", "tasks"])
def sdk(request: pytest.FixtureRequest, stub: Stub) -> Sdk:
    settings = {"base_url": stub.base_url, "api_key": KEY, "max_retries": 0}
    return Sdk(request.param, settings)


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """A file of so many bytes, no two stretches of it alike."""
    block = hashlib.shake_256(b"a block").digest(MIB)

    def make(size: int) -> Path:
        path = tmp_path / f"{size}.bin"
        with path.open("wb") as file:
            for start in range(0, size, MIB):
                file.write((start.to_bytes(8) + block)[: min(MIB, size - start)])
        return path

    return make


@pytest.fixture
def large(make_file: MakeFile) -> Path:
    """A file that is a byte too large for the request body."""
    return make_file(LARGE)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Unknown(io.RawIOBase):
    """A stream that can be read once, and does not know how long it is."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(buffer)
