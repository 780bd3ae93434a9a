"""The objects that callers see. `openapi.json` describes them in these words."""

from typing import Literal, NotRequired, TypedDict

type FileStatus = Literal["pending", "uploaded", "processed", "error"]
type UploadStatus = Literal["pending", "completed", "cancelled"]

# --- How to send bytes ----------------------------------------------------------------------------


class PresignedPut(TypedDict):
    """How to send the bytes of a file, or of a part, straight to S3."""

    method: Literal["PUT"]
    url: str
    """A presigned URL. S3 takes exactly the announced bytes there, once."""
    headers: dict[str, str]
    """Headers to send exactly as they are."""
    expires_at: int
    """The time by which the PUT must begin, in Unix seconds."""


class PresignedParts(TypedDict):
    """How to send the bytes of a file in parts: `GET /v1/files/{file_id}/parts` has their URLs."""

    method: Literal["PUT"]
    part_size: int
    """Bytes of each part but the last."""
    parts: int
    """How many parts there are."""
    expires_at: int
    """The time by which all parts must have arrived, in Unix seconds."""


# --- Files ----------------------------------------------------------------------------------------


class FileObject(TypedDict):
    """A file."""

    id: str
    """A UUID of version 7, in lower case."""
    object: Literal["file"]
    bytes: int
    """The exact size of the content."""
    created_at: int
    """When the id was created, in Unix seconds."""
    filename: str
    """The name as sent, without directories, control characters and leading dots."""
    purpose: str
    """One of the deployment's purposes."""
    status: FileStatus
    """`processed` once the content is in place. Before that `pending` while a direct upload has no
    bytes, `uploaded` while the parts of an upload are assembled, `error` if they could not be."""
    expires_at: NotRequired[int]
    """When the file expires, in Unix seconds; only if it does."""
    status_details: NotRequired[str]
    """The reason, only with status `error`."""


class PendingFileObject(FileObject):
    """A file whose bytes the client sends straight to S3."""

    upload: PresignedPut | PresignedParts
    """How to send them."""


class FileList(TypedDict):
    """A page of files."""

    object: Literal["list"]
    data: list[FileObject]
    first_id: str | None
    """The id of the first file of the page; `null` if there is none."""
    last_id: str | None
    """The id of the last one, behind which the next page continues (`after`)."""
    has_more: bool
    """Whether another page follows."""


class FileDeleted(TypedDict):
    """A file that is gone."""

    id: str
    object: Literal["file"]
    deleted: Literal[True]


class FileUrl(TypedDict):
    """A link to the bytes of a file."""

    url: str
    """A presigned URL: whoever has it can download the file."""
    expires_at: int
    """When it stops working, in Unix seconds."""


class FilePartObject(TypedDict):
    """A part of a direct upload."""

    object: Literal["file.part"]
    part_number: int
    """From 1 on."""
    bytes: int
    """Its size."""
    uploaded: bool
    """Whether it has arrived."""
    upload: NotRequired[PresignedPut]
    """How to send it, if it has not."""


class FilePartList(TypedDict):
    """A page of the parts of a direct upload, in the order of their numbers."""

    object: Literal["list"]
    data: list[FilePartObject]
    has_more: bool
    """Whether another page follows."""


# --- Uploads --------------------------------------------------------------------------------------


class UploadObject(TypedDict):
    """A file that is sent in parts."""

    id: str
    """A UUID of version 7, in lower case."""
    object: Literal["upload"]
    bytes: int
    """The total size of its parts."""
    created_at: int
    """When it was created, in Unix seconds."""
    filename: str
    """The name of the file, as `File` has it."""
    purpose: str
    """The purpose of the file."""
    status: UploadStatus
    expires_at: int
    """Until when parts are accepted, in Unix seconds; late parts extend it."""
    file: FileObject | None
    """The file that it has become; `null` until it is completed."""


class UploadPartObject(TypedDict):
    """A part of an upload."""

    id: str
    """A UUID of version 7, in lower case."""
    object: Literal["upload.part"]
    created_at: int
    """When it was created, in Unix seconds."""
    upload_id: str
    """The upload that it belongs to."""


class PresignedPartObject(UploadPartObject):
    """A part whose bytes the client sends straight to S3."""

    upload: PresignedPut
    """How to send them."""


# --- Usage ----------------------------------------------------------------------------------------


class ProjectLimits(TypedDict):
    """What a project may store; `null` for no limit."""

    files: int | None
    """How many files."""
    bytes: int | None
    """Bytes of all of them."""


class UsageLimits(ProjectLimits):
    """What a project may store; `null` for no limit."""

    file_bytes: int
    """Bytes of one file."""


class UsageObject(TypedDict):
    """What a project stores."""

    object: Literal["usage"]
    project: str
    """Its name."""
    files: int
    """How many files."""
    bytes: int
    """Bytes of all of them."""
    limits: UsageLimits


# --- Errors ---------------------------------------------------------------------------------------


class ErrorFields(TypedDict):
    """What went wrong."""

    message: str
    """A sentence for people."""
    type: str
    """OpenAI's class of error."""
    param: str | None
    """The field that caused it, if one did."""
    code: str | None
    """A constant for programs to act on, if there is one."""


class ErrorObject(TypedDict):
    """An error: whatever fails is answered in this form."""

    error: ErrorFields
