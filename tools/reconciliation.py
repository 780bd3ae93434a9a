"""Compares what the table says with what the bucket has, and puts it right.

Both sides are read in the order of project and id and merged, so the memory is flat, whatever the
number of files. Reading takes time, so each difference is looked at once more before it counts.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from files_api.aws.blobs import S3Blobs
from files_api.aws.direct_parts import S3DirectParts
from files_api.aws.file_records import DynamoFileRecords, file_of
from files_api.aws.table import Kind, Table, parse_sort_key, sort_key, sort_prefix
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.blob_keys import FileBlob, PartBlob
from files_api.service.files import Files
from files_api.service.ids import creation_time, is_id
from files_api.service.model import File, Usage
from files_api.service.ports import AssemblyQueue
from files_api.service.purge import Purge, RemovedFile

# A call writes bytes first and their record last: what is younger may still be in the making.
YOUNG_SECONDS = 3_600
_ATTEMPTS = 3  # to read all files of a project while none comes or goes


@dataclass(frozen=True)
class Difference:
    """Something that the table and the bucket do not agree on.

    Attributes:
        project: owner of it.
        id: of the file or the upload.
        problem: a phrase for the operator.
        repair: puts it right.
    """

    project: str
    id: str
    problem: str
    repair: Callable[[], object]


@dataclass(frozen=True)
class _Found:
    """All that there is of a file.

    Attributes:
        items: whether there is an item for the list of all files, and one for its purpose.
        file: of those items.
        pending: the pending file.
        sizes: of its bytes, by whether they were uploaded directly.
    """

    items: tuple[bool, bool]
    file: File | None
    pending: File | None
    sizes: Mapping[bool, int]

    @classmethod
    def of(cls, item: Any, twin: Any, pending: File | None, sizes: Mapping[bool, int]) -> "_Found":
        """Of the two items of a file (AttributeValues), if they exist."""
        either = item or twin
        file = file_of(either) if either else None
        return cls((item is not None, twin is not None), file, pending, sizes)

    @property
    def has_arrived(self) -> bool:
        """Whether it is pending, though all of its bytes are there."""
        pending = self.pending
        return (
            pending is not None
            and pending.status == "pending"
            and self.sizes.get(pending.direct) == pending.bytes
        )


class Reconciliation:
    """The comparison.

    Args:
        dynamodb: a DynamoDB client.
        s3: an S3 client.
        table: of files, uploads and parts.
        bucket: of their bytes.
        queue: starts assemblies.
        clock: Unix seconds.

    Attributes:
        compared: how many ids have been compared so far.
        busy: the projects whose counters could not be compared, since they changed all the time.
    """

    def __init__(
        self,
        dynamodb: Any,
        s3: Any,
        table: str,
        bucket: str,
        queue: AssemblyQueue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = Table(dynamodb, table)
        self._s3, self._bucket = s3, bucket
        self._records = DynamoFileRecords(dynamodb, table)
        self._uploads = DynamoUploadRecords(dynamodb, table)
        self._blobs = S3Blobs(s3, bucket, clock)
        self._parts = S3DirectParts(s3, bucket, clock)
        self._queue = queue
        self._clock = clock
        self.compared = 0
        self.busy: list[str] = []

    def projects(self) -> set[str]:
        """The projects that have bytes."""
        pages = self._s3.get_paginator("list_objects_v2")
        return {
            found["Prefix"].split("/")[1]
            for folder in ("files/", "direct/", "parts/")
            for page in pages.paginate(Bucket=self._bucket, Prefix=folder, Delimiter="/")
            for found in page.get("CommonPrefixes", [])
        }

    def differences(self, project: str) -> Iterator[Difference]:
        """What does not match in a project."""
        yield from self._in_files(project)
        yield from self._in_parts(project)
        yield from self._in_counters(project)

    # --- Files ------------------------------------------------------------------------------------

    def _in_files(self, project: str) -> Iterator[Difference]:
        streams = {
            "file": self._items(project, sort_prefix(Kind.FILE)),
            "twin": self._twins(project),
            "pending": self._items(project, sort_prefix(Kind.PENDING)),
            "plain": self._objects(f"files/{project}/"),
            "direct": self._objects(f"direct/{project}/"),
        }
        for file_id, found in joined(streams):
            self.compared += 1
            first = self._about_file(project, file_id, _found(found))
            if first and self._is_settled(file_id, found):
                yield from self._about_file(project, file_id, self._look(project, file_id))

    def _about_file(self, project: str, file_id: str, found: _Found) -> list[Difference]:
        def differs(problem: str, repair: Callable[[], object]) -> Difference:
            return Difference(project, file_id, problem, repair)

        file, owner = found.file, found.file or found.pending
        differences = [
            differs(
                f"{size} bytes without a file",
                partial(self._purge.delete_unowned, FileBlob(project, file_id, direct)),
            )
            for direct, size in found.sizes.items()
            if owner is None or owner.direct != direct
        ]
        if file is not None:
            size = found.sizes.get(file.direct)
            remove = partial(self._purge.removed, [RemovedFile(project, file)])
            if not all(found.items):
                differences.append(differs("a file with one item instead of two", remove))
            elif file.expired(self._clock()):
                pass  # gone for every call; TTL removes it some time
            elif size is None:
                differences.append(differs("a file without bytes", remove))
            elif size != file.bytes:
                problem = f"a file of {file.bytes} bytes, of which the bucket has {size}"
                differences.append(differs(problem, remove))
        elif found.has_arrived:
            problem = "a pending file whose bytes have arrived"
            finalize = partial(self._files.finalize, project, file_id)
            differences.append(differs(problem, finalize))
        return differences

    def _look(self, project: str, file_id: str) -> _Found:
        """All that there is of a file, now."""
        pending = self._records.get_pending(project, file_id)
        item = self._table.get(project, sort_key(Kind.FILE, file_id))
        keys = (sort_key(Kind.PURPOSE, each, file_id) for each in self._purposes(project))
        twin = next(filter(None, (self._table.get(project, each) for each in keys)), None)
        sizes = {
            direct: size
            for direct in (False, True)
            if (size := self._blobs.size(FileBlob(project, file_id, direct).key)) is not None
        }
        return _Found.of(item, twin, pending.file if pending else None, sizes)

    def _is_settled(self, file_id: str, found: Mapping[str, Any]) -> bool:
        """Whether nothing is in the making."""
        times = [found[each].modified for each in ("plain", "direct") if each in found]
        if is_id(file_id) and not times:
            times = [creation_time(file_id)]
        return all(each + YOUNG_SECONDS <= self._clock() for each in times)

    # --- Parts ------------------------------------------------------------------------------------

    def _in_parts(self, project: str) -> Iterator[Difference]:
        streams = {
            "record": self._items(project, sort_prefix(Kind.PART)),
            "bytes": self._objects(f"parts/{project}/"),
        }
        by_upload = groupby(joined(streams), key=lambda each: each[0].partition("/")[0])
        for upload_id, parts in by_upload:
            has_records = False
            for part_id, found in ((id.partition("/")[2], found) for id, found in parts):
                self.compared += 1
                has_records = has_records or "record" in found
                if "record" not in found and self._is_settled(part_id, {"plain": found["bytes"]}):
                    yield from self._about_part(PartBlob(project, upload_id, part_id))
            if has_records:
                yield from self._about_upload(project, upload_id)

    def _about_part(self, blob: PartBlob) -> Iterator[Difference]:
        if not self._uploads.has_part(blob.project, blob.upload_id, blob.part_id):
            problem = f"bytes of part {blob.part_id}, which the upload does not have"
            repair = partial(self._blobs.delete, blob.key)
            yield Difference(blob.project, blob.upload_id, problem, repair)

    def _about_upload(self, project: str, upload_id: str) -> Iterator[Difference]:
        upload = self._uploads.get(project, upload_id)
        if upload and upload.status == "pending":
            return
        pending = None
        if upload and upload.file_id:
            pending = self._records.get_pending(project, upload.file_id)
        if pending is None or not pending.assembling:
            repair = partial(self._uploads.delete_parts, project, upload_id)
            yield Difference(project, upload_id, "parts that no file needs", repair)
        elif pending.assembly_stalled(self._clock()) and not pending.completing(self._clock()):
            repair = partial(self._queue.send, project, upload_id)
            yield Difference(project, upload_id, "parts that wait to be assembled", repair)

    # --- Counters ---------------------------------------------------------------------------------

    def _in_counters(self, project: str) -> Iterator[Difference]:
        for _ in range(_ATTEMPTS):
            counted, before = self._records.counters(project)
            files = size = 0
            for _, item in self._items(project, sort_prefix(Kind.FILE)):
                files, size = files + 1, size + file_of(item).bytes
            _, after = self._records.counters(project)
            if before == after:
                break
        else:
            self.busy.append(project)
            return
        if counted != Usage(files, size):
            # Right at any later time, too: whatever changes the files changes the counters as much.
            repair = partial(
                self._records.correct,
                project,
                files=files - counted.files,
                size=size - counted.bytes,
            )
            problem = (
                f"{counted.files} files of {counted.bytes} bytes counted, "
                f"where there are {files} of {size}"
            )
            yield Difference(project, "counters", problem, repair)

    # --- Both sides, in order ---------------------------------------------------------------------

    @property
    def _purge(self) -> Purge:
        return Purge(self._records, self._uploads, self._blobs, self._parts)

    @property
    def _files(self) -> Files:
        return Files(self._records, self._blobs, self._parts, self._clock)

    def _items(self, project: str, prefix: str) -> Iterator[tuple[str, Any]]:
        """The items whose sort keys start so, by the rest of these keys."""
        pages = self._table.client.get_paginator("query").paginate(
            TableName=self._table.name,
            KeyConditionExpression="PK = :project AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={":project": {"S": project}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield item["SK"]["S"].removeprefix(prefix).replace("#", "/"), item

    def _twins(self, project: str) -> Iterator[tuple[str, Any]]:
        """The items for the lists of purposes, in the order of ids."""
        prefixes = (sort_prefix(Kind.PURPOSE, each) for each in self._purposes(project))
        return heapq.merge(*(self._items(project, each) for each in prefixes), key=itemgetter(0))

    def _purposes(self, project: str) -> Iterator[str]:
        """The purposes of the project's files: one request for each of them."""
        start = sort_prefix(Kind.PURPOSE)
        while True:
            found = self._table.client.query(
                TableName=self._table.name,
                KeyConditionExpression="PK = :project AND SK BETWEEN :start AND :end",
                ExpressionAttributeValues={
                    ":project": {"S": project},
                    ":start": {"S": start},
                    ":end": {"S": sort_key(Kind.PURPOSE, "~")},
                },
                ConsistentRead=True,
                Limit=1,
            )["Items"]
            if not found:
                return
            _, (purpose, _) = parse_sort_key(found[0]["SK"]["S"])
            yield purpose
            start = sort_prefix(Kind.PURPOSE, purpose) + "~"  # behind every id

    def _objects(self, prefix: str) -> Iterator[tuple[str, "_Object"]]:
        """The objects whose keys start so, by the rest of these keys."""
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                modified = each["LastModified"].timestamp()
                yield each["Key"].removeprefix(prefix), _Object(each["Size"], modified)


@dataclass(frozen=True)
class _Object:
    """An object of the bucket: its size in bytes, and when it was written, in Unix seconds."""

    size: int
    modified: float


def _found(streams: Mapping[str, Any]) -> _Found:
    item, twin, pending = (streams.get(each) for each in ("file", "twin", "pending"))
    sizes = {
        direct: streams[name].size
        for name, direct in (("plain", False), ("direct", True))
        if name in streams
    }
    return _Found.of(item, twin, file_of(pending) if pending else None, sizes)


def joined(
    streams: Mapping[str, Iterable[tuple[str, Any]]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What several streams, each sorted by id, say of each id."""

    def labelled(name: str, stream: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str, Any]]:
        return ((id, name, value) for id, value in stream)

    merged = heapq.merge(*(labelled(*each) for each in streams.items()), key=itemgetter(0))
    for id, found in groupby(merged, key=itemgetter(0)):
        yield id, {name: value for _, name, value in found}
