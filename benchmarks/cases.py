"""The calls that are measured: sample payloads, a few of them changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks import table
from benchmarks.events import Event, of_project, query, sample, with_content, with_json


@dataclass(frozen=True, slots=True)
class Case:
    """One call.

    Attributes:
        name: as shown.
        function: the logical id of the function that answers it.
        event: what AWS calls the function with.
        aws_calls: the exact number of requests to AWS that it makes.
        typed: whether the bare call reads items with an attribute for each field of a file, as
            tables usually have them, instead of the items that the handler reads.
    """

    name: str
    function: str
    event: Event
    aws_calls: int
    typed: bool = False


def _list(limit: int) -> Event:
    return query(of_project(sample("list_files"), "1000/notes.pdf"), limit=str(limit))


_COPIED: Final = sample("complete_upload", "success_large")

TYPED: Final = "list of 100, to typed items"
CASES: Final = (
    Case("retrieve", "RetrieveFile", sample("retrieve_file"), 1),
    Case("list of 20", "ListFiles", _list(20), 1),
    Case("list of 100", "ListFiles", _list(100), 1),
    Case(TYPED, "ListFiles", _list(100), 1, typed=True),
    Case("content of 1 KiB", "DownloadFile", sample("download_file"), 2),
    Case("content, by redirect", "DownloadFile", sample("download_file", "success_large"), 1),
    Case("presigned URL", "GetFileUrl", sample("get_file_url"), 1),
    Case("usage", "GetUsage", sample("get_usage"), 1),
    Case("create of 1 KiB", "CreateFile", with_content(sample("create_file"), 1024), 2),
    Case(
        "create by direct upload", "CreateFile", sample("create_file", "success_direct_sha256"), 1
    ),
    Case("create in parts", "CreateFile", sample("create_file", "success_direct_in_parts"), 2),
    Case("list of 2 parts", "ListFileParts", sample("list_file_parts"), 5),
    Case("finalize", "FinalizeFile", sample("finalize_file"), 4),
    Case("delete", "DeleteFile", sample("delete_file"), 3),
    Case("open an upload", "CreateUpload", sample("create_upload"), 1),
    Case("part of 1 KiB", "AddUploadPart", with_content(sample("add_upload_part"), 1024), 3),
    Case("presigned part", "AddUploadPart", sample("add_upload_part", "success_direct"), 2),
    Case("complete, parts merged", "CompleteUpload", sample("complete_upload"), 12),
    Case("complete, part copied", "CompleteUpload", _COPIED, 12),
    Case("complete, assembled later", "CompleteUpload", of_project(_COPIED, "long"), 5),
    Case("assemble 2 parts", "AssembleUpload", sample("assemble_upload"), 14),
    Case("cancel, 2 parts", "CancelUpload", sample("cancel_upload"), 4),
    Case("fail an assembly", "FailAssembly", sample("fail_assembly"), 6),
    Case("purge of a file", "Purge", of_project(sample("purge", "file_deleted"), "gone"), 2),
    Case("delete expired files", "DeleteExpired", sample("delete_expired"), 4),
    Case("check of 3 blobs", "CheckBlob", sample("check_blob", "owned"), 7),
    Case("authorize", "Authorize", sample("authorize"), 1),
)

_PART_IDS: Final = [*map(table.part_id, range(1, table.LARGE_PARTS + 1))]
_COMPLETE: Final = with_json(sample("complete_upload"), {"part_ids": _PART_IDS})
_LONGEST_NAMES: Final = of_project(sample("list_files"), "10000/" + "文" * 255)  # 3 bytes each
_BYTES: Final = "4,500,000 bytes"
_PARTS: Final = f"{table.LARGE_PARTS} parts of {_BYTES}, merged"
# The event that takes a function the most memory, with a description, if that is much, or if the
# function calls nothing of AWS.
LARGEST: Final[Mapping[str, tuple[str, Event]]] = {
    "CreateFile": (_BYTES, with_content(sample("create_file"), table.LARGE_BYTES)),
    "ListFiles": ("10,000 files with the longest names", query(_LONGEST_NAMES, limit="10000")),
    "DownloadFile": (_BYTES, of_project(sample("download_file"), "large")),
    "AddUploadPart": (_BYTES, with_content(sample("add_upload_part"), table.LARGE_BYTES)),
    "CompleteUpload": (_PARTS, of_project(_COMPLETE, "large")),
    "Pages": ("the console", sample("pages")),
    "AssembleUpload": (_PARTS, of_project(sample("assemble_upload"), "large")),
}
