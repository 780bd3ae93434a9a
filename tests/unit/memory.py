"""The ports in memory: what the AWS adapters promise, in as few lines as it takes."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from files_api.keys import Key
from files_api.model import File, Link, Pending
from files_api.ports import Query
from files_api.records import Removed
from files_api.segments import MIN_PART_BYTES, Segment
from tests.unit.samples import Clock


class MemoryRecords:
    """`ports.Records` in a dict, of a file's two items and a promise's one.

    Attributes:
        stream: what has been removed, as the table's stream would tell it.
    """

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], File | Pending] = {}
        self.stream: list[Removed] = []

    def add(self, project: str, file: File) -> None:
        for sort_key in _sort_keys(file):
            self._items[project, sort_key] = file

    def get(self, project: str, file_id: str) -> File | None:
        item = self._items.get((project, f"F#{file_id}"))
        assert not isinstance(item, Pending)
        return item

    def docs(self, query: Query) -> list[str]:
        prefix = f"P#{query.purpose}#" if query.purpose else "F#"
        found = [
            item
            for (project, sort_key), item in self._items.items()
            if project == query.project
            and sort_key.startswith(prefix)
            and isinstance(item, File)
            and not item.expired(query.now)
        ]
        found.sort(key=lambda file: file.id, reverse=query.newest_first)
        if query.after is not None:
            after = query.after
            found = [f for f in found if (f.id < after if query.newest_first else f.id > after)]
        return [file.doc() for file in found[: query.limit]]

    def remove(self, project: str, file: File) -> bool:
        main, twin = _sort_keys(file)
        if not self._pop(project, main):
            return False
        self._pop(project, twin)
        return True

    def promise(self, project: str, pending: Pending) -> None:
        self._items[project, f"U#{pending.file.id}"] = pending

    def pending(self, project: str, file_id: str) -> Pending | None:
        item = self._items.get((project, f"U#{file_id}"))
        assert not isinstance(item, File)
        return item

    def amend(self, project: str, pending: Pending) -> bool:
        if not self._stands(project, pending.file.id):
            return False
        self.promise(project, pending)
        return True

    def keep(self, project: str, file: File) -> bool:
        if not self._stands(project, file.id):
            return False
        self._pop(project, f"U#{file.id}")
        self.add(project, file)
        return True

    def _stands(self, project: str, file_id: str) -> bool:
        pending = self.pending(project, file_id)
        return pending is not None and pending.file.status != "error"

    def drop(self, project: str, file_id: str) -> bool:
        return self._pop(project, f"U#{file_id}")

    def remove_rest(self, project: str, file: File) -> None:
        for sort_key in _sort_keys(file):
            self._pop(project, sort_key)

    def items(self) -> list[tuple[str, str]]:
        """The project and the sort key of each item."""
        return list(self._items)

    def sweep(self, item: tuple[str, str], now: float) -> None:
        """Removes an item if it is expired, as the table's TTL does some time, or other."""
        found = self._items.get(item)
        if found and found.expires_at is not None and found.expires_at <= now:
            self._pop(*item)

    def _pop(self, project: str, sort_key: str) -> bool:
        item = self._items.pop((project, sort_key), None)
        if item is None:
            return False
        promised = isinstance(item, Pending)
        file = item.file if isinstance(item, Pending) else item
        self.stream.append(Removed(project, file, promised))
        return True


def _sort_keys(file: File) -> tuple[str, str]:
    return f"F#{file.id}", f"P#{file.purpose}#{file.id}"


@dataclass(frozen=True)
class _Offer:
    """What a link takes."""

    key: str
    size: int
    sha256: str | None
    expires_at: int


class MemoryBlobs:
    """`ports.Blobs` in a dict.

    Attributes:
        created: the keys that have come to be, as storage events would tell them.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or Clock()
        self._contents: dict[str, bytes] = {}
        self._offers: dict[str, _Offer] = {}
        self._number = count()
        self.created: list[str] = []

    def put(self, key: str, content: bytes) -> None:
        self._contents[key] = content
        self.created.append(key)

    def get(self, key: str) -> bytes | None:
        return self._contents.get(key)

    def size(self, key: str) -> int | None:
        content = self._contents.get(key)
        return None if content is None else len(content)

    def delete(self, key: str) -> None:
        self._contents.pop(key, None)

    def sizes(self, prefix: str) -> dict[str, int]:
        found = self._contents.items()
        return {key: len(content) for key, content in found if key.startswith(prefix)}

    def md5(self, keys: list[str]) -> str:
        content = b"".join(self._contents[key] for key in keys)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def assemble(
        self,
        key: str,
        segments: list[Segment],
        until: float,
        *,
        again: bool = False,  # noqa: ARG002  nothing is ever begun here
    ) -> bool:
        if self._clock() >= until:
            return False
        if any(sum(map(len, segment)) < MIN_PART_BYTES for segment in segments[:-1]):
            raise ValueError("S3: EntityTooSmall")
        pieces = [piece for segment in segments for piece in segment]
        self.put(key, b"".join(self._contents[each.key][each.start : each.end] for each in pieces))
        return True

    def abandon(self, key: str) -> None:
        """Nothing is left unfinished here."""

    def put_link(self, key: str, size: int, sha256: str | None, lifetime: int) -> Link:
        url = f"memory:put/{key}?{next(self._number)}"
        expires_at = int(self._clock()) + lifetime
        self._offers[url] = _Offer(key, size, sha256 and sha256.lower(), expires_at)
        return Link(url, expires_at, {"If-None-Match": "*"})

    def get_link(self, key: str, filename: str, lifetime: int) -> Link:
        return Link(f"memory:get/{key}?{filename}", int(self._clock()) + lifetime)

    def keys(self) -> set[str]:
        """Where there are bytes."""
        return set(self._contents)

    def upload(self, link: Link, content: bytes) -> bool:
        """PUTs bytes to a link; whether it took them."""
        offer = self._offers[link.url]
        if (
            offer.key in self._contents
            or len(content) != offer.size
            or offer.sha256 not in (None, hashlib.sha256(content).hexdigest())
            or offer.expires_at <= self._clock()
        ):
            return False
        self.put(offer.key, content)
        return True


class MemoryKeyStore:
    """`keys.KeyStore` in a dict."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    def get(self, key_hash: str) -> Key | None:
        return self._keys.get(key_hash)

    def put(self, key: Key) -> None:
        self._keys[key.hash] = key

    def all(self) -> Iterator[Key]:
        yield from list(self._keys.values())
