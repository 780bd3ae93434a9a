"""Sends or fetches a file once, in a process of its own, as the client package or as bare HTTP.

Usage: python -m benchmarks.transfer <way> <path of the file>
Reads from stdin, as JSON: `base_url` and `key` of the API, and what the way works on: `link`, a
presigned URL with its method and headers, or `id`, a file. Says `{"seconds", "cpu", "memory",
"id"}` on the last line of stdout: by the clock, of this process's CPU, and the bytes that its
memory grew by at most.
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

_SECONDS: Final = 120.0  # for any answer: an emulator is slow to take in a gigabyte


def bare_put(told: dict[str, Any], path: Path) -> None:
    """The file to a presigned URL, in one request."""
    link = told["link"]
    headers = link["headers"] | {"Content-Length": str(path.stat().st_size)}
    with httpx2.Client(timeout=_SECONDS) as http:
        http.request(
            link["method"], link["url"], headers=headers, content=_chunks(path)
        ).raise_for_status()


def bare_get(told: dict[str, Any], path: Path) -> None:
    """The file from a presigned URL."""
    with (
        httpx2.Client(timeout=_SECONDS) as http,
        http.stream("GET", told["link"]["url"]) as answer,
        path.open("wb") as copy,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_bytes(CHUNK_SIZE):
            copy.write(chunk)


def upload(told: dict[str, Any], path: Path, **options: Any) -> str:
    """The file by the SDK, with threads; returns its id."""
    with _sdk(told, **options) as client, path.open("rb") as content:
        return client.files.create(file=content, purpose="user_data").id


def download(told: dict[str, Any], path: Path) -> None:
    """The content by the SDK, with threads."""
    with (
        _sdk(told) as client,
        client.files.with_streaming_response.content(told["id"]) as answer,
    ):
        answer.stream_to_file(path, chunk_size=CHUNK_SIZE)


async def upload_with_tasks(told: dict[str, Any], path: Path) -> str:
    """The file by the SDK, with tasks; returns its id."""
    async with _async_sdk(told) as client:
        with path.open("rb") as content:
            file = await client.files.create(file=content, purpose="user_data")
    return file.id


async def download_with_tasks(told: dict[str, Any], path: Path) -> None:
    """The content by the SDK, with tasks."""
    async with (
        _async_sdk(told) as client,
        client.files.with_streaming_response.content(told["id"]) as answer,
    ):
        await answer.stream_to_file(path, chunk_size=CHUNK_SIZE)


WAYS: Final[dict[str, Callable[[dict[str, Any], Path], str | None]]] = {
    "bare PUT": bare_put,
    "upload": upload,
    "upload, with tasks": lambda told, path: asyncio.run(upload_with_tasks(told, path)),
    "upload in parts": lambda told, path: upload(told, path, direct_limit=0),
    "bare GET": bare_get,
    "download": download,
    "download, with tasks": lambda told, path: asyncio.run(download_with_tasks(told, path)),
}


def main(way: str, path: Path) -> None:
    """One transfer, and what it took."""
    told = json.load(sys.stdin)
    before, cpu, start = now(), time.process_time(), time.perf_counter()
    file_id = WAYS[way](told, path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    said = {"seconds": seconds, "cpu": cpu, "memory": peak() - before, "id": file_id}
    print(json.dumps(said))


def _sdk(told: dict[str, Any], **options: Any) -> OpenAI:
    http = Client(timeout=_SECONDS, **options)
    return OpenAI(base_url=told["base_url"], api_key=told["key"], http_client=http)


def _async_sdk(told: dict[str, Any]) -> AsyncOpenAI:
    http = AsyncClient(timeout=_SECONDS)
    return AsyncOpenAI(base_url=told["base_url"], api_key=told["key"], http_client=http)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            yield chunk


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
