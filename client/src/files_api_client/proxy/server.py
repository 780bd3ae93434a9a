"""The proxy as a process: listens until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from files_api_client.proxy.calls import Calls
from files_api_client.proxy.errors import ProxyError

STALLED_SECONDS = 60.0
# How long calls may take to end by themselves once the proxy is told to stop.
_STOP_SECONDS = 5.0
_MAX_LINE = 16_384
_LOG = logging.getLogger(__name__)


async def serve(
    upstream: str,
    host: str,
    port: int,
    folder: Path | None = None,
    timeout: float = STALLED_SECONDS,
    started: Callable[[int], object] = lambda _: None,
) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        upstream: base URL of the API.
        host: address to listen on.
        port: port to listen on; 0 for any.
        folder: where bodies are kept while they are on their way.
        timeout: seconds to wait for a client that sends nothing, or an API that does not answer.
        started: called with the port once calls are answered.

    Raises OSError if it cannot listen there.
    """
    calls, stop = Calls(upstream, folder, timeout), asyncio.Event()
    server = _Server(
        calls.answer,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,  # what a client has left behind ends
        logger=_LOG,
        max_field_size=_MAX_LINE,
        max_line_size=_MAX_LINE,
    )
    runner = web.ServerRunner(server, shutdown_timeout=1)  # for connections; no call is left then
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
        for site in runner.sites:
            await site.stop()
        await calls.end(_STOP_SECONDS)
        await runner.cleanup()
        await calls.close()


class _Connection(web.RequestHandler):
    """A connection to a client, which learns in the API's form that it does not speak HTTP."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002  aiohttp passes all of them
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002  quotes what was sent, such as a key
    ) -> web.StreamResponse:
        """The answer to a request that never reaches `Calls`."""
        if request.writer.output_size:
            raise ConnectionError("An answer has begun already.")
        said = f"The request is not valid HTTP, or a line of it has over {_MAX_LINE} bytes."
        answer = ProxyError(400, said).answer()
        answer.force_close()
        return answer


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)
