"""The items that the stub of DynamoDB has, and a Query over them.

Each partition is sorted by key, and a Query reads from its start key up to its limit, or up to a
megabyte ("Working with queries in DynamoDB"). So the cost of a page depends on the same things as
in DynamoDB. The adapters themselves write the items, so these have today's format.

| project | has |
|---|---|
| `acme` | what the sample payloads refer to; contents have 1 KiB, copied parts 64 MiB |
| `long` | the upload of `success_large`, too large to be assembled at once |
| `large` | the same file and uploads; contents and parts have 4,500,000 bytes, parts are many |
| `<number>/<filename>` | so many files of this name, with two purposes in turns; none expires |
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.keys import Keys
from files_api.service.model import File, Part, PendingFile, Upload
from files_api.service.part_plan import MIN_PART_BYTES

PURPOSES: Final = ("assistants", "user_data")
LARGE_BYTES: Final = 4_500_000  # `files.MAX_INLINE_BYTES`
LARGE_PARTS: Final = 28  # of this size: as many as are merged while the caller waits

_PAGE_BYTES: Final = 1024**2
_FAR: Final = 4102444800  # in the year 2100
_FILE: Final = File(
    "019e8232-6000-7a10-8d3c-5b1f6e2a9c01", 1024, 1780300800, "handbook.pdf", "assistants"
)
_REDIRECTED_ID: Final = "019e8233-c078-7c15-9d38-64e0b2f7a106"
_ARRIVED_ID: Final = "019e8233-e4a0-7e37-a95a-8602d419c308"
_SENDING_ID: Final = "019e8233-e4a0-716a-985d-b93507500611"
_ASSEMBLED_ID: Final = "019e8240-0000-7000-a000-000000000006"
_UPLOAD_IDS: Final = "019e8240-0000-7000-9000-00000000000"  # and a digit
_UPLOAD: Final = Upload(_UPLOAD_IDS, 0, 1780301600, "notes.txt", "user_data", "text/plain", _FAR)

type Item = Mapping[str, Any]


class _Items(dict[str, Item]):
    """A partition: a client of DynamoDB that keeps what is written, whatever the condition."""

    def get_item(self, **_: Any) -> Item:
        return {}  # no project has a quota of its own

    def put_item(self, **put: Any) -> None:
        self[put["Item"].get("SK", put["Item"].get("hash"))["S"]] = put["Item"]

    def transact_write_items(self, **sent: Any) -> None:
        for each in sent["TransactItems"]:
            if "Put" in each:  # the others count
                self.put_item(**each["Put"])


def part_id(number: int) -> str:
    """The id of a part of any upload, counted from 1."""
    return f"019e8240-0000-7000-8000-{number:012x}"


def file_id(number: int) -> str:
    """The id of a file of a project that has a number of them, counted from 0."""
    return f"019a7b3c-{number // 4096:04x}-7{number % 4096:03x}-8a6b-3c9d0e1f2a4b"


@cache
def items(project: str) -> Item:
    """A project's items by sort key, and the key of project `acme` by its hash."""
    if "/" in project:
        return _many(*project.split("/"))
    stored: Any = _Items()
    files, uploads = DynamoFileRecords(stored, "table"), DynamoUploadRecords(stored, "table")
    # The key of the sample events: no secret.
    Keys(DynamoKeyStore(stored, "keys")).create("acme", secret="sk-example-full-access")  # noqa: S106
    size, number = (LARGE_BYTES, LARGE_PARTS) if project == "large" else (1024, 2)
    files.add(project, replace(_FILE, bytes=size))
    files.add(project, replace(_FILE, id=_REDIRECTED_ID, bytes=5 * 10**9, direct=True))
    arrived = replace(_FILE, id=_ARRIVED_ID, status="pending", direct=True)
    files.add_pending(project, PendingFile(arrived, _FAR))
    sending = replace(arrived, id=_SENDING_ID, bytes=2 * MIN_PART_BYTES)
    in_parts = PendingFile(sending, _FAR, part_size=MIN_PART_BYTES, multipart_id="id")
    files.add_pending(project, in_parts)
    parts = {part_id(each): size for each in range(1, number + 1)}
    large_parts = {part_id(4): (2048 if project == "long" else 64) * 1024**2, part_id(1): size}
    for end, sizes in (("1", parts), ("6", parts), ("8", large_parts)):
        upload = replace(_UPLOAD, id=_UPLOAD_IDS + end, bytes=sum(sizes.values()))
        uploads.open(project, upload)
        for each, part_bytes in sizes.items():
            uploads.add_part(project, Part(each, upload.id, part_bytes, _FILE.created_at))
        if end == "6":
            file = replace(_FILE, id=_ASSEMBLED_ID, bytes=upload.bytes, status="uploaded")
            closed = replace(upload, status="completed", file_id=file.id, part_ids=tuple(sizes))
            uploads.close(project, closed, PendingFile(file, _FAR))
    return dict(stored)


def _many(count: str, filename: str) -> Item:
    stored: dict[str, Item] = {}
    for number in range(int(count)):
        purpose = PURPOSES[number % len(PURPOSES)]
        file = replace(_FILE, id=file_id(number), filename=filename, purpose=purpose)
        item = {"public": {"S": file.public_json()}}
        stored |= dict.fromkeys((f"FILE#{file.id}", f"PURPOSE#{purpose}#{file.id}"), item)
    return stored


def query(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the items whose sort keys start with a prefix."""
    values = parameters["ExpressionAttributeValues"]
    project, prefix = values[":project"]["S"], values[":prefix"]["S"]
    keys, found = _sorted(project), items(project)
    forward = parameters.get("ScanIndexForward", True)
    first, end = bisect_left(keys, prefix), bisect_left(keys, prefix + chr(0x10FFFF))
    if "ExclusiveStartKey" in parameters:
        start = parameters["ExclusiveStartKey"]["SK"]["S"]
        first, end = (
            (bisect_right(keys, start), end) if forward else (first, bisect_left(keys, start))
        )
    places = range(first, end) if forward else range(end - 1, first - 1, -1)
    # Of files, the functions read only `public`; bare calls read typed attributes instead.
    typed = prefix.startswith("FILE#") and "ProjectionExpression" not in parameters
    read: list[str] = []
    size = 0
    for place in places[: parameters.get("Limit")]:
        if size < _PAGE_BYTES:
            read.append(keys[place])
            size += len(str(found[keys[place]]).encode())
    page: dict[str, Any] = {
        "Items": [
            _typed({"PK": {"S": project}, "SK": {"S": key}}, found[key]) if typed else found[key]
            for key in read
        ],
        "Count": len(read),
        "ScannedCount": len(read),
    }
    if read and (len(read) < len(places) or len(read) == parameters.get("Limit")):
        page["LastEvaluatedKey"] = {"PK": {"S": project}, "SK": {"S": read[-1]}}
    return page


@cache
def _sorted(project: str) -> Sequence[str]:
    return sorted(items(project))


def _typed(key: Item, item: Item) -> Item:
    """A file's item as tables usually keep it: with an attribute for each field."""
    fields = json.loads(item["public"]["S"]).items()
    kinds = {name: "N" if isinstance(value, int) else "S" for name, value in fields}
    return {**key, **{name: {kinds[name]: str(value)} for name, value in fields}}
