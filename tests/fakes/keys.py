"""API keys in memory."""

from collections.abc import Iterator
from dataclasses import replace

from files_api.service.keys import Key
from files_api.service.quota import Quota


class MemoryKeyStore:
    """`keys.KeyStore` in a dict."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._quotas: dict[str, Quota] = {}

    def get(self, key_hash: str) -> Key | None:
        return self._keys.get(key_hash)

    def put(self, key: Key) -> None:
        self._keys[key.hash] = key

    def revoke(self, key_hash: str, now: int) -> Key:
        key = self._keys[key_hash]
        if key.revoked_at is None:
            key = self._keys[key_hash] = replace(key, revoked_at=now, changed_at=now)
        return key

    def replace(self, old: Key, new: Key) -> bool:
        stored = self._keys[old.hash]
        if stored.revoked_at is not None or stored.replaced_by is not None:
            return False
        self._keys |= {old.hash: old, new.hash: new}
        return True

    def all(self) -> Iterator[Key]:
        yield from list(self._keys.values())

    def quota(self, project: str) -> Quota:
        return self._quotas.get(project, Quota())

    def set_quota(self, project: str, quota: Quota) -> None:
        self._quotas[project] = quota

    def carry(self, key_hash: str, quota: Quota) -> None:
        key = self._keys[key_hash]
        self._keys[key_hash] = replace(key, max_files=quota.files, max_bytes=quota.bytes)
