"""A stub of DynamoDB, S3 and Lambda: the smallest answers that the functions accept, at once.

It is a process of its own, so that its CPU is not measured.

Usage: python -m benchmarks.stub
Prints its port on stdout, and ends when its stdin is closed.
"""

import json
import re
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from benchmarks import table
from files_api.service.blob_keys import PartBlob, parse_blob_key

_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)")


def answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The answer to a request to any of the services."""
    path, _, query = url.partition("?")
    if "x-amz-target" in headers:
        found = _dynamodb(headers["x-amz-target"].rpartition(".")[2], json.loads(body))
        return _http(body=json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())
    if path.startswith("/2015-03-31/functions/"):
        return _http(HTTPStatus.ACCEPTED)
    key = unquote(path).lstrip("/").partition("/")[2]
    return _s3(method, key, parse_qs(query, keep_blank_values=True), headers)


def _http(
    status: HTTPStatus = HTTPStatus.OK, body: bytes = b"", size: int | None = None, more: str = ""
) -> bytes:
    """An answer; `size` is its Content-Length, if that is not the body's."""
    length = len(body) if size is None else size
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Length: {length}\r\n{more}\r\n"
    return head.encode() + body


def _dynamodb(operation: str, parameters: dict[str, Any]) -> table.Item:
    if operation == "Query":
        return table.query(parameters)
    if operation in ("GetItem", "UpdateItem"):
        *project, key = (each["S"] for each in parameters["Key"].values())
        item = table.items(*project or ["acme"]).get(key)
        if operation == "UpdateItem":
            return {"Attributes": item or parameters["Key"]}
        return {"Item": item} if item else {}
    if operation == "BatchGetItem":
        return {
            "Responses": {name: _found(asked) for name, asked in parameters["RequestItems"].items()}
        }
    return {}  # the write has succeeded


def _found(asked: Mapping[str, Any]) -> list[table.Item]:
    """The items that exist, of the requested ones."""
    keys = [(each["PK"]["S"], each["SK"]["S"]) for each in asked["Keys"]]
    return [item for project, key in keys if (item := table.items(project).get(key))]


def _s3(method: str, key: str, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> bytes:
    if "list-type" in query:
        return _xml("ListBucketResult", _contents(query["prefix"][0]))
    if "uploads" in query or method == "POST":
        return _xml("Result", "<UploadId>id</UploadId>" if method == "POST" else "")
    if "x-amz-copy-source" in headers:
        return _xml("CopyPartResult", '<ETag>"0"</ETag>')
    if method == "DELETE":
        return _http(HTTPStatus.NO_CONTENT)
    if method == "PUT":
        return _http(more='ETag: "0"\r\n')
    if "uploadId" in query:
        return _xml("ListPartsResult", "")
    return _object(method, key, _RANGE.fullmatch(headers.get("range", "")))


def _object(method: str, key: str, wanted: re.Match[str] | None) -> bytes:
    """An object, or the wanted range of it."""
    size = _size(key)
    if size is None:
        return _http(HTTPStatus.NOT_FOUND)
    if method == "HEAD":
        return _http(size=size)
    if wanted is None:
        return _http(body=bytes(size), more='ETag: "0"\r\n')
    start, last = map(int, wanted.groups())
    more = f'Content-Range: bytes {start}-{last}/{size}\r\nETag: "0"\r\n'
    return _http(HTTPStatus.PARTIAL_CONTENT, bytes(last + 1 - start), more=more)


def _size(key: str) -> int | None:
    """The bytes of the file or part, as its item says."""
    blob = parse_blob_key(key)
    if isinstance(blob, PartBlob):
        sort_keys = [f"PART#{blob.upload_id}#{blob.part_id}"]
    else:  # a pending file whose parts are assembled has no object yet
        sort_keys = [f"FILE#{blob.file_id}"] + [f"PENDING#{blob.file_id}"] * blob.direct
    for item in filter(None, map(table.items(blob.project).get, sort_keys)):
        return int(json.loads((item.get("public") or item["stored"])["S"])["bytes"])
    return None


def _contents(prefix: str) -> str:
    """The objects of an upload's parts, whose keys start with `parts/<project>/<upload id>/`."""
    _, project, upload_id, _ = prefix.split("/")
    parts = (key for key in table.items(project) if key.startswith(f"PART#{upload_id}"))
    keys = [prefix + part.rpartition("#")[2] for part in parts]
    sizes = ((key, _size(key)) for key in keys)
    return "".join(f"<Contents><Key>{k}</Key><Size>{n}</Size></Contents>" for k, n in sizes)


def _xml(root: str, inside: str) -> bytes:
    return _http(body=f"<{root}>{inside}</{root}>".encode())


class _Connection(BaseHTTPRequestHandler):
    """A connection that stays open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.wfile.write(answer(self.command, self.path, headers, body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815  the base class's names


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Connection)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
