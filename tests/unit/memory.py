"""The ports in memory: what the AWS adapters promise, in as few lines as it takes."""

from collections.abc import Iterator

from files_api.keys import Key
from files_api.model import File
from files_api.ports import Query


class MemoryRecords:
    """`ports.Records` in a dict."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], File] = {}

    def add(self, project: str, file: File) -> None:
        self._files[project, file.id] = file

    def get(self, project: str, file_id: str) -> File | None:
        return self._files.get((project, file_id))

    def docs(self, query: Query) -> list[str]:
        found = [
            file
            for (project, _), file in self._files.items()
            if project == query.project
            and query.purpose in (None, file.purpose)
            and not file.expired(query.now)
        ]
        found.sort(key=lambda file: file.id, reverse=query.newest_first)
        if query.after is not None:
            after = query.after
            found = [f for f in found if (f.id < after if query.newest_first else f.id > after)]
        return [file.doc() for file in found[: query.limit]]

    def remove(self, project: str, file: File) -> bool:
        return self._files.pop((project, file.id), None) is not None


class MemoryBlobs:
    """`ports.Blobs` in a dict."""

    def __init__(self) -> None:
        self._contents: dict[tuple[str, str], bytes] = {}

    def put(self, project: str, file_id: str, content: bytes) -> None:
        self._contents[project, file_id] = content

    def get(self, project: str, file_id: str) -> bytes | None:
        return self._contents.get((project, file_id))

    def delete(self, project: str, file_id: str) -> None:
        self._contents.pop((project, file_id), None)


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
