"""What the service and its storage keep, as the contract has it, and how they shall fail."""

import hashlib
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
    """

    call: str
    status: int
    body: str = '{"error": {"message": "m", "type": "server_error", "param": null, "code": null}}'
    first: bool = False
    times: int = 1


@dataclass
class Stub:
    """What is kept, what was asked, and how the service shall behave."""

    folder: Path
    put_limit: int = 5 * GIB
    has_uploads: bool = True
    # How often a file that was assembled is answered `uploaded` before it ends as this.
    polls: int = 0
    ends_as: str = "processed"
    base_url: str = ""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    put_sizes: dict[str, int] = field(default_factory=dict)
    calls: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, pattern: str) -> list[str]:
        """The calls that match, in order."""
        return [call for call, _, _ in self.calls if re.fullmatch(pattern, call)]

    def told(self, pattern: str) -> list[Any]:
        """The bodies of the calls that match."""
        return [body for call, _, body in self.calls if re.fullmatch(pattern, call)]

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

    def presigned(self, name: str, size: int) -> dict[str, Any]:
        self.put_sizes[name] = size
        store = self.base_url.removesuffix("/v1") + f"/store/{name}?X-Amz-Signature=abc"
        headers = {"Content-Type": "application/octet-stream", "If-None-Match": "*"}
        return {"method": "PUT", "url": store, "headers": headers, "expires_at": 2_000_000_000}


def public(made: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if not key.startswith("_")}


def error(status: int, param: str | None, code: str | None) -> tuple[int, dict[str, Any]]:
    detail = {"message": "no", "type": "invalid_request_error", "param": param, "code": code}
    return status, {"error": detail}
