"""The API's side: requests derived from the SDK's own, and refusals."""

from collections.abc import Mapping
from http import HTTPStatus
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

    @property
    def asks_for_parts(self) -> bool:
        """Whether the file is too large for this call, but perhaps not for an upload in parts."""
        if self.answer.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return False
        try:
            return bool(self.answer.json()["error"]["param"] == "bytes")
        except (ValueError, LookupError, TypeError):
            return False


class Service:
    """Makes requests like the SDK's own, with another method, path and body.

    Args:
        create: the SDK's POST …/files; all requests take over its headers, query and timeouts.
    """

    def __init__(self, create: httpx2.Request) -> None:
        self._url = create.url
        path, _, query = create.url.raw_path.partition(b"?")
        self._base = path.removesuffix(b"files")
        self._query = b"?" + query if query else b""
        self._headers = [
            (name, value)
            for name, value in create.headers.multi_items()
            if name.lower() not in _OF_THE_FORM
        ]
        self.timeout = create.extensions.get("timeout")

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx2.Request:
        """A request for `path`, which begins after the API's base URL."""
        return httpx2.Request(
            method,
            self._url.copy_with(raw_path=self._base + path.encode() + self._query),
            headers=self._headers,
            json=body,
            extensions={"timeout": self.timeout} if self.timeout else {},
        )


def announcement(source: Source) -> dict[str, Any]:
    """The JSON that announces a file before its bytes are sent."""
    return _nested(source.fields) | {"filename": source.filename, "bytes": source.size}


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
