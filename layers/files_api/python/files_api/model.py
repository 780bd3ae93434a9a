"""The file object, as the service knows it and as callers see it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

# How long a link takes bytes to begin with, and how long after that they may still be on their way:
# 5 GiB at 4 Mbit/s.
UPLOAD_LINK_SECONDS = 900
TRANSFER_SECONDS = 3 * 3_600
# AWS: what one PUT takes (Amazon S3, "Uploading objects").
MAX_DIRECT_BYTES = 5 * 1024**3
# AWS: how long Lambda lets a function run; what assembles parts is over then, or has begun anew.
ASSEMBLY_RUN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class File:
    """A file's metadata (OpenAI API reference, "The File object").

    Attributes:
        id: a UUID of version 7.
        bytes: exact size of the content.
        created_at: Unix seconds.
        filename: the cleaned name.
        purpose: one of the stack's purposes.
        status: `processed` once its bytes are there; before that `pending` where they are to be
            uploaded, `uploaded` while parts become one; `error` where they cannot.
        expires_at: Unix seconds from which on the file is gone; None for never.
        status_details: what is wrong, with `error`.
        direct: whether its bytes came by direct upload; callers do not see this.
    """

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: str = "processed"
    expires_at: int | None = None
    status_details: str | None = None
    direct: bool = False

    def key(self, project: str) -> str:
        """The key of the file's bytes in the store."""
        return blob_key(project, self.id, direct=self.direct)

    def expired(self, now: float) -> bool:
        """Whether the file is gone at `now` (Unix seconds)."""
        return self.expires_at is not None and self.expires_at <= now

    def public(self) -> dict[str, Any]:
        """The object that callers see. `expires_at` is there only where the file expires."""
        shown: dict[str, Any] = {
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

    def doc(self) -> str:
        """`public()` as JSON text: what the records keep, so that a list only joins texts."""
        return json.dumps(self.public(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_doc(cls, doc: str, *, direct: bool = False) -> "File":
        """The file whose `doc()` this is."""
        fields = json.loads(doc)
        del fields["object"]
        return cls(**fields, direct=direct)


@dataclass(frozen=True, slots=True)
class Pending:
    """A file that was promised and is not there yet.

    Attributes:
        file: as it will be, but for its status.
        expires_at: Unix seconds from which on the promise is off.
        begun_at: of a file in parts: Unix seconds when its assembly was last begun.
        checked: of a file in parts: whether these have the MD5 that they should have.
    """

    file: File
    expires_at: int
    begun_at: int | None = None
    checked: bool = False

    def off(self, now: float) -> bool:
        """Whether the promise is off at `now` (Unix seconds)."""
        return self.expires_at <= now

    @property
    def in_parts(self) -> bool:
        """Whether the bytes are there, in parts that are yet to become one."""
        return self.file.status == "uploaded"

    def waits(self, now: float) -> bool:
        """Whether the file's parts wait at `now` (Unix seconds), and nobody assembles them."""
        return self.in_parts and (self.begun_at or 0) + ASSEMBLY_RUN_SECONDS <= now

    def failed(self, reason: str) -> "Pending":
        """The same, of a file that will never be there."""
        return replace(self, file=replace(self.file, status="error", status_details=reason))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that comes in parts (OpenAI API reference, "The upload object").

    Attributes:
        id: a UUID of version 7.
        bytes: what the parts must add up to.
        created_at: Unix seconds.
        filename: the cleaned name.
        purpose: one of the stack's purposes.
        mime_type: as the caller says; kept, and not used: content is always served alike.
        expires_at: Unix seconds until which parts are taken; late ones put that off.
        lifetime: seconds that the file will live; None for what is usual for the purpose.
        status: `pending`, `completed` or `cancelled`.
        file_id: the file that it became.
        part_ids: the parts that it became that file of, in order.
        md5: of the content, in hex, where the caller wants it checked.
    """

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    mime_type: str
    expires_at: int
    lifetime: int | None = None
    status: str = "pending"
    file_id: str | None = None
    part_ids: tuple[str, ...] = ()
    md5: str | None = None

    def status_at(self, now: float) -> str:
        """The status at `now` (Unix seconds): a pending upload expires."""
        return "expired" if self.status == "pending" and self.expires_at <= now else self.status

    def public(self, file: File | None = None) -> dict[str, Any]:
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
            "file": file and file.public(),
        }


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

    def public(self) -> dict[str, Any]:
        """The object that callers see."""
        return {
            "id": self.id,
            "object": "upload.part",
            "created_at": self.created_at,
            "upload_id": self.upload_id,
        }


@dataclass(frozen=True, slots=True)
class Link:
    """A presigned URL.

    Attributes:
        url: what to GET, or to PUT to.
        expires_at: Unix seconds until which it may be used.
        headers: what must be sent along, to the letter.
    """

    url: str
    expires_at: int
    headers: dict[str, str] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """The object that callers see."""
        return {"url": self.url, "headers": self.headers, "expires_at": self.expires_at}


INLINE, DIRECT, PARTS = "files", "direct", "parts"  # the prefixes of keys


def part_key(project: str, upload_id: str, part_id: str) -> str:
    """Where a part's bytes are."""
    return f"{PARTS}/{project}/{upload_id}/{part_id}"


def blob_key(project: str, file_id: str, *, direct: bool) -> str:
    """Where a file's bytes are: what came through a function apart from what came directly."""
    return f"{DIRECT if direct else INLINE}/{project}/{file_id}"


def part_keys(project: str, upload_id: str, part_ids: Iterable[str]) -> list[str]:
    """Where the bytes of several parts are, in their order."""
    return [part_key(project, upload_id, part_id) for part_id in part_ids]


@dataclass(frozen=True, slots=True)
class FileKey:
    """What a `blob_key` says."""

    project: str
    file_id: str
    direct: bool


@dataclass(frozen=True, slots=True)
class PartKey:
    """What a `part_key` says."""

    project: str
    upload_id: str
    part_id: str


def parse_key(key: str) -> FileKey | PartKey:
    """Whose bytes are under a key. Raises ValueError for one that is not of ours."""
    prefix, project, *ids = key.split("/")
    if prefix == PARTS and len(ids) == 2:
        return PartKey(project, *ids)
    if prefix in (INLINE, DIRECT) and len(ids) == 1:
        return FileKey(project, ids[0], prefix == DIRECT)
    raise ValueError("no key of a file's or a part's bytes")
