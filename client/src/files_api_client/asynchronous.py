"""The client for `AsyncOpenAI`, and the runner that takes a plan's steps with tasks."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import httpx2

from files_api_client import source
from files_api_client.options import (
    DIRECT_LIMIT,
    PARALLEL,
    PART_SIZE,
    RETRIES,
    OnPending,
    Options,
    Progress,
    for_storage,
)
from files_api_client.plan import plan_for
from files_api_client.resolving import MAX_BYTES, Into, resolved
from files_api_client.steps import Abandon, Call, Pause, Plan, Put, Step, Together

T = TypeVar("T")

# How long a cancelled task may take to tell the service so.
LAST_WORDS_SECONDS = 5.0


class AsyncClient(httpx2.AsyncClient):
    """An `httpx2.AsyncClient` for `AsyncOpenAI(http_client=…)`, else as `Client`.

    `progress` is a plain function, called in the event loop. Files are read in threads.
    """

    def __init__(
        self,
        *,
        progress: Progress | None = None,
        parallel: int = PARALLEL,
        part_size: int = PART_SIZE,
        direct_limit: int = DIRECT_LIMIT,
        retries: int = RETRIES,
        on_pending: OnPending | None = None,
        keep_pending: bool = False,
        **settings: Any,
    ) -> None:
        self._upload_options = Options(
            progress=progress,
            parallel=parallel,
            part_size=part_size,
            direct_limit=direct_limit,
            retries=retries,
            on_pending=on_pending,
            keep_pending=keep_pending,
        )
        settings.setdefault("follow_redirects", True)
        super().__init__(**settings)
        self._storage = httpx2.AsyncClient(**for_storage(settings))

    def build_request(
        self,
        method: str,
        url: httpx2.URL | str,
        *,
        data: Any = None,
        files: Any = None,
        **rest: Any,
    ) -> httpx2.Request:
        request = super().build_request(method, url, data=data, files=files, **rest)
        return source.attach(request, data, files)

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, **settings: Any
    ) -> httpx2.Response:
        plan = plan_for(request, self._upload_options)
        if plan is None:
            return await super().send(request, stream=stream, **settings)
        runner = _Runner(partial(super().send, **settings), self._storage)
        answer = await runner.run(plan)
        answer.request = request
        return answer

    async def resolve(
        self,
        input: T,
        *,
        into: Into = "data",
        base_url: str | None = None,
        api_key: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> T:
        """As `Client.resolve`."""
        from openai import AsyncOpenAI

        api = AsyncOpenAI(base_url=base_url, api_key=api_key, http_client=self)
        storage = api.with_options(http_client=self._storage)
        asking, answer = resolved(input, into, max_bytes), None
        while True:
            try:
                ask = asking.send(answer)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # its type is lost there
            answer = await ask(api, storage)

    async def aclose(self) -> None:
        await self._storage.aclose()
        await super().aclose()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._storage.aclose()
        await super().__aexit__(exc_type, exc_value, traceback)


class _Runner:
    """Takes a plan's steps.

    Args:
        call: sends a request to the service.
        storage: sends bytes.
    """

    def __init__(
        self,
        call: Callable[[httpx2.Request], Awaitable[httpx2.Response]],
        storage: httpx2.AsyncClient,
    ) -> None:
        self._call = call
        self._storage = storage

    async def run(self, plan: Plan[T]) -> T:
        go_on: Callable[[Any], Step] = plan.send
        outcome: Any = None
        while True:
            try:
                step = go_on(outcome)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # its type is lost there
            try:
                go_on, outcome = plan.send, await self._take(step)
            except BaseException as error:  # the plan's to judge, and to tidy up after
                go_on, outcome = plan.throw, error

    async def _take(self, step: Step) -> Any:
        match step:
            case Abandon():
                await self._abandon(step)
            case Call():
                return await self._call(step.request)
            case Put():
                return await self._storage.send(step.request(_chunks(step)), follow_redirects=False)
            case Pause():
                await anyio.sleep(step.seconds)
            case Together():
                return await self._side_by_side(step)
        return None

    async def _abandon(self, step: Abandon) -> None:
        with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
            with contextlib.suppress(Exception):
                await self._call(step.request)

    async def _side_by_side(self, step: Together) -> list[Any]:
        results: dict[int, Any] = {}
        failures: list[Exception] = []
        numbered = enumerate(step.plans)

        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                for number, plan in numbered:
                    try:
                        results[number] = await self.run(plan)
                    except Exception as error:  # raised again by who waits, alone
                        failures.append(error)
                        tasks.cancel_scope.cancel()
                        return

            for _ in range(step.limit):
                tasks.start_soon(work)
        if failures:
            raise failures[0]
        return [results[number] for number in sorted(results)]


async def _chunks(put: Put) -> AsyncIterator[bytes]:
    while chunk := await anyio.to_thread.run_sync(put.read):
        yield chunk
        put.count(chunk)
