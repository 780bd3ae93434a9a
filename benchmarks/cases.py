"""The calls that are measured, as events of API Gateway."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FILE_ID: Final = "019a7b3c-5d2e-7f41-8a6b-3c9d0e1f2a4b"
PROJECT: Final = "acme"
SECRET: Final = "sk-iN5cR6mJ0oXo0cX9Z1qk7i2b9cQ3mVtWk8y4dHs6pLe"  # noqa: S105  opens nothing
CONTENT: Final = bytes(range(256)) * 4

_BOUNDARY: Final = "8f14e45fceea167a5a36dedd4bea2543"
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Authorization": f"Bearer {SECRET}",
    "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
    "User-Agent": "OpenAI/Python 3.54.0",
    "X-Amzn-Trace-Id": "Root=1-69220f3a-1f2e3d4c5b6a798081726354",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Async": "false",
    "X-Stainless-Lang": "python",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Package-Version": "3.54.0",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Runtime": "CPython",
    "X-Stainless-Runtime-Version": "3.13.0",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One call.

    Attributes:
        name: as in `limits.CALLS`.
        function: the logical id of the function that answers it.
        event: what the gateway hands over.
        typed: the bare call reads items that keep each field of a file as an attribute of its own,
            as a table usually does, instead of the ones that the handler reads.
    """

    name: str
    function: str
    event: Mapping[str, Any]
    typed: bool = False


def _proxy_event(
    method: str,
    resource: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> dict[str, Any]:
    """An event of the proxy integration ("Input format of a Lambda function for proxy
    integration").
    """
    path = resource.replace("{file_id}", FILE_ID)
    sent = dict(_HEADERS) | dict(headers or {})
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {n: [v] for n, v in query.items()},
        "pathParameters": {"file_id": FILE_ID} if "{file_id}" in resource else None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "k3x9t2",
            "resourcePath": resource,
            "httpMethod": method,
            "path": f"/dev{path}",
            "stage": "dev",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": 1763800000000,
            "protocol": "HTTP/1.1",
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "OpenAI/Python 3.54.0"},
            "authorizer": {
                "project": PROJECT,
                "scopes": "files:read files:write",
                "principalId": "key_0123456789abcdef",
                "integrationLatency": 0,
            },
        },
        "body": b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def _list_event(limit: int) -> dict[str, Any]:
    return _proxy_event("GET", "/v1/files", query={"limit": str(limit)})


def _create_event() -> dict[str, Any]:
    text = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    file = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="notes.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    return _proxy_event(
        "POST",
        "/v1/files",
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
        body=f"{text}{file}".encode() + CONTENT + f"\r\n--{_BOUNDARY}--\r\n".encode(),
    )


_TOKEN_EVENT: Final = {
    "type": "TOKEN",
    "authorizationToken": f"Bearer {SECRET}",
    "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/v1/files",
}

CASES: Final = (
    Case("retrieve", "RetrieveFile", _proxy_event("GET", "/v1/files/{file_id}")),
    Case("list of 20", "ListFiles", _list_event(20)),
    Case("list of 100", "ListFiles", _list_event(100)),
    Case("list of 100, to typed items", "ListFiles", _list_event(100), typed=True),
    Case("content of 1 KiB", "DownloadFile", _proxy_event("GET", "/v1/files/{file_id}/content")),
    Case("create of 1 KiB", "CreateFile", _create_event()),
    Case("delete", "DeleteFile", _proxy_event("DELETE", "/v1/files/{file_id}")),
    Case("authorize", "Authorize", _TOKEN_EVENT),
)
