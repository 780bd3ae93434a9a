"""Blobs in memory, and an assembler of them."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count

from files_api.service.media_types import UNKNOWN
from files_api.service.model import PresignedUrl
from files_api.service.segments import MIN_PART_BYTES, Segment
from tests.support.samples import Clock


@dataclass(frozen=True)
class _Put:
    """What a presigned URL accepts."""

    key: str
    size: int
    sha256: str | None
    expires_at: int


class MemoryBlobs:
    """`ports.Blobs` in a dict.

    Attributes:
        created: the keys of new blobs, as storage events would report them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._contents: dict[str, bytes] = {}
        self._puts: dict[str, _Put] = {}
        self._number = count()
        self.created: list[str] = []

    def put(self, key: str, content: bytes) -> None:
        self._contents[key] = content
        self.created.append(key)

    def get(self, key: str) -> bytes | None:
        return self._contents.get(key)

    def read(self, key: str) -> tuple[bytes, str] | None:
        content = self.get(key)
        if content is None:
            return None
        return content, f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'

    def size(self, key: str) -> int | None:
        content = self._contents.get(key)
        return None if content is None else len(content)

    def sizes(self, prefix: str) -> dict[str, int]:
        found = self._contents.items()
        return {key: len(content) for key, content in found if key.startswith(prefix)}

    def md5(self, keys: list[str]) -> str:
        content = b"".join(self._contents[key] for key in keys)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def delete(self, key: str) -> None:
        self._contents.pop(key, None)

    def delete_all(self, keys: Collection[str]) -> set[str]:
        for key in keys:
            self.delete(key)
        return set()

    def presign_put(self, key: str, size: int, sha256: str | None, lifetime: int) -> PresignedUrl:
        url = f"memory:put/{key}?{next(self._number)}"
        expires_at = int(self._clock()) + lifetime
        self._puts[url] = _Put(key, size, sha256 and sha256.lower(), expires_at)
        return PresignedUrl(url, expires_at, {"If-None-Match": "*"})

    def presign_get(
        self,
        key: str,
        filename: str,
        lifetime: int,
        media_type: str = UNKNOWN,
        *,
        head: bool = False,
    ) -> PresignedUrl:
        url = f"memory:{'head' if head else 'get'}/{key}?{filename}"
        if media_type != UNKNOWN:
            url += f"&{media_type}"
        return PresignedUrl(url, int(self._clock()) + lifetime)

    def keys(self) -> set[str]:
        """Where there are bytes."""
        return set(self._contents)

    def send(self, url: PresignedUrl, content: bytes) -> bool:
        """PUTs bytes to a presigned URL; returns whether it accepts them."""
        put = self._puts[url.url]
        if (
            put.key in self._contents
            or len(content) != put.size
            or put.sha256 not in (None, hashlib.sha256(content).hexdigest())
            or put.expires_at <= self._clock()
        ):
            return False
        self.put(put.key, content)
        return True


class MemoryDirectParts:
    """`ports.DirectParts` on blobs in memory."""

    def __init__(self, blobs: MemoryBlobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock
        self._number = count()
        self._uploads: dict[tuple[str, str], dict[int, bytes]] = {}
        self._links: dict[str, tuple[str, str, int, int, int]] = {}

    def begin(self, key: str) -> str:
        multipart_id = f"multipart-{next(self._number)}"
        self._uploads[key, multipart_id] = {}
        return multipart_id

    def presign(
        self, key: str, multipart_id: str, number: int, size: int, lifetime: int
    ) -> PresignedUrl:
        url = f"memory:part/{key}?{next(self._number)}"
        expires_at = int(self._clock()) + lifetime
        self._links[url] = key, multipart_id, number, size, expires_at
        return PresignedUrl(url, expires_at)

    def sizes(self, key: str, multipart_id: str, *, after: int, limit: int) -> dict[int, int]:
        parts = self._uploads.get((key, multipart_id), {})
        found = [number for number in sorted(parts) if number > after]
        return {number: len(parts[number]) for number in found[:limit]}

    def complete(self, key: str, multipart_id: str, sizes: Mapping[int, int]) -> bool:
        parts = self._uploads.get((key, multipart_id))
        if parts is None:
            return self._blobs.size(key) == sum(sizes.values())
        if {number: len(parts[number]) for number in parts} != sizes:
            return False
        del self._uploads[key, multipart_id]
        self._blobs.put(key, b"".join(parts[number] for number in sorted(parts)))
        return True

    def abort(self, key: str, multipart_id: str) -> None:
        self._uploads.pop((key, multipart_id), None)

    def send(self, url: PresignedUrl, content: bytes) -> bool:
        """PUTs bytes to a presigned URL; returns whether it accepts them."""
        key, multipart_id, number, size, expires_at = self._links[url.url]
        parts = self._uploads.get((key, multipart_id))
        if parts is None or len(content) != size or expires_at <= self._clock():
            return False
        parts[number] = content
        return True

    def unfinished(self) -> set[str]:
        """The keys of the uploads that are neither completed nor aborted."""
        return {key for key, _ in self._uploads}


class MemoryAssembler:
    """`ports.Assembler` on blobs in memory."""

    def __init__(self, blobs: MemoryBlobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock

    def assemble(
        self,
        key: str,
        segments: list[Segment],
        deadline: float,
        *,
        resume: bool = False,  # noqa: ARG002  nothing is ever unfinished here
    ) -> bool:
        if self._clock() >= deadline:
            return False
        if any(sum(map(len, segment)) < MIN_PART_BYTES for segment in segments[:-1]):
            raise ValueError("S3: EntityTooSmall")
        contents = []
        for piece in (piece for segment in segments for piece in segment):
            content = self._blobs.get(piece.key)
            if content is None:
                raise KeyError(piece.key)  # deleted while it was read
            contents.append(content[piece.start : piece.end])
        self._blobs.put(key, b"".join(contents))
        return True

    def abort(self, key: str) -> None:
        """Nothing is ever unfinished here."""
