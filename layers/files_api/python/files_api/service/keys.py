"""API keys: created, looked up, listed, rotated and revoked.

Only the SHA-256 of a key's secret is stored: its 256 random bits need neither a salt nor a slow
hash. A key belongs to a project and gives access to nothing outside it.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from files_api.service.key_secrets import DEFAULT_PREFIX, new_secret
from files_api.service.quota import Quota

SCOPES = ("files:read", "files:write")
PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Key:
    """An API key. Times are Unix seconds.

    Attributes:
        hash: SHA-256 of the secret, in hex.
        project: the project whose files it gives access to.
        name: a name of the owner's choice.
        scopes: what it permits, from `SCOPES`.
        last_four: the end of the secret, to tell keys apart.
        created_at: when it was created.
        changed_at: when it was last revoked, rotated or created.
        expires_at: when it expires; None for never.
        revoked_at: when it was revoked.
        replaced_by: id of the key that `rotate` created in its place.
        max_files: of the project's own quota, which each of its keys carries: so no call has to
            read it.
        max_bytes: the same.
    """

    hash: str
    project: str
    name: str
    scopes: tuple[str, ...]
    last_four: str
    created_at: int
    changed_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    replaced_by: str | None = None
    max_files: int | None = None
    max_bytes: int | None = None

    @property
    def quota(self) -> Quota:
        """The project's own quota."""
        return Quota(self.max_files, self.max_bytes)

    @property
    def id(self) -> str:
        """A short name for the key, which grants nothing: the start of its hash."""
        return f"key_{self.hash[:16]}"

    def status(self, now: float) -> str:
        """`active`, `expired` or `revoked` at `now`."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class KeyNotFound(LookupError):
    """No key has this id."""


class KeyStore(Protocol):
    """The stored keys."""

    def get(self, key_hash: str) -> Key | None:
        """The key with this hash."""

    def put(self, key: Key) -> None:
        """Writes a new key; replaces one with the same secret."""

    def revoke(self, key_hash: str, now: int) -> Key:
        """Revokes an existing key, for good, unless it is revoked already; returns it."""

    def replace(self, old: Key, new: Key) -> bool:
        """Writes a new key and the end of the old one: `replaced_by`, and when it ends.

        Returns False, and writes nothing, if the old key is revoked or replaced by now.
        """

    def all(self) -> Iterator[Key]:
        """Every key, in no order."""

    def quota(self, project: str) -> Quota:
        """The project's own quota, as last set."""

    def set_quota(self, project: str, quota: Quota) -> None:
        """Sets the project's own quota; its keys do not carry it yet."""

    def carry(self, key_hash: str, quota: Quota) -> None:
        """Has an existing key carry a quota."""


class Keys:
    """The API keys of a deployment.

    Args:
        store: the stored keys.
        clock: Unix seconds.
        prefix: of the secrets that it makes.
    """

    def __init__(
        self,
        store: KeyStore,
        clock: Callable[[], float] = time.time,
        *,
        prefix: str = DEFAULT_PREFIX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._prefix = prefix

    def find(self, secret: str) -> Key | None:
        """The key with this secret, if it is active now."""
        key = self._store.get(hash_of(secret))
        return key if key and key.status(self._clock()) == "active" else None

    def create(
        self,
        project: str,
        *,
        name: str = "",
        scopes: tuple[str, ...] = SCOPES,
        lifetime: int | None = None,
        secret: str | None = None,
    ) -> tuple[Key, str]:
        """Creates a key; returns it with its secret, which is not stored and cannot be shown again.

        Args:
            project: the project whose files it gives access to: at most 64 letters, digits, `-`
                and `_`.
            name: a name of the owner's choice.
            scopes: what it permits, from `SCOPES`.
            lifetime: seconds until it expires; None for never.
            secret: a secret of the caller's choice, for tests and local work.

        Raises:
            ValueError: the project's name or a scope is invalid.
        """
        if not PROJECT.fullmatch(project):
            raise ValueError(
                f"A project's name has 1 to 64 letters, digits, '-' or '_', unlike {project!r}."
            )
        unknown = set(scopes) - set(SCOPES)
        if unknown or not scopes:
            raise ValueError(f"Scopes are {' and '.join(SCOPES)}, not {sorted(unknown)}.")
        now = int(self._clock())
        expires_at = None if lifetime is None else now + lifetime
        secret = secret or new_secret(self._prefix)
        key = _new_key(project, name, scopes, now, expires_at, secret)
        self._store.put(key)
        return self._with_quota(key), secret

    def _with_quota(self, key: Key) -> Key:
        """Has a new key carry its project's quota, of which `limit` may not have known it."""
        quota = self._store.quota(key.project)
        if quota != key.quota:
            self._store.carry(key.hash, quota)
        return replace(key, max_files=quota.files, max_bytes=quota.bytes)

    def limit(self, project: str, quota: Quota) -> None:
        """Sets a project's own quota. Keys in the authorizer's cache follow later."""
        self._store.set_quota(project, quota)
        for key in self.list(project):
            self._store.carry(key.hash, quota)

    def quota(self, project: str) -> Quota:
        """A project's own quota."""
        return self._store.quota(project)

    def list(self, project: str | None = None) -> "list[Key]":
        """The keys of a project, or all keys, the oldest first."""
        keys = (key for key in self._store.all() if project in (None, key.project))
        return sorted(keys, key=lambda key: (key.created_at, key.hash))

    def revoke(self, key_id: str) -> Key:
        """Revokes a key now. Raises KeyNotFound."""
        return self._store.revoke(self._by_id(key_id).hash, int(self._clock()))

    def rotate(self, key_id: str, *, grace: int = 0) -> tuple[Key, str]:
        """Replaces a key by a new one with the same rights; the old one ends after `grace` seconds.

        Returns the new key and its secret. Raises KeyNotFound, and ValueError for a key that is
        already replaced, revoked or expired.
        """
        old = self._by_id(key_id)
        now = int(self._clock())
        _check_rotatable(old, now)
        secret = new_secret(self._prefix)
        new = _new_key(old.project, old.name, old.scopes, now, old.expires_at, secret)
        ended = replace(old, replaced_by=new.id, changed_at=now)
        if grace:
            ends = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
            ended = replace(ended, expires_at=ends)
        else:
            ended = replace(ended, revoked_at=now)
        if not self._store.replace(ended, new):  # another command was faster
            _check_rotatable(self._by_id(key_id), now)
        return self._with_quota(new), secret

    def _by_id(self, key_id: str) -> Key:
        for key in self._store.all():
            if key.id == key_id:
                return key
        raise KeyNotFound(key_id)


def _new_key(
    project: str,
    name: str,
    scopes: tuple[str, ...],
    now: int,
    expires_at: int | None,
    secret: str,
) -> Key:
    return Key(hash_of(secret), project, name, scopes, secret[-4:], now, now, expires_at)


def _check_rotatable(key: Key, now: int) -> None:
    """Rejects a key that has ended or is replaced. Raises ValueError."""
    if key.status(now) != "active":
        raise ValueError(f"{key.id} is {key.status(now)}: create a new key instead.")
    if key.replaced_by:
        raise ValueError(f"{key.id} is already replaced by {key.replaced_by}: rotate that one.")


def hash_of(secret: str) -> str:
    """The SHA-256 of a secret, in hex; it is stored instead of the secret."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
