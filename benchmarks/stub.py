"""DynamoDB and S3 as far as the calls need them: canned answers, at once, over kept connections.

A process of its own, so that its CPU is not the measured one's.

Usage: python -m benchmarks.stub
Says its port on stdout and ends when its stdin does. `GET /requests` answers how many requests of
AWS there were so far.
"""

import asyncio
import base64
import hashlib
import json
import sys
import zlib
from functools import cache
from typing import Any, Final

from benchmarks.cases import CONTENT, FILE_ID, PROJECT, SECRET
from files_api.model import File

COUNT_PATH: Final = "/requests"
_FILE: Final = File(FILE_ID, len(CONTENT), 1763800000, "notes.pdf", "user_data")


def answer(method: str, target: str, body: bytes) -> bytes:
    """The whole HTTP answer to a request.

    Args:
        method: of HTTP.
        target: DynamoDB's operation (`X-Amz-Target`), "" for S3.
        body: DynamoDB's parameters.
    """
    if target:
        return _dynamodb(target.rpartition(".")[2], json.loads(body))
    return _S3[method]


def _dynamodb(operation: str, parameters: dict[str, Any]) -> bytes:
    if operation == "Query":
        return _page(parameters["Limit"], docs_only="ProjectionExpression" in parameters)
    if operation == "GetItem":
        return _KEY_ITEM if "hash" in parameters["Key"] else _FILE_ITEM
    return _WRITTEN


def _http(status: str, body: bytes, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Date: Sat, 22 Nov 2025 19:00:00 GMT", "Connection: keep-alive"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if not status.startswith("204"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _dynamodb_http(value: object) -> bytes:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return _http(
        "200 OK",
        body,
        Server="Server",
        Content_Type="application/x-amz-json-1.0",
        x_amzn_RequestId="UHJ4O5TCU2QB6M3PDMPF1SBHUFVV4KQNSO5AEMVJF66Q9ASUAAJG",
        x_amz_crc32=str(zlib.crc32(body)),
    )


def _s3_http(status: str, body: bytes = b"", **headers: str) -> bytes:
    return _http(
        status,
        body,
        Server="AmazonS3",
        x_amz_id_2="vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=",
        x_amz_request_id="4442587FB7D0A2F9",
        **headers,
    )


@cache
def _page(limit: int, *, docs_only: bool) -> bytes:
    keys = {"PK": {"S": PROJECT}, "SK": {"S": f"F#{FILE_ID}"}}
    fields = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in _FILE.public().items()
    }
    item = {"doc": {"S": _FILE.doc()}} if docs_only else keys | fields
    page = {"Items": [item] * limit, "Count": limit, "ScannedCount": limit}
    return _dynamodb_http(page | {"LastEvaluatedKey": keys})


_FILE_ITEM: Final = _dynamodb_http({"Item": {"doc": {"S": _FILE.doc()}}})
_KEY_ITEM: Final = _dynamodb_http(
    {
        "Item": {
            "hash": {"S": hashlib.sha256(SECRET.encode()).hexdigest()},
            "project": {"S": PROJECT},
            "name": {"S": "production"},
            "scopes": {"S": "files:read files:write"},
            "last_four": {"S": SECRET[-4:]},
            "created_at": {"N": "1763800000"},
            "changed_at": {"N": "1763800000"},
        }
    }
)
_WRITTEN: Final = _dynamodb_http({})

_ETAG: Final = f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'
_CHECKSUM: Final = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4)).decode()
_S3: Final = {
    "GET": _s3_http(
        "200 OK",
        CONTENT,
        ETag=_ETAG,
        Last_Modified="Sat, 22 Nov 2025 18:00:00 GMT",
        Accept_Ranges="bytes",
        Content_Type="application/octet-stream",
        x_amz_server_side_encryption="AES256",
        x_amz_checksum_crc32=_CHECKSUM,
        x_amz_checksum_type="FULL_OBJECT",
    ),
    "PUT": _s3_http(
        "200 OK",
        ETag=_ETAG,
        x_amz_server_side_encryption="AES256",
        x_amz_checksum_crc32=_CHECKSUM,
        x_amz_checksum_type="FULL_OBJECT",
    ),
    "DELETE": _s3_http("204 No Content"),
}


class _Server:
    """Answers connections and counts what comes over them."""

    def __init__(self) -> None:
        self._requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as long as the client keeps it."""
        while head := await _head(reader):
            first, *rest = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            pairs = (line.partition(":") for line in rest)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            if headers.get("expect") == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if path == COUNT_PATH:
                writer.write(_http("200 OK", str(self._requests).encode()))
            else:
                self._requests += 1
                writer.write(answer(method, headers.get("x-amz-target", ""), body))
            await writer.drain()
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The request line and headers; nothing where the client has gone."""
    try:
        return (await reader.readuntil(b"\r\n\r\n"))[:-4]
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _main() -> None:
    server = await asyncio.start_server(_Server().serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
