"""The file object, as the service knows it and as callers see it."""

import json
from dataclasses import dataclass
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
        status: `processed` once its bytes are there.
        expires_at: Unix seconds from which on the file is gone; None for never.
    """

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: str = "processed"
    expires_at: int | None = None

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
    def from_doc(cls, doc: str) -> "File":
        """The file whose `doc()` this is."""
        fields = json.loads(doc)
        del fields["object"]
        return cls(**fields)
