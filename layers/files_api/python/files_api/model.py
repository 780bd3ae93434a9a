"""The file object, as the service knows it and as callers see it."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class File:
    """A file's metadata (OpenAI API reference, "The File object").

    Attributes:
        id: a UUID of version 7.
        bytes: exact size of the content.
        created_at: Unix seconds.
        filename: the cleaned name.
        purpose: one of the stack's purposes.
        status: `processed` once its bytes are there, `pending` before that.
        expires_at: Unix seconds from which on the file is gone; None for never.
        direct: whether its bytes came by direct upload; callers do not see this.
    """

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: str = "processed"
    expires_at: int | None = None
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
    """A file that was promised and whose bytes have not come yet.

    Attributes:
        file: as it will be, but for its status.
        expires_at: Unix seconds from which on the promise is off.
    """

    file: File
    expires_at: int


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


INLINE, DIRECT = "files", "direct"  # the prefixes of keys


def parse_blob_key(key: str) -> tuple[str, str, bool]:
    """The project, the file's id, and whether the bytes came directly: `blob_key` backwards."""
    prefix, project, file_id = key.split("/")
    return project, file_id, prefix == DIRECT


def blob_key(project: str, file_id: str, *, direct: bool) -> str:
    """Where a file's bytes are: what came through a function apart from what came directly."""
    return f"{DIRECT if direct else INLINE}/{project}/{file_id}"
