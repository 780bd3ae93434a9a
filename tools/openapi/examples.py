"""Examples of what callers send and see. The code itself makes the objects, so they are true."""

import json
from dataclasses import replace
from typing import Any, Final

from files_api.service.ids import creation_time
from files_api.service.listing import Page
from files_api.service.model import DIRECT_PARTS_SECONDS, File, Part, PresignedUrl, Upload
from files_api.service.part_listing import FilePart, PartPage
from files_api.service.part_plan import PartPlan
from tools.openapi.errors import ID

_MIB: Final = 1024**2
_MADE: Final = creation_time(ID)
_STORE: Final = "https://files-api-filesbucket-1a2b3c.s3.eu-central-1.amazonaws.com"
_SIGNATURE: Final = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=2b0c"

_FILE: Final = File(ID, _MIB, _MADE, "report.pdf", "assistants")
_PENDING: Final = replace(_FILE, status="pending")
_PART: Final = Part("01a204b8-a1c0-7d3e-9b55-0c8f2f6de101", ID, _MIB, _MADE + 3)
_UPLOAD: Final = Upload(
    ID, _MIB, _MADE, "report.pdf", "assistants", "application/pdf", _MADE + 3_600
)
_FILE_OF_UPLOAD: Final = replace(
    _FILE, id="01a204b8-b937-7f60-8a7d-5d1c46a2f202", created_at=_MADE + 9
)
_PLAN: Final = PartPlan(12 * _MIB, 8 * _MIB)


def _put(path: str, **headers: str) -> PresignedUrl:
    return PresignedUrl(f"{_STORE}/{path}?{_SIGNATURE}", _MADE + 900, headers)


_WHOLE: Final = {"Content-Type": "application/octet-stream", "If-None-Match": "*"}
_LINKS: Final = [_put(f"direct/acme/{ID}", **_WHOLE), _put(f"parts/acme/{ID}/{_PART.id}", **_WHOLE)]

# What calls answer, by the name of their function.
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "create_file": {
        "Processed": _FILE.public(),
        "DirectUpload": {**_PENDING.public(), "upload": _LINKS[0].put()},
        "DirectUploadInParts": {
            **replace(_PENDING, bytes=_PLAN.size).public(),
            "upload": _PLAN.public(_MADE + DIRECT_PARTS_SECONDS),
        },
    },
    "list_files": {"Page": json.loads(Page([_FILE.public_json()], has_more=False).json())},
    "retrieve_file": {"File": _FILE.public()},
    "get_file_url": {"Url": {"url": _LINKS[0].url, "expires_at": _MADE + 900}},
    "list_file_parts": {
        "Page": PartPage(
            [
                FilePart(1, _PLAN.size_of(1), None),
                FilePart(2, _PLAN.size_of(2), _put(f"direct/acme/{ID}")),
            ],
            has_more=False,
        ).public()
    },
    "delete_file": {"Deleted": {"id": ID, "object": "file", "deleted": True}},
    "create_upload": {"Upload": _UPLOAD.public()},
    "add_upload_part": {
        "Part": _PART.public(),
        "PresignedPart": {**_PART.public(), "upload": _LINKS[1].put()},
    },
    "complete_upload": {
        "Upload": replace(_UPLOAD, status="completed").public(_FILE_OF_UPLOAD),
    },
    "cancel_upload": {"Upload": replace(_UPLOAD, status="cancelled").public()},
    "get_usage": {
        "Usage": {
            "object": "usage",
            "project": "acme",
            "files": 12,
            "bytes": 12 * _MIB,
            "limits": {"files": None, "bytes": None, "file_bytes": 512 * _MIB},
        }
    },
}

_NEW: Final = {"filename": _FILE.filename, "purpose": _FILE.purpose, "bytes": _FILE.bytes}
_MONTH: Final = {"anchor": "created_at", "seconds": 30 * 86_400}
# What calls are sent, by the name of the body.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "DirectUpload": {
        "Whole": _NEW | {"expires_after": _MONTH},
        "InParts": _NEW | {"bytes": _PLAN.size, "part_size": _PLAN.part_size},
    },
    "NewUpload": {"Upload": _NEW | {"mime_type": _UPLOAD.mime_type}},
    "PresignedPart": {"Part": {"bytes": _PART.bytes}},
    "CompleteUpload": {"Parts": {"part_ids": [_PART.id]}},
}


def examples(values: dict[str, Any]) -> dict[str, Any]:
    """The same as `examples` of a media type."""
    return {name: {"value": value} for name, value in values.items()}
