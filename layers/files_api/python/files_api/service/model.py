"""Files, uploads and parts: as the service knows them, and as callers see them."""

import json
from dataclasses import dataclass, field, replace

from files_api.service.blob_keys import FileBlob
from files_api.service.media_types import of_name
from files_api.service.objects import (
    FileObject,
    FileStatus,
    PresignedPut,
    UploadObject,
    UploadPartObject,
    UploadStatus,
)

# How long a presigned PUT may start, and how long after that its bytes may still be in transfer:
# 5 GiB at 4 Mbit/s.
PUT_URL_SECONDS = 900
TRANSFER_SECONDS = 3 * 3_600
# AWS: the largest body of one PUT, and so of a part (Amazon S3, "Uploading objects").
MAX_DIRECT_BYTES = 5 * 1024**3
# How long the parts of a direct upload may take to arrive.
DIRECT_PARTS_SECONDS = 3 * 86_400
# AWS: how long one run of a function may take (AWS Lambda, "Lambda quotas"). After that, a run that
# assembles parts has ended, or has started the next one.
ASSEMBLY_RUN_SECONDS = 900
# How long the call that completes an upload may take until it has assembled the parts, or has
# started the first run.
COMPLETION_SECONDS = 60
# How long an assembly may take, all runs together, before the pending file expires.
ASSEMBLY_SECONDS = 24 * 3_600
# How long an upload may live, however many parts extend it, and so how long its parts may.
MAX_UPLOAD_SECONDS = 7 * 86_400
PART_LIFETIME_SECONDS = MAX_UPLOAD_SECONDS + TRANSFER_SECONDS + ASSEMBLY_SECONDS
# How many parts may be added to an upload, including those that are sent again.
MAX_ADDED_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a caller asks for.

    Attributes:
        filename: the name as sent.
        purpose: what the file is for; `Limits` knows which purposes there are.
        size: bytes of content.
        lifetime: seconds until the file expires. None means the default until `Limits` has accepted
            the file, then never.
        mime_type: media type as the caller says, if any.
    """

    filename: str
    purpose: str
    size: int
    lifetime: int | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file's metadata (OpenAI API reference, "The File object").

    Attributes:
        id: a UUID of version 7.
        bytes: exact size of the content.
        created_at: Unix seconds.
        filename: the cleaned name.
        purpose: one of the deployment's purposes.
        status: `processed` once the content is in place. Before that `pending` while a direct
            upload has no bytes, `uploaded` while parts are assembled, `error` if that failed.
        expires_at: Unix seconds from which on the file is gone; None for never.
        status_details: the reason for `error`.
        direct: whether the client PUTs the content to S3; callers do not see this field.
        mime_type: media type as the client says, if it does; callers do not see this field.
    """

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: FileStatus = "processed"
    expires_at: int | None = None
    status_details: str | None = None
    direct: bool = False
    mime_type: str | None = None

    @property
    def media_type(self) -> str:
        """The media type of the content: as the client says, else by the name."""
        return self.mime_type or of_name(self.filename)

    def blob_key(self, project: str) -> str:
        """Where the file's bytes are stored."""
        return FileBlob(project, self.id, self.direct).key

    def expired(self, now: float) -> bool:
        """Whether the file is gone at `now` (Unix seconds)."""
        return self.expires_at is not None and self.expires_at <= now

    def public(self) -> FileObject:
        """The object that callers see. `expires_at` is present only if the file expires."""
        shown: FileObject = {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": self.status,
        }
        if self.expires_at is not None:
            shown["expires_at"] = self.expires_at
        if self.status_details is not None:
            shown["status_details"] = self.status_details
        return shown

    def public_json(self) -> str:
        """`public()` as JSON text: stored as it is, so that a list only joins texts."""
        return json.dumps(self.public(), ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file that has an id, but whose content is not in place yet.

    Attributes:
        file: the file, with status `pending`, `uploaded` or `error`.
        expires_at: Unix seconds from which on it can no longer become a processed file.
        assembly_started_at: Unix seconds when the last run that assembles its parts started.
        md5_checked: whether its parts are known to have the requested MD5.
        part_size: bytes of each part but the last, of a direct upload in parts.
        multipart_id: the store's id of that upload.
    """

    file: File
    expires_at: int
    assembly_started_at: int | None = None
    md5_checked: bool = False
    part_size: int | None = None
    multipart_id: str | None = None

    def expired(self, now: float) -> bool:
        """Whether it is too late, at `now` (Unix seconds), for the content to arrive."""
        return self.expires_at <= now

    @property
    def assembling(self) -> bool:
        """Whether all bytes are stored, as parts that have yet to be assembled."""
        return self.file.status == "uploaded"

    def assembly_stalled(self, now: float) -> bool:
        """Whether parts are waiting at `now` (Unix seconds) and no run is assembling them."""
        return self.assembling and (self.assembly_started_at or 0) + ASSEMBLY_RUN_SECONDS <= now

    def completing(self, now: float) -> bool:
        """Whether the call that completed the upload may still be at it at `now` (Unix seconds)."""
        return self.assembly_started_at is None and now < self.file.created_at + COMPLETION_SECONDS

    def failed(self, reason: str) -> "PendingFile":
        """The same file, with status `error` for good."""
        return replace(self, file=replace(self.file, status="error", status_details=reason))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent in parts (OpenAI API reference, "The upload object").

    Attributes:
        id: a UUID of version 7.
        bytes: the total size of the parts.
        created_at: Unix seconds.
        filename: the cleaned name.
        purpose: one of the deployment's purposes.
        mime_type: media type as the caller says.
        expires_at: Unix seconds until which parts are accepted; late parts extend it.
        lifetime: seconds that the file will live; None for no end.
        status: `pending`, `completed` or `cancelled`.
        file_id: the file that the upload became.
        part_ids: the parts of that file, in order.
        md5: the content's expected MD5 in hex, if the caller wants it checked.
    """

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    mime_type: str
    expires_at: int
    lifetime: int | None = None
    status: UploadStatus = "pending"
    file_id: str | None = None
    part_ids: tuple[str, ...] = ()
    md5: str | None = None

    def status_at(self, now: float) -> str:
        """The status at `now` (Unix seconds): a pending upload expires."""
        return "expired" if self.status == "pending" and self.expires_at <= now else self.status

    @property
    def max_part_bytes(self) -> int:
        """How many bytes may be added in parts, including those that are sent again."""
        return self.bytes + self.bytes // 2

    def new_file(self) -> NewFile:
        """The file that the caller asked for."""
        return NewFile(self.filename, self.purpose, self.bytes, self.lifetime, self.mime_type)

    def public(self, file: File | None = None) -> UploadObject:
        """The object that callers see."""
        return {
            "id": self.id,
            "object": "upload",
            "bytes": self.bytes,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": self.status,
            "expires_at": self.expires_at,
            "file": file.public() if file else None,
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project stores: its files, those that have expired and are not yet deleted included.

    Attributes:
        files: how many.
        bytes: of all of them.
    """

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload (OpenAI API reference, "The upload part object").

    Attributes:
        id: a UUID of version 7.
        upload_id: the upload that it belongs to.
        bytes: its size.
        created_at: Unix seconds.
    """

    id: str
    upload_id: str
    bytes: int
    created_at: int

    def public(self) -> UploadPartObject:
        """The object that callers see."""
        return {
            "id": self.id,
            "object": "upload.part",
            "created_at": self.created_at,
            "upload_id": self.upload_id,
        }


@dataclass(frozen=True, slots=True)
class PresignedUrl:
    """A URL that grants one request to the store.

    Attributes:
        url: where to send a GET or a PUT.
        expires_at: Unix seconds until which it may be used.
        headers: headers that the request must carry, exactly as given.
    """

    url: str
    expires_at: int
    headers: dict[str, str] = field(default_factory=dict)

    def put(self) -> PresignedPut:
        """How to PUT the bytes, as callers see it."""
        return {
            "method": "PUT",
            "url": self.url,
            "headers": self.headers,
            "expires_at": self.expires_at,
        }
