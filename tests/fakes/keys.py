"""API keys in memory."""

from collections.abc import Iterator

from files_api.service.keys import Key


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
