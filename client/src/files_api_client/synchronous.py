"""The client for `OpenAI`, and the runner that takes a plan's steps with threads."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

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


class _Stopped(Exception):
    """A plan that ran beside this one has failed."""


class Client(httpx2.Client):
    """An `httpx2.Client` for `OpenAI(http_client=…)` that sends large files past the API.

    Args:
        progress: called with the bytes sent and the bytes there are, from the threads that send,
            one at a time; the count goes back where something is sent again.
        parallel: how many parts are on their way at once.
        part_size: bytes of a part, more where a file would have more than 10,000 of them.
        direct_limit: bytes up to which a large file goes in one PUT; larger ones go in parts.
        retries: how often a request that failed is tried again, beside the SDK's own retries.
        on_pending: called with the file object before its parts are sent; keep its id to `resume`.
        keep_pending: whether a file whose parts could not be sent is kept, to be resumed.
        settings: of `httpx2.Client`. Redirects are followed unless these say otherwise.
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
        self._storage = httpx2.Client(**for_storage(settings))

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

    def send(
        self, request: httpx2.Request, *, stream: bool = False, **settings: Any
    ) -> httpx2.Response:
        plan = plan_for(request, self._upload_options)
        if plan is None:
            return super().send(request, stream=stream, **settings)
        runner = _Runner(partial(super().send, **settings), self._storage)
        answer = runner.run(plan)
        answer.request = request
        return answer

    def resolve(
        self,
        input: T,
        *,
        into: Into = "data",
        base_url: str | None = None,
        api_key: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> T:
        """Returns a copy of a model's input with the files themselves in the place of their ids.

        Args:
            input: of a Responses request, or the messages of a Chat Completions request.
            into: "data" for data URLs, "link" for presigned URLs, "text" for the text of files.
            base_url: of the API, by default the variable OPENAI_BASE_URL.
            api_key: of the caller, by default the variable OPENAI_API_KEY.
            max_bytes: how many bytes of files the copy may contain; links count nothing.

        Raises Unresolvable if a file is too large or is not text, and the SDK's errors, such as
        `openai.NotFoundError` for an id that is not one of the caller's files.
        """
        from openai import OpenAI

        api = OpenAI(base_url=base_url, api_key=api_key, http_client=self)
        storage = api.with_options(http_client=self._storage)
        asking, answer = resolved(input, into, max_bytes), None
        while True:
            try:
                ask = asking.send(answer)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # its type is lost there
            answer = ask(api, storage)

    def close(self) -> None:
        self._storage.close()
        super().close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._storage.close()
        super().__exit__(exc_type, exc_value, traceback)


class _Runner:
    """Takes a plan's steps.

    Args:
        call: sends a request to the service.
        storage: sends bytes.
        stop: set when a plan beside this one has failed.
    """

    def __init__(
        self,
        call: Callable[[httpx2.Request], httpx2.Response],
        storage: httpx2.Client,
        stop: threading.Event | None = None,
    ) -> None:
        self._call = call
        self._storage = storage
        self._stop = stop or threading.Event()

    def run(self, plan: Plan[T]) -> T:
        go_on: Callable[[Any], Step] = plan.send
        outcome: Any = None
        while True:
            try:
                step = go_on(outcome)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # its type is lost there
            try:
                go_on, outcome = plan.send, self._take(step)
            except BaseException as error:  # the plan's to judge, and to tidy up after
                go_on, outcome = plan.throw, error

    def _take(self, step: Step) -> Any:
        match step:
            case Abandon():
                with contextlib.suppress(Exception):
                    self._call(step.request)
            case Call():
                return self._call(step.request)
            case Put():
                return self._storage.send(step.request(self._chunks(step)), follow_redirects=False)
            case Pause():
                self._stop.wait(step.seconds)
                self._go_on_or_stop()
            case Together():
                return self._side_by_side(step)
        return None

    def _chunks(self, put: Put) -> Iterator[bytes]:
        while chunk := put.read():
            self._go_on_or_stop()
            yield chunk
            put.count(chunk)

    def _go_on_or_stop(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _side_by_side(self, step: Together) -> list[Any]:
        results: dict[int, Any] = {}
        failures: list[BaseException] = []
        numbered = enumerate(step.plans)
        lock, stop = threading.Lock(), threading.Event()
        runner = _Runner(self._call, self._storage, stop)

        def work() -> None:
            try:
                while not stop.is_set():
                    with lock:
                        number, plan = next(numbered, (0, None))
                    if plan is None:
                        return
                    results[number] = runner.run(plan)
            except BaseException as error:  # raised again by who waits
                failures.append(error)
                stop.set()

        with ThreadPoolExecutor(step.limit, "files-api-client") as pool:
            try:
                wait([pool.submit(work) for _ in range(step.limit)])
            except BaseException:  # Ctrl-C: the parts under way end at their next chunk
                stop.set()
                raise
        if failures:
            raise failures[0]
        return [results[number] for number in sorted(results)]
