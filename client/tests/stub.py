"""What the service and its storage keep, as the contract has it, and how they shall fail."""

import hashlib
import itertools
import re
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "sk-of-the-test"
GIB = 1024**3


@dataclass
class Fault:
    """What happens to a request instead of an answer.

    Attributes:
        call: a pattern of "METHOD /path".
        status: of the answer; 0 for a connection that is lost.
        body: of the answer.
        first: whether the request takes effect all the same.
        times: how often.
        after: how many bytes of what is sent or served pass before the connection is lost.
        stalls: whether nothing is said instead, until the end.
    """

    call: str
    status: int
    body: str = '{"error": {"message": "m", "type": "server_error", "param": null, "code": null}}'
    first: bool = False
    times: int = 1
    after: int | None = None
    stalls: bool = False


@dataclass(frozen=True)
class Asked:
    """A request: "METHOD /path", and the rest of it."""

    call: str
    query: str
    heads: Mapping[str, str]
    body: Any


@dataclass
class Stub:
    """What is kept, what was asked, and how the service shall behave."""

    folder: Path
    # How often a file whose bytes are there is answered as it was before it ends as this.
    polls: int = 0
    ends_as: str = "processed"
    base_url: str = ""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    put_sizes: dict[str, int] = field(default_factory=dict)
    # How many parts of a direct upload a page lists at most.
    page: int = 1000
    links_expire_at: int = 2_000_000_000
    # Of every file, as its link says.
    media_type: str = "application/octet-stream"
    calls: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    # By idempotency key: what was asked, and what was answered.
    made: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    # How many bodies of files are being read or served.
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        """Forgets what is kept and what was asked."""
        for each in (self.files, self.uploads, self.put_sizes, self.made, self.calls, self.faults):
            each.clear()

    def asked(self, pattern: str) -> list[str]:
        """The calls that match, in order."""
        return [each.call for each in self.calls if re.fullmatch(pattern, each.call)]

    def told(self, pattern: str) -> list[Any]:
        """The bodies of the calls that match."""
        return [each.body for each in self.calls if re.fullmatch(pattern, each.call)]

    def queries(self, pattern: str) -> list[str]:
        """The queries of the calls that match."""
        return [each.query for each in self.calls if re.fullmatch(pattern, each.call)]

    def digest(self, file_id: str) -> str:
        """SHA-256 of a file's bytes."""
        digest = hashlib.sha256()
        for name in self.files[file_id]["_blobs"]:
            with (self.folder / name).open("rb") as blob:
                while chunk := blob.read(1024**2):
                    digest.update(chunk)
        return digest.hexdigest()

    def add_file(self, asked: Mapping[str, Any], status: str, blobs: list[str]) -> dict[str, Any]:
        file = {key: asked[key] for key in ("bytes", "filename", "purpose")}
        file |= {"id": str(uuid.uuid4()), "object": "file", "created_at": int(time.time())}
        file |= {"status": status, "_blobs": blobs, "_polls": self.polls}
        self.files[file["id"]] = file
        return file

    def keep(self, content: bytes, filename: str) -> str:
        """Makes a file with this content; returns its id."""
        asked = {"bytes": len(content), "filename": filename, "purpose": "user_data"}
        file = self.add_file(asked, "processed", [f"blob-{len(self.files)}"])
        (self.folder / file["_blobs"][0]).write_bytes(content)
        return str(file["id"])

    def add_parts(self, file: dict[str, Any], part_size: int) -> dict[str, Any]:
        """Makes a pending file one that is uploaded in parts; returns how it is."""
        sizes = [
            min(part_size, file["bytes"] - start) for start in range(0, file["bytes"], part_size)
        ]
        file["_blobs"] = [f"{file['id']}.{number}" for number in range(1, len(sizes) + 1)]
        self.put_sizes |= zip(file["_blobs"], sizes, strict=True)
        much = {"part_size": part_size, "parts": len(sizes)}
        return {"method": "PUT", **much, "expires_at": self.links_expire_at}

    def parts(self, file: Mapping[str, Any], after: int, limit: int) -> dict[str, Any]:
        """A page of the parts of a direct upload."""
        limit = min(limit, self.page)
        page = [
            {"object": "file.part", "part_number": number, "bytes": self.put_sizes[name]}
            | self._place(name)
            for number, name in itertools.islice(enumerate(file["_blobs"], 1), after, after + limit)
        ]
        return {"object": "list", "data": page, "has_more": after + limit < len(file["_blobs"])}

    def _place(self, name: str) -> dict[str, Any]:
        if (self.folder / name).exists():
            return {"uploaded": True}
        return {"uploaded": False, "upload": self.link(name, {})}

    def presigned(self, name: str, size: int) -> dict[str, Any]:
        """Where so many bytes are PUT, once."""
        self.put_sizes[name] = size
        headers = {"Content-Type": "application/octet-stream", "If-None-Match": "*"}
        return self.link(name, headers)

    def link(self, name: str, headers: Mapping[str, str]) -> dict[str, Any]:
        store = self.base_url.removesuffix("/v1") + f"/store/{name}?X-Amz-Signature=abc"
        expires_at = self.links_expire_at
        return {"method": "PUT", "url": store, "headers": headers, "expires_at": expires_at}


def public(made: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if not key.startswith("_")}


def error(status: int, param: str | None, code: str | None) -> tuple[int, dict[str, Any]]:
    detail = {"message": "no", "type": "invalid_request_error", "param": param, "code": code}
    return status, {"error": detail}
