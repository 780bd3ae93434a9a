"""How a large file is sent: in one PUT, or in parts. Independent of sockets, threads and tasks."""

import random
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import httpx2

from files_api_client.options import Options
from files_api_client.service import Refused, Service, announcement, storage_refusal
from files_api_client.source import Piece, Source
from files_api_client.steps import Abandon, Call, Meter, Pause, Plan, Put, Together

CONNECTION_ERRORS = (httpx2.TransportError, ssl.SSLError)
RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
# The longest `Retry-After` that is obeyed, as in the SDK.
LONGEST_RETRY_AFTER = 60.0
# How long to wait while a file is assembled; after that the answer is the file as it is.
ASSEMBLY_SECONDS = 1_800.0


def send(service: Service, source: Source, options: Options) -> Plan[httpx2.Response]:
    """The plan that sends `source`. It returns the answer for the SDK."""
    return _Sending(service, source, options).plan()


class _Sending:
    def __init__(self, service: Service, source: Source, options: Options) -> None:
        self._service = service
        self._source = source
        self._options = options
        self._meter = Meter(options.progress, source.size)
        self._pending_id: str | None = None

    def plan(self) -> Plan[httpx2.Response]:
        try:
            return (yield from self._file())
        except Refused as refused:
            yield from self._delete_pending()
            return refused.answer
        except BaseException:
            yield from self._delete_pending()
            raise

    def _file(self) -> Plan[httpx2.Response]:
        if self._source.size > self._options.direct_limit:
            return (yield from self._in_parts())
        try:
            return (yield from self._in_one())
        except Refused as refused:
            if not refused.asks_for_parts:
                raise
            return (yield from self._in_parts(otherwise=refused))

    def _in_one(self) -> Plan[httpx2.Response]:
        whole = Piece(0, self._source.size)
        file = yield from self._deliver(whole, partial(self._create, "files"))
        return (yield from self._finished(file["id"]))

    def _in_parts(self, otherwise: Refused | None = None) -> Plan[httpx2.Response]:
        try:
            made = yield from self._create("uploads", mime_type=self._source.mime_type)
        except Refused as refused:
            # The service has no Uploads API: the refusal of the direct upload says more.
            not_there = refused.answer.status_code == httpx2.codes.NOT_FOUND
            raise (otherwise if otherwise and not_there else refused) from None
        here = f"uploads/{made['id']}"
        try:
            parts = (
                self._part(here, each) for each in self._source.pieces(self._options.part_size)
            )
            part_ids = yield Together(parts, self._options.parallel)
            answer = yield from self._ask("POST", f"{here}/complete", {"part_ids": part_ids})
        except BaseException:
            yield Abandon(self._service.request("POST", f"{here}/cancel"))
            raise
        self._pending_id = answer.json()["file"]["id"]
        return (yield from self._finished(self._pending_id))

    def _part(self, here: str, piece: Piece) -> Plan[str]:
        def link() -> Plan[dict[str, Any]]:
            answer = yield from self._ask("POST", f"{here}/parts", {"bytes": piece.size})
            return dict(answer.json())

        part = yield from self._deliver(piece, link)
        return str(part["id"])

    def _deliver(
        self, piece: Piece, link: Callable[[], Plan[dict[str, Any]]]
    ) -> Plan[dict[str, Any]]:
        """PUTs a piece to a presigned URL until it is stored; returns the owner of that URL."""
        owner = yield from link()
        pauses = _pauses(self._options.retries)
        while True:
            pause = next(pauses)
            put = Put(owner["upload"], self._source, piece, self._meter, self._service.timeout)
            try:
                answer = yield put
            except CONNECTION_ERRORS:
                put.finish(arrived=False)
                if pause is None:
                    raise
                yield Pause(pause)
                continue
            # A URL accepts the bytes once. If S3 refuses a second PUT, the first one has succeeded,
            # although its answer was lost.
            arrived = answer.is_success or answer.status_code == httpx2.codes.PRECONDITION_FAILED
            put.finish(arrived=arrived)
            if arrived:
                return owner
            if pause is None or not _may_pass(answer):
                raise storage_refusal(answer)
            yield Pause(_longer(pause, answer))
            if answer.status_code == httpx2.codes.FORBIDDEN:  # the answer of an expired URL
                owner = yield from link()

    def _finished(self, file_id: str) -> Plan[httpx2.Response]:
        """The answer with the file, once it is no longer pending."""
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            answer = yield from self._ask("GET", f"files/{file_id}")
            waiting = answer.json().get("status") in ("pending", "uploaded")
            if not waiting or waited >= ASSEMBLY_SECONDS:
                return answer
            yield Pause(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE)

    def _create(self, path: str, **more: Any) -> Plan[dict[str, Any]]:
        """Announces the file. A refusal goes straight to the SDK, which knows when to try again."""
        yield from self._delete_pending()
        answer = yield Call(self._service.request("POST", path, announcement(self._source) | more))
        if not answer.is_success:
            raise Refused(answer)
        made: dict[str, Any] = answer.json()
        self._pending_id = made["id"] if path == "files" else None
        return made

    def _delete_pending(self) -> Plan[None]:
        file_id, self._pending_id = self._pending_id, None
        if file_id is not None:
            yield Abandon(self._service.request("DELETE", f"files/{file_id}"))

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Plan[httpx2.Response]:
        """A call to the API, repeated while that may help."""
        pauses = _pauses(self._options.retries)
        while True:
            pause = next(pauses)
            try:
                answer: httpx2.Response = yield Call(self._service.request(method, path, body))
            except CONNECTION_ERRORS:
                if pause is None:
                    raise
                yield Pause(pause)
                continue
            if answer.is_success:
                return answer
            if pause is None or answer.status_code not in RETRIED:
                raise Refused(answer)
            yield Pause(_longer(pause, answer))


def _pauses(retries: int) -> Iterator[float | None]:
    """For each attempt, the seconds to wait after it; None after the last."""
    for count in range(retries):
        longest = min(FIRST_PAUSE * 2**count, LONGEST_PAUSE)
        yield longest * random.uniform(0.5, 1)  # noqa: S311 - spreads tries, keeps no secret
    yield None


def _longer(pause: float, answer: httpx2.Response) -> float:
    """The pause, or a longer one if the answer asks for it in seconds."""
    asked = answer.headers.get("retry-after", "")
    return max(pause, min(float(asked), LONGEST_RETRY_AFTER)) if asked.isdigit() else pause


def _may_pass(answer: httpx2.Response) -> bool:
    """Whether another attempt may succeed, with the same URL or a new one."""
    # AWS answers an idle connection with 400 (Amazon S3, "Error responses": RequestTimeout).
    idled = answer.status_code == httpx2.codes.BAD_REQUEST and "RequestTimeout" in answer.text
    return idled or answer.status_code in RETRIED | {httpx2.codes.FORBIDDEN}
