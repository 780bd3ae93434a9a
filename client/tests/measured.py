"""Uploads a few files, one after another, and says what memory the last took at most.

python -m client.tests.measured threads|tasks BASE_URL KEY OPTIONS FILE...
"""

import asyncio
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, OpenAI

from files_api_client import AsyncClient, Client


def taken() -> int:
    """Bytes that were allocated since the last call, at most, beyond what was then."""
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    return peak - now


def with_threads(
    settings: dict[str, Any], options: dict[str, Any], paths: list[Path]
) -> tuple[str, int]:
    with Client(**options) as http, OpenAI(**settings, http_client=http) as client:
        for path in paths:
            with path.open("rb") as content:
                file = client.files.create(file=content, purpose="user_data")
            memory = taken()
    return file.id, memory


async def with_tasks(
    settings: dict[str, Any], options: dict[str, Any], paths: list[Path]
) -> tuple[str, int]:
    async with (
        AsyncClient(**options) as http,
        AsyncOpenAI(**settings, http_client=http) as client,
    ):
        for path in paths:
            with path.open("rb") as content:
                file = await client.files.create(file=content, purpose="user_data")
            memory = taken()
    return file.id, memory


def main() -> None:
    how, base_url, key, options, *files = sys.argv[1:]
    settings = {"base_url": base_url, "api_key": key}
    asked = (settings, json.loads(options), [Path(file) for file in files])
    tracemalloc.start()
    last, memory = asyncio.run(with_tasks(*asked)) if how == "tasks" else with_threads(*asked)
    print(json.dumps({"id": last, "memory": memory}))


if __name__ == "__main__":
    main()
