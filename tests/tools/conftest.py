from collections.abc import Iterator

import pytest
import pytest_socket

from tests.support import moto_stack


@pytest.fixture(autouse=True)
def _only_loopback() -> Iterator[None]:
    """A proxy needs sockets, but only those of the loopback interface."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[moto_stack.Stack]:
    """The template's stores, empty, in moto."""
    with moto_stack.stack(monkeypatch) as made:
        yield made
