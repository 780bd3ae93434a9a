"""The API's side: requests derived from the SDK's own, and refusals."""

from collections.abc import Mapping
from typing import Any

import httpx2

from files_api_client.source import Source

# Headers of the form that the SDK was about to send; they do not fit what is sent instead.
_OF_THE_FORM = ("content-length", "content-type", "transfer-encoding")


class Refused(Exception):
    """A request was refused; the caller gets the answer as that of its call.

    Attributes:
        answer: of the service, or in the service's form.
    """

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__(f"{answer.status_code} {answer.reason_phrase}")
        self.answer = answer


class Service:
    """Makes requests like the SDK's own, with another method, path and body.

    Args:
        call: the SDK's request; all others take over its headers, query and timeouts.
        path: what its URL has after the API's base URL.

    Attributes:
        repeatable: whether the call has an idempotency key, so that a repeat gets the same file.
        timeout: of the call, as httpx2 has it in a request's extensions.
    """

    def __init__(self, call: httpx2.Request, path: str) -> None:
        self._url = call.url
        here, _, query = call.url.raw_path.partition(b"?")
        self._base = here.removesuffix(path.encode())
        self._query = query
        self._headers = [
            (name, value)
            for name, value in call.headers.multi_items()
            if name.lower() not in _OF_THE_FORM
        ]
        self.repeatable = "idempotency-key" in call.headers
        self.timeout = call.extensions.get("timeout")

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: str = ""
    ) -> httpx2.Request:
        """A request for `path`, which begins after the API's base URL."""
        queries = b"&".join(each for each in (self._query, query.encode()) if each)
        raw_path = self._base + path.encode() + (b"?" + queries if queries else b"")
        return httpx2.Request(
            method,
            self._url.copy_with(raw_path=raw_path),
            headers=self._headers,
            json=body,
            extensions={"timeout": self.timeout} if self.timeout else {},
        )


def announcement(source: Source) -> dict[str, Any]:
    """The JSON that announces bytes before they are sent."""
    return _nested(source.fields) | {"bytes": source.size}


def storage_refusal(answer: httpx2.Response) -> Refused:
    """The storage's refusal in the API's form, so that the SDK raises its usual error."""
    storage_code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
    message = f"The storage refused the file's bytes: {answer.status_code} {storage_code}".strip()
    error = {
        "message": f"{message}.",
        "type": "server_error" if answer.is_server_error else "invalid_request_error",
        "param": "file",
        "code": "upload_failed",
    }
    headers = {"x-request-id": answer.headers.get("x-amz-request-id", "")}
    return Refused(httpx2.Response(answer.status_code, headers=headers, json={"error": error}))


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A form's `name[key]` fields folded into `{"name": {"key": …}}`, digits into numbers."""
    values: dict[str, Any] = {}
    for name, value in fields.items():
        number = isinstance(value, str) and value.isascii() and value.isdigit()
        outer, bracket, rest = name.partition("[")
        if bracket and rest.endswith("]"):
            values.setdefault(outer, {})[rest[:-1]] = int(value) if number else value
        else:
            values[name] = value
    return values
