"""A stub of DynamoDB that stores files as DynamoDB does.

Each project's items are sorted by key, and a Query reads from its start key up to its limit, or up
to a megabyte ("Working with queries in DynamoDB"). So the cost of a page depends on the same things
as in DynamoDB.

The name of a project tells how many files it has. They have two purposes, in turns; each file is
two items, as `files_api.aws.file_records` writes them. No file expires.

Usage: python -m benchmarks.partition
Like `benchmarks.stub`.
"""

import asyncio
import json
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from benchmarks import stub
from benchmarks.answers import http
from files_api.service.model import File

PURPOSES: Final = ("assistants", "user_data")

_PAGE_BYTES: Final = 1024**2
_AFTER_ALL: Final = chr(0x10FFFF)


def project(files: int, filename: str = "notes.pdf") -> str:
    """The name of a project with so many files, all with this filename."""
    return f"{files}/{filename}"


def file_id(number: int) -> str:
    """The id of a project's file, counted from 0."""
    return f"019a7b3c-{number // 4096:04x}-7{number % 4096:03x}-8a6b-3c9d0e1f2a4b"


def answer(_method: str, _url: str, _headers: Mapping[str, str], body: bytes) -> bytes:
    """The HTTP answer to a Query."""
    page = json.dumps(query(json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()
    return http(
        "200 OK",
        page,
        Content_Type="application/x-amz-json-1.0",
        x_amzn_RequestId="UHJ4O5TCU2QB6M3PDMPF1SBHUFVV4KQNSO5AEMVJF66Q9ASUAAJG",
        x_amz_crc32=str(zlib.crc32(page)),
    )


def query(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the items whose sort keys start with a prefix."""
    values = parameters["ExpressionAttributeValues"]
    name, prefix = values[":project"]["S"], values[":prefix"]["S"]
    keys, documents = _items(name)
    forward = parameters.get("ScanIndexForward", True)
    first, end = bisect_left(keys, prefix), bisect_left(keys, prefix + _AFTER_ALL)
    if "ExclusiveStartKey" in parameters:
        start = parameters["ExclusiveStartKey"]["SK"]["S"]
        if forward:
            first = bisect_right(keys, start)
        else:
            end = bisect_left(keys, start)
    places = range(first, end) if forward else range(end - 1, first - 1, -1)
    read = _read(places[: parameters["Limit"]], documents)
    page: dict[str, Any] = {
        "Items": [{"public": {"S": documents[place]}} for place in read],
        "Count": len(read),
        "ScannedCount": len(read),
    }
    if read and (len(read) < len(places) or len(read) == parameters["Limit"]):
        page["LastEvaluatedKey"] = {"PK": {"S": name}, "SK": {"S": keys[read[-1]]}}
    return page


def _read(places: range, documents: list[str]) -> range:
    """The places up to the one that completes a megabyte."""
    size = 0
    for count, place in enumerate(places, start=1):
        size += len(documents[place].encode())
        if size >= _PAGE_BYTES:
            return places[:count]
    return places


@cache
def _items(name: str) -> tuple[list[str], list[str]]:
    """The sort keys and the JSON documents of a project's items, sorted."""
    count, _, filename = name.partition("/")
    items: dict[str, str] = {}
    for number in range(int(count)):
        purpose = PURPOSES[number % len(PURPOSES)]
        file = File(file_id(number), 1024, 1763800000, filename, purpose)
        items |= dict.fromkeys(
            (f"FILE#{file.id}", f"PURPOSE#{purpose}#{file.id}"), file.public_json()
        )
    keys = sorted(items)
    return keys, [items[key] for key in keys]


if __name__ == "__main__":
    asyncio.run(stub.serve(answer))
