"""The largest event of each function, and a stub of AWS with data of that size.

Usage: python -m benchmarks.large
Like `benchmarks.stub`, but each S3 object is as large as a part in a request body can be, and the
table lists 10,000 files with the longest names.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Final

from benchmarks import answers, cases, events, partition, stored, stub

_CONTENT: Final = bytes(range(250)) * 18_000  # `files.MAX_INLINE_BYTES`: 4,500,000 bytes
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)")
_PURPOSE: Final = {"purpose": "user_data"}
_UPLOAD: Final = {"upload_id": stored.UPLOAD_ID}
_CONTENT_OF: Final = "/v1/files/{file_id}/content"
_COMPLETE: Final = "/v1/uploads/{upload_id}/complete"
_PARTS: Final = "/v1/uploads/{upload_id}/parts"
_LONGEST_NAME: Final = "文" * 255  # three bytes each


def _list() -> events.Event:
    event = events.call("GET", "/v1/files", query={"limit": "10000"})
    project = partition.project(10_000, _LONGEST_NAME)
    event["requestContext"]["authorizer"]["project"] = project
    return event


def _complete() -> events.Event:
    part_ids = list(stored.parts(stored.MERGED_UPLOAD_ID))
    return events.json_call(_COMPLETE, {"part_ids": part_ids}, _UPLOAD_MERGED)


_UPLOAD_MERGED: Final = {"upload_id": stored.MERGED_UPLOAD_ID}
_MERGE_LATER: Final = {"project": stored.PROJECT, "upload_id": stored.MERGED_LATER_ID}
_LARGE: Final[Mapping[str, tuple[str, events.Event]]] = {
    "CreateFile": (
        "4,500,000 bytes",
        events.form_call("/v1/files", "file", _PURPOSE, content=_CONTENT),
    ),
    "ListFiles": ("10,000 files with the longest names", _list()),
    "DownloadFile": (
        "4,500,000 bytes",
        events.call("GET", _CONTENT_OF, {"file_id": stored.FILE_ID}),
    ),
    "AddUploadPart": (
        "4,500,000 bytes",
        events.form_call(_PARTS, "data", {}, _UPLOAD, content=_CONTENT),
    ),
    "CompleteUpload": ("28 parts of 4,500,000 bytes, merged", _complete()),
    "AssembleUpload": ("100 parts of 4,500,000 bytes, merged", _MERGE_LATER),
}


def event(function: str) -> tuple[str, events.Event]:
    """The event that takes a function the most memory, after a description of it.

    If all events of a function are small, it is the last of those whose CPU is measured.
    """
    small = {case.function: (case.name, dict(case.event)) for case in cases.CASES}
    return _LARGE.get(function) or small[function]


def answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The HTTP answer to a request; see `answers.answer`."""
    if headers.get("x-amz-target", "").endswith(".Query"):
        prefix = json.loads(body)["ExpressionAttributeValues"][":prefix"]["S"]
        if not prefix.startswith("PART#"):
            return partition.answer(method, url, headers, body)
    if method == "GET" and "?" not in url:  # with a query, it asks for a list
        return _object(headers.get("range"))
    return answers.answer(method, url, headers, body)


def _object(wanted: str | None) -> bytes:
    """An object, or the wanted range of it."""
    whole = {"Content_Type": "application/octet-stream", "ETag": f'"{"0" * 32}"'}
    asked = _RANGE.fullmatch(wanted or "")
    if asked is None:
        return answers.http("200 OK", _CONTENT, **whole)
    start, last = map(int, asked.groups())
    shown = f"bytes {start}-{last}/{len(_CONTENT)}"
    return answers.http(
        "206 Partial Content", _CONTENT[start : last + 1], Content_Range=shown, **whole
    )


if __name__ == "__main__":
    asyncio.run(stub.serve(answer))
