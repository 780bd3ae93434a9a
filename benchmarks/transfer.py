"""Sends or fetches a file once, in a process of its own, with the client package or by bare HTTP.

Usage: python -m benchmarks.transfer <way> <path of the file>
Reads JSON from stdin: `base_url` and `key` of the API, and what the way needs: `presigned`, a URL
with its method and headers, or `id`, that of a file. Prints `{"seconds", "cpu", "memory", "id"}` on
the last line of stdout: seconds by the clock and of this process's CPU, and the most bytes that its
memory has grown by.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
from files_api_client import AsyncClient, Client
from files_api_client.steps import CHUNK_SIZE
from openai import AsyncOpenAI, OpenAI

from benchmarks.peak import now, peak

_SECONDS: Final = 120.0  # the timeout of any request: an emulator takes a gigabyte slowly


def bare_put(given: dict[str, Any], path: Path) -> None:
    """PUTs the file to a presigned URL."""
    put = given["presigned"]
    headers = put["headers"] | {"Content-Length": str(path.stat().st_size)}
    with httpx2.Client(timeout=_SECONDS) as http:
        http.request(
            put["method"], put["url"], headers=headers, content=_chunks(path)
        ).raise_for_status()


def bare_get(given: dict[str, Any], path: Path) -> None:
    """GETs the file from a presigned URL."""
    with (
        httpx2.Client(timeout=_SECONDS) as http,
        http.stream("GET", given["presigned"]["url"]) as answer,
        path.open("wb") as copy,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_bytes(CHUNK_SIZE):
            copy.write(chunk)


def upload(given: dict[str, Any], path: Path, **options: Any) -> str:
    """Creates the file with the SDK and threads; returns its id."""
    with _sdk(given, **options) as client, path.open("rb") as content:
        return client.files.create(file=content, purpose="user_data").id


def download(given: dict[str, Any], path: Path) -> None:
    """Fetches the content with the SDK and threads."""
    with (
        _sdk(given) as client,
        client.files.with_streaming_response.content(given["id"]) as answer,
    ):
        answer.stream_to_file(path, chunk_size=CHUNK_SIZE)


async def upload_with_tasks(given: dict[str, Any], path: Path) -> str:
    """Creates the file with the SDK and tasks; returns its id."""
    async with _async_sdk(given) as client:
        with path.open("rb") as content:
            file = await client.files.create(file=content, purpose="user_data")
    return file.id


async def download_with_tasks(given: dict[str, Any], path: Path) -> None:
    """Fetches the content with the SDK and tasks."""
    async with (
        _async_sdk(given) as client,
        client.files.with_streaming_response.content(given["id"]) as answer,
    ):
        await answer.stream_to_file(path, chunk_size=CHUNK_SIZE)


WAYS: Final[dict[str, Callable[[dict[str, Any], Path], str | None]]] = {
    "bare PUT": bare_put,
    "upload": upload,
    "upload, with tasks": lambda given, path: asyncio.run(upload_with_tasks(given, path)),
    "upload in parts": lambda given, path: upload(given, path, direct_limit=0),
    "bare GET": bare_get,
    "download": download,
    "download, with tasks": lambda given, path: asyncio.run(download_with_tasks(given, path)),
}


def main(way: str, path: Path) -> None:
    """Makes one transfer, and prints what it took."""
    given = json.load(sys.stdin)
    before, cpu, start = now(), time.process_time(), time.perf_counter()
    file_id = WAYS[way](given, path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    figures = {"seconds": seconds, "cpu": cpu, "memory": peak() - before, "id": file_id}
    print(json.dumps(figures))


def _sdk(given: dict[str, Any], **options: Any) -> OpenAI:
    http = Client(timeout=_SECONDS, **options)
    return OpenAI(base_url=given["base_url"], api_key=given["key"], http_client=http)


def _async_sdk(given: dict[str, Any]) -> AsyncOpenAI:
    http = AsyncClient(timeout=_SECONDS)
    return AsyncOpenAI(base_url=given["base_url"], api_key=given["key"], http_client=http)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            yield chunk


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
