"""How the bytes of a call are sent: in its form, in one PUT, or in parts. Independent of sockets,
threads and tasks.
"""

import math
import time
from itertools import accumulate, repeat
from typing import Any

import httpx2

from files_api_client import attempts
from files_api_client.attempts import Attempts, Place
from files_api_client.options import MAX_PARTS, PLAIN_LIMIT, Options
from files_api_client.service import Refused, Service, announcement
from files_api_client.source import FileChanged, Piece, Source, attached
from files_api_client.steps import Abandon, Call, Meter, Pause, Plan, Together

# How long to wait while a file is assembled; after that the answer is the file as it is.
ASSEMBLY_SECONDS = 1_800.0
# How many parts are listed at once. The parallel parts of a page wait for its last one, so a page
# is as large as the API allows.
PAGE = 1_000


def plan_for(request: httpx2.Request, options: Options) -> Plan[httpx2.Response] | None:
    """The plan that answers a request of the SDK; None if it is sent as it is."""
    source = attached(request)
    if source is None:
        return None
    service, small = Service(request, source.path), source.size <= PLAIN_LIMIT
    match source.path.split("/"):
        case ["files"] if small:
            return _send_form(request, Meter(options.progress, source.size))
        case ["files"]:
            return _Files(service, source, options).create()
        case ["files", file_id, _]:
            return _Files(service, source, options).resume(file_id)
    return None if small else _add_part(service, source, options)


def _send_form(request: httpx2.Request, meter: Meter) -> Plan[httpx2.Response]:
    """Creates a file as the SDK does."""
    answer: httpx2.Response = yield Call(request)
    if answer.is_success:
        meter.add(meter.total)
    return answer


def _add_part(service: Service, source: Source, options: Options) -> Plan[httpx2.Response]:
    """Adds a part to an upload."""
    answer: httpx2.Response

    def announce() -> Plan[Place]:
        nonlocal answer
        answer = yield from _announce(service, source)
        return dict(answer.json())

    storage = Attempts(service, source, Meter(None, source.size), options.retries)
    try:
        place = yield from announce()
        place = yield from storage.store(Piece(0, source.size), place, announce)
    except Refused as refused:
        return refused.answer
    headers = {"x-request-id": answer.headers.get("x-request-id", "")}
    part = {name: value for name, value in place.items() if name != "upload"}
    return httpx2.Response(answer.status_code, headers=headers, json=part)


def _announce(service: Service, source: Source, **more: Any) -> Plan[httpx2.Response]:
    """Announces bytes. A refusal goes straight to the SDK, which knows when to try again."""
    body = announcement(source) | more
    answer: httpx2.Response = yield Call(service.request("POST", source.path, body))
    if not answer.is_success:
        raise Refused(answer)
    return answer


class _Files:
    """Direct uploads."""

    def __init__(self, service: Service, source: Source, options: Options) -> None:
        self._service = service
        self._source = source
        self._options = options
        self._meter = Meter(options.progress, source.size)
        self._attempts = Attempts(service, source, self._meter, options.retries)
        self._pending_id: str | None = None

    def create(self) -> Plan[httpx2.Response]:
        """Creates a file. If it fails, the pending file is deleted, unless a repeat may go on."""
        try:
            file = yield from self._announce()
            if _is_in_parts(file):
                yield from self._send_parts(file["id"])
            else:
                whole = Piece(0, self._source.size)
                file = yield from self._attempts.store(whole, file, self._announce)
            return (yield from self._finished(file["id"]))
        except Refused as refused:
            yield from self._delete_pending()
            return refused.answer
        except BaseException:
            yield from self._delete_pending()
            raise

    def resume(self, file_id: str) -> Plan[httpx2.Response]:
        """Sends the missing parts of a pending file. If it fails, it can be resumed again."""
        try:
            file = (yield from self._attempts.ask("GET", f"files/{file_id}")).json()
            if file["bytes"] != self._source.size:
                raise FileChanged(
                    f"{self._source.filename} has {self._source.size} bytes, "
                    f"but the upload to resume has {file['bytes']}."
                )
            if file["status"] == "pending":
                yield from self._send_parts(file_id)
            return (yield from self._finished(file_id))
        except Refused as refused:
            return refused.answer

    def _announce(self) -> Plan[Place]:
        """Creates a pending file, in place of an earlier one if there is one."""
        yield from self._delete_pending()
        more: dict[str, Any] = {"filename": self._source.filename}
        # Only parts have URLs that can be asked for again, under the same idempotency key.
        if self._source.size > self._options.direct_limit or self._service.repeatable:
            least = math.ceil(self._source.size / MAX_PARTS)
            more["part_size"] = max(self._options.part_size, least)
        answer = yield from _announce(self._service, self._source, **more)
        file: Place = answer.json()
        keep = self._options.keep_pending or self._service.repeatable
        if not (_is_in_parts(file) and keep):
            self._pending_id = file["id"]
        if _is_in_parts(file) and self._options.on_pending is not None:
            self._options.on_pending(file)
        return file

    def _delete_pending(self) -> Plan[None]:
        file_id, self._pending_id = self._pending_id, None
        if file_id is not None:
            yield Abandon(self._service.request("DELETE", f"files/{file_id}"))

    def _send_parts(self, file_id: str) -> Plan[None]:
        """Sends the parts that are not stored yet."""
        after, offset, more = 0, 0, True
        try:
            while more:
                page = yield from self._parts(file_id, after, PAGE)
                *offsets, offset = accumulate(
                    (part["bytes"] for part in page["data"]), initial=offset
                )
                sending = map(self._send_part, repeat(file_id), page["data"], offsets)
                yield Together(sending, self._options.parallel)
                after, more = page["data"][-1]["part_number"], page["has_more"]
        except Refused:
            # Another caller may have completed the file; then it takes no more parts.
            file = (yield from self._attempts.ask("GET", f"files/{file_id}")).json()
            if file["status"] == "pending":
                raise

    def _send_part(self, file_id: str, part: Place, offset: int) -> Plan[None]:
        def look() -> Plan[Place]:
            page = yield from self._parts(file_id, part["part_number"] - 1, 1)
            return dict(page["data"][0])

        late = "upload" in part and part["upload"]["expires_at"] <= time.time()
        place = (yield from look()) if late else part
        yield from self._attempts.store(Piece(offset, part["bytes"]), place, look, look=True)

    def _parts(self, file_id: str, after: int, limit: int) -> Plan[dict[str, Any]]:
        query = f"after={after}&limit={limit}"
        answer = yield from self._attempts.ask("GET", f"files/{file_id}/parts", query)
        return dict(answer.json())

    def _finished(self, file_id: str) -> Plan[httpx2.Response]:
        """The answer with the file, once it is no longer pending."""
        waited, pause = 0.0, attempts.FIRST_PAUSE
        while True:
            answer = yield from self._attempts.ask("GET", f"files/{file_id}")
            waiting = answer.json().get("status") in ("pending", "uploaded")
            if not waiting or waited >= ASSEMBLY_SECONDS:
                return answer
            yield Pause(pause)
            waited, pause = waited + pause, min(2 * pause, attempts.LONGEST_PAUSE)


def _is_in_parts(file: Place) -> bool:
    return "parts" in file["upload"]
