"""The proxy in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from files_api_client.proxy.server import serve


@contextmanager
def proxied(upstream: str) -> Iterator[str]:
    """A proxy in a thread; yields its base URL."""
    ports: list[int] = []
    started = threading.Event()
    running: list[Any] = []

    def listening(port: int) -> None:
        ports.append(port)
        started.set()

    async def run() -> None:
        running.extend((asyncio.get_running_loop(), asyncio.current_task()))
        await serve(upstream, "127.0.0.1", 0, started=listening)

    def work() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(run())

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}/v1"
    finally:
        loop, task = running
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
