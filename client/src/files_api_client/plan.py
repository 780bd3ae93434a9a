"""How a large file is sent: in one PUT, or in parts. Knows no sockets, threads or tasks."""

import random
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import httpx2

from files_api_client.options import Options
from files_api_client.service import Refused, Service, promise, storage_refusal
from files_api_client.source import Piece, Source
from files_api_client.steps import Abandon, Call, Meter, Pause, Plan, Put, Together

CONNECTION_ERRORS = (httpx2.TransportError, ssl.SSLError)
RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
# Of what a `Retry-After` asks, what is done: the SDK's own bound.
LONGEST_RETRY_AFTER = 60.0
# How long a file that is being assembled is waited for; after that it is answered as it is.
ASSEMBLY_SECONDS = 1_800.0


def upload(service: Service, source: Source, options: Options) -> Plan[httpx2.Response]:
    """The plan of sending `source`. It returns what the SDK shall see as the answer."""
    return _Upload(service, source, options).plan()


class _Upload:
    def __init__(self, service: Service, source: Source, options: Options) -> None:
        self._service = service
        self._source = source
        self._options = options
        self._meter = Meter(options.progress, source.size)
        self._promised: str | None = None

    def plan(self) -> Plan[httpx2.Response]:
        try:
            return (yield from self._file())
        except Refused as refused:
            yield from self._forget_promise()
            return refused.answer
        except BaseException:
            yield from self._forget_promise()
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
        return (yield from self._settled(file["id"]))

    def _in_parts(self, otherwise: Refused | None = None) -> Plan[httpx2.Response]:
        try:
            made = yield from self._create("uploads", mime_type=self._source.mime_type)
        except Refused as refused:
            # A service without that door: then the first one's refusal is the better answer.
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
        self._promised = answer.json()["file"]["id"]
        return (yield from self._settled(self._promised))

    def _part(self, here: str, piece: Piece) -> Plan[str]:
        def link() -> Plan[dict[str, Any]]:
            answer = yield from self._ask("POST", f"{here}/parts", {"bytes": piece.size})
            return dict(answer.json())

        part = yield from self._deliver(piece, link)
        return str(part["id"])

    def _deliver(
        self, piece: Piece, link: Callable[[], Plan[dict[str, Any]]]
    ) -> Plan[dict[str, Any]]:
        """PUTs a piece to a link, and again until it is there; returns whose link took it."""
        owner = yield from link()
        pauses = _pauses(self._options.retries)
        while True:
            pause = next(pauses)
            put = Put(owner["upload"], self._source, piece, self._meter, self._service.timeout)
            try:
                answer = yield put
            except CONNECTION_ERRORS:
                put.settle(arrived=False)
                if pause is None:
                    raise
                yield Pause(pause)
                continue
            # A link takes the bytes once: refused as a second time, the first has arrived though
            # its answer was lost.
            arrived = answer.is_success or answer.status_code == httpx2.codes.PRECONDITION_FAILED
            put.settle(arrived=arrived)
            if arrived:
                return owner
            if pause is None or not _may_pass(answer):
                raise storage_refusal(answer)
            yield Pause(_longer(pause, answer))
            if answer.status_code == httpx2.codes.FORBIDDEN:  # as an expired link answers
                owner = yield from link()

    def _settled(self, file_id: str) -> Plan[httpx2.Response]:
        """The file's own answer, once nothing is left to be done with it."""
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            answer = yield from self._ask("GET", f"files/{file_id}")
            waiting = answer.json().get("status") in ("pending", "uploaded")
            if not waiting or waited >= ASSEMBLY_SECONDS:
                return answer
            yield Pause(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE)

    def _create(self, path: str, **more: Any) -> Plan[dict[str, Any]]:
        """Promises the file. A refusal goes straight to the SDK, which knows when to try again."""
        yield from self._forget_promise()
        answer = yield Call(self._service.request("POST", path, promise(self._source) | more))
        if not answer.is_success:
            raise Refused(answer)
        made: dict[str, Any] = answer.json()
        self._promised = made["id"] if path == "files" else None
        return made

    def _forget_promise(self) -> Plan[None]:
        file_id, self._promised = self._promised, None
        if file_id is not None:
            yield Abandon(self._service.request("DELETE", f"files/{file_id}"))

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Plan[httpx2.Response]:
        """A call to the service, made again while that may help."""
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
    """One for each try: the seconds to wait after it, None after the last."""
    for count in range(retries):
        longest = min(FIRST_PAUSE * 2**count, LONGEST_PAUSE)
        yield longest * random.uniform(0.5, 1)  # noqa: S311 - spreads tries, keeps no secret
    yield None


def _longer(pause: float, answer: httpx2.Response) -> float:
    """The pause, longer where the answer asks for that in seconds."""
    asked = answer.headers.get("retry-after", "")
    return max(pause, min(float(asked), LONGEST_RETRY_AFTER)) if asked.isdigit() else pause


def _may_pass(answer: httpx2.Response) -> bool:
    """Whether the storage may take the bytes at another try, with a new link or without."""
    # AWS: a connection that idled is answered 400 (Amazon S3, "Error responses": RequestTimeout).
    idled = answer.status_code == httpx2.codes.BAD_REQUEST and "RequestTimeout" in answer.text
    return idled or answer.status_code in RETRIED | {httpx2.codes.FORBIDDEN}
