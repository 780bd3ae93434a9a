"""The proxy as a process: listens until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from files_api_client.proxy.calls import Calls

_STOP_SECONDS = 5.0
_LOG = logging.getLogger(__name__)


async def serve(
    upstream: str,
    host: str,
    port: int,
    folder: Path | None = None,
    started: Callable[[int], object] = lambda _: None,
) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        upstream: base URL of the API.
        host: address to listen on.
        port: port to listen on; 0 for any.
        folder: where bodies are kept while they are on their way.
        started: called with the port once calls are answered.

    Raises OSError if it cannot listen there.
    """
    calls, stop = Calls(upstream, folder), asyncio.Event()
    server = web.Server(
        calls.answer,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,  # what a client has left behind ends
        logger=_LOG,
        max_field_size=16_384,
        max_line_size=16_384,
    )
    runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(each, stop.set)
    try:
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        started(runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()
        await calls.close()
