"""The calls that are measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import events, stored

_UPLOAD: Final = {"upload_id": stored.UPLOAD_ID}


@dataclass(frozen=True, slots=True)
class Case:
    """One call.

    Attributes:
        name: as in `limits.CALLS`.
        function: the logical id of the function that answers it.
        event: what AWS calls the function with.
        typed: whether the bare call reads items with an attribute for each field of a file, as
            tables usually have them, instead of the items that the handler reads.
    """

    name: str
    function: str
    event: Mapping[str, Any]
    typed: bool = False


def _on_file(method: str, below: str = "", file_id: str = stored.FILE_ID) -> events.Event:
    return events.call(method, f"/v1/files/{{file_id}}{below}", {"file_id": file_id})


def _list(limit: int) -> events.Event:
    return events.call("GET", "/v1/files", query={"limit": str(limit)})


def _direct_upload() -> events.Event:
    body = {"filename": "notes.pdf", "purpose": "user_data", "bytes": stored.LARGE_BYTES}
    return events.json_call("/v1/files", body | {"sha256": "5" * 64})


def _open_upload() -> events.Event:
    body = {"filename": "notes.pdf", "purpose": "user_data", "bytes": stored.LARGE_BYTES}
    return events.json_call("/v1/uploads", body | {"mime_type": "application/pdf"})


def _presigned_part() -> events.Event:
    resource = "/v1/uploads/{upload_id}/parts"
    return events.json_call(resource, {"bytes": 64 * 1024**2}, _UPLOAD)


def _complete(upload_id: str) -> events.Event:
    body = {"part_ids": list(stored.parts(upload_id))}
    return events.json_call("/v1/uploads/{upload_id}/complete", body, {"upload_id": upload_id})


def _purge() -> events.Event:
    """A deleted file, a pending file that was finalized, and a part."""
    part_id = next(iter(stored.parts(stored.UPLOAD_ID)))
    file = {
        "id": stored.FILE_ID,
        "object": "file",
        "bytes": len(stored.CONTENT),
        "created_at": 1763800000,
        "filename": "notes.pdf",
        "purpose": "user_data",
        "status": "processed",
    }
    part = {"id": part_id, "upload_id": stored.UPLOAD_ID, "bytes": 1, "created_at": 1763800000}
    return events.removed(
        {
            f"FILE#{stored.FILE_ID}": ("public", file),
            f"PENDING#{stored.FILE_ID}": ("public", file),
            f"PART#{stored.UPLOAD_ID}#{part_id}": ("stored", part),
        }
    )


def _check() -> events.Event:
    """The blobs of a file and of a part, and an orphan."""
    part_id = next(iter(stored.parts(stored.UPLOAD_ID)))
    return events.queued(
        f"files/{stored.PROJECT}/{stored.FILE_ID}",
        f"parts/{stored.PROJECT}/{stored.UPLOAD_ID}/{part_id}",
        f"files/{stored.PROJECT}/{stored.NO_FILE_ID}",
    )


CASES: Final = (
    Case("retrieve", "RetrieveFile", _on_file("GET")),
    Case("list of 20", "ListFiles", _list(20)),
    Case("list of 100", "ListFiles", _list(100)),
    Case("list of 100, to typed items", "ListFiles", _list(100), typed=True),
    Case("content of 1 KiB", "DownloadFile", _on_file("GET", "/content")),
    Case("content, by redirect", "DownloadFile", _on_file("GET", "/content", stored.LARGE_FILE_ID)),
    Case("presigned URL", "GetFileUrl", _on_file("GET", "/url")),
    Case(
        "create of 1 KiB",
        "CreateFile",
        events.form_call("/v1/files", "file", {"purpose": "user_data"}),
    ),
    Case("create by direct upload", "CreateFile", _direct_upload()),
    Case(
        "finalize",
        "FinalizeFile",
        events.created(f"direct/{stored.PROJECT}/{stored.PENDING_FILE_ID}"),
    ),
    Case("delete", "DeleteFile", _on_file("DELETE")),
    Case("open an upload", "CreateUpload", _open_upload()),
    Case(
        "part of 1 KiB",
        "AddUploadPart",
        events.form_call("/v1/uploads/{upload_id}/parts", "data", {}, _UPLOAD),
    ),
    Case("presigned part", "AddUploadPart", _presigned_part()),
    Case("complete, 3 parts", "CompleteUpload", _complete(stored.UPLOAD_ID)),
    Case("complete, assembled later", "CompleteUpload", _complete(stored.LARGE_UPLOAD_ID)),
    Case(
        "assemble, 3 parts",
        "AssembleUpload",
        {"project": stored.PROJECT, "upload_id": stored.COMPLETED_UPLOAD_ID},
    ),
    Case(
        "cancel, 3 parts",
        "CancelUpload",
        events.call("POST", "/v1/uploads/{upload_id}/cancel", _UPLOAD),
    ),
    Case(
        "fail an assembly",
        "FailAssembly",
        events.failed({"project": stored.PROJECT, "upload_id": stored.COMPLETED_UPLOAD_ID}),
    ),
    Case("purge of 3 items", "Purge", _purge()),
    Case("check of 3 blobs", "CheckBlob", _check()),
    Case("authorize", "Authorize", events.token()),
)
