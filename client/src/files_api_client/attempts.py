"""Calls to the API and PUTs to the storage, repeated while that may help."""

import random
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx2

from files_api_client.service import Refused, Service, storage_refusal
from files_api_client.source import Piece, Source
from files_api_client.steps import Call, Meter, Pause, Plan, Put

CONNECTION_ERRORS = (httpx2.TransportError, ssl.SSLError)
RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
# The longest `Retry-After` that is obeyed, as in the SDK.
LONGEST_RETRY_AFTER = 60.0

# An object of the API with the presigned URL of its bytes as `upload`, unless they are stored.
Place = dict[str, Any]


class Attempts:
    """Plans for one request, repeated.

    Args:
        service: makes the requests to the API.
        source: what is stored.
        meter: counts the bytes.
        retries: how often a request that failed is tried again.
    """

    def __init__(self, service: Service, source: Source, meter: Meter, retries: int) -> None:
        self._service = service
        self._source = source
        self._meter = meter
        self._retries = retries

    def ask(self, method: str, path: str, query: str = "") -> Plan[httpx2.Response]:
        """A call to the API. Raises Refused."""
        for pause in _pauses(self._retries):
            try:
                request = self._service.request(method, path, query=query)
                answer: httpx2.Response = yield Call(request)
            except CONNECTION_ERRORS:
                if pause is None:
                    raise
                yield Pause(pause)
                continue
            if answer.is_success:
                break
            if pause is None or answer.status_code not in RETRIED:
                raise Refused(answer)
            yield Pause(_longer(pause, answer))
        return answer

    def store(
        self, piece: Piece, place: Place, renew: Callable[[], Plan[Place]], *, look: bool = False
    ) -> Plan[Place]:
        """PUTs a piece of the source until it is stored; returns the place where it is.

        Args:
            piece: the bytes.
            place: where they go.
            renew: returns another place, or the same one as it is now.
            look: whether to renew the place after every failure, not only after one that an
                expired URL may explain.
        """
        for pause in _pauses(self._retries):
            if "upload" not in place:
                self._meter.add(piece.size)
                break
            try:
                answer = yield from self._put(piece, place["upload"])
            except CONNECTION_ERRORS:
                if pause is None:
                    raise
                yield Pause(pause)
                expired = False
            else:
                if _arrived(answer):
                    break
                if pause is None or not _may_pass(answer):
                    raise storage_refusal(answer)
                yield Pause(_longer(pause, answer))
                expired = answer.status_code == httpx2.codes.FORBIDDEN
            if look or expired:
                place = yield from renew()
        return place

    def _put(self, piece: Piece, link: dict[str, Any]) -> Plan[httpx2.Response]:
        put = Put(link, self._source, piece, self._meter, self._service.timeout)
        try:
            answer: httpx2.Response = yield put
        except CONNECTION_ERRORS:
            put.finish(arrived=False)
            raise
        put.finish(arrived=_arrived(answer))
        return answer


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


def _arrived(answer: httpx2.Response) -> bool:
    # A URL may accept the bytes only once. If S3 refuses a second PUT, the first one has succeeded,
    # although its answer was lost.
    return answer.is_success or answer.status_code == httpx2.codes.PRECONDITION_FAILED


def _may_pass(answer: httpx2.Response) -> bool:
    """Whether another attempt may succeed, with the same URL or a new one."""
    # AWS answers an idle connection with 400 (Amazon S3, "Error responses": RequestTimeout).
    idled = answer.status_code == httpx2.codes.BAD_REQUEST and "RequestTimeout" in answer.text
    return idled or answer.status_code in RETRIED | {httpx2.codes.FORBIDDEN}
