"""Downloads of the command, in pieces: what fails, and who comes second."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.tests.conftest import MIB
from files_api_client.downloading import Incomplete, download

FILE: Any = SimpleNamespace(id="1", bytes=33 * MIB)


class Service:
    """Serves zeros. As an SDK's client, it is `client.files.with_streaming_response`."""

    def __init__(self) -> None:
        self.files = self.with_streaming_response = self
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.fails_at = -1

    @contextmanager
    def content(self, file_id: str, extra_headers: dict[str, str]) -> Iterator[Any]:  # noqa: ARG002
        start, end = map(int, extra_headers["Range"].removeprefix("bytes=").split("-"))
        if start == self.fails_at:
            assert self.begun.wait(10)
            self.go_on.set()
            raise LookupError("the first failure")

        def chunks(size: int) -> Iterator[bytes]:
            for _ in range(start, end + 1, size):
                yield bytes(min(size, end + 1 - start))
                self.begun.set()
                assert self.go_on.wait(10)

        yield SimpleNamespace(status_code=206, iter_bytes=chunks)


def test_a_stopped_piece_does_not_hide_the_first_failure(tmp_path: Path) -> None:
    service: Any = Service()
    service.fails_at = 16 * MIB
    with pytest.raises(LookupError, match="the first failure"):
        download(service, FILE, tmp_path / "copy", lambda _: None)
    assert not (tmp_path / "copy").exists()
    service.fails_at = -1
    download(service, FILE, tmp_path / "copy", lambda _: None)
    assert (tmp_path / "copy").read_bytes() == bytes(FILE.bytes)
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]


def test_the_second_of_two_downloads_to_one_name_is_refused(tmp_path: Path) -> None:
    service: Any = Service()
    target = tmp_path / "copy"
    first = threading.Thread(target=download, args=(service, FILE, target, lambda _: None))
    first.start()
    assert service.begun.wait(10)
    with pytest.raises(Incomplete, match="Another command downloads this file"):
        download(service, FILE, target, lambda _: None)
    assert not target.exists()
    service.go_on.set()
    first.join()
    assert target.read_bytes() == bytes(FILE.bytes)
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]
