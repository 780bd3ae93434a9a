"""A table of files as DynamoDB keeps it: each project's items sorted by key, a Query reading from
its start key on and no further than its limit, or than a megabyte ("Working with queries in
DynamoDB"). What a page costs here follows from what is asked for, as it does there.

A project is called by how many files it has. Half of them are of one purpose, half of another, in
turns; each is two items, as `files_api.records` writes them. None of them expires.

Usage: python -m benchmarks.partition
As `benchmarks.stub`.
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
from files_api.model import File

PURPOSES: Final = ("assistants", "user_data")

_PAGE_BYTES: Final = 1024**2
_AFTER_ALL: Final = chr(0x10FFFF)


def project(files: int, filename: str = "notes.pdf") -> str:
    """The project that has so many files, all of this name."""
    return f"{files}/{filename}"


def file_id(number: int) -> str:
    """The id of a project's file, the first being 0."""
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
    """A page of the items whose sort key begins with a prefix."""
    values = parameters["ExpressionAttributeValues"]
    name, prefix = values[":project"]["S"], values[":prefix"]["S"]
    keys, docs = _items(name)
    forward = parameters.get("ScanIndexForward", True)
    first, end = bisect_left(keys, prefix), bisect_left(keys, prefix + _AFTER_ALL)
    if "ExclusiveStartKey" in parameters:
        start = parameters["ExclusiveStartKey"]["SK"]["S"]
        if forward:
            first = bisect_right(keys, start)
        else:
            end = bisect_left(keys, start)
    places = range(first, end) if forward else range(end - 1, first - 1, -1)
    read = _read(places[: parameters["Limit"]], docs)
    page: dict[str, Any] = {
        "Items": [{"doc": {"S": docs[place]}} for place in read],
        "Count": len(read),
        "ScannedCount": len(read),
    }
    if read and (len(read) < len(places) or len(read) == parameters["Limit"]):
        page["LastEvaluatedKey"] = {"PK": {"S": name}, "SK": {"S": keys[read[-1]]}}
    return page


def _read(places: range, docs: list[str]) -> range:
    """As many of the places as a megabyte ends."""
    size = 0
    for count, place in enumerate(places, start=1):
        size += len(docs[place].encode())
        if size >= _PAGE_BYTES:
            return places[:count]
    return places


@cache
def _items(name: str) -> tuple[list[str], list[str]]:
    """The sort keys and the docs of a project's items, sorted."""
    count, _, filename = name.partition("/")
    items: dict[str, str] = {}
    for number in range(int(count)):
        purpose = PURPOSES[number % len(PURPOSES)]
        file = File(file_id(number), 1024, 1763800000, filename, purpose)
        items |= dict.fromkeys((f"F#{file.id}", f"P#{purpose}#{file.id}"), file.doc())
    keys = sorted(items)
    return keys, [items[key] for key in keys]


if __name__ == "__main__":
    asyncio.run(stub.serve(answer))
