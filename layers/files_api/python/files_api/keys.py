"""API keys: what is stored of them, and how they are made, listed, rotated and revoked.

A key is `sk-` and 32 random bytes. Only its SHA-256 is stored: 256 bits of chance need no salt and
no slow hash. It belongs to a project, and all that is done with it stays in that project.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SCOPES = ("files:read", "files:write")
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of an API key. Times are Unix seconds.

    Attributes:
        hash: SHA-256 of the secret, in hex.
        project: whose files it opens.
        name: what its owner calls it.
        scopes: what it may do, of `SCOPES`.
        last_four: the end of the secret, to tell keys apart.
        created_at: when it was made.
        changed_at: when it was last revoked or rotated, or else made.
        expires_at: from when on it is refused; None for never.
        revoked_at: since when it is refused.
        replaced_by: id of the key that was made to take its place.
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

    @property
    def id(self) -> str:
        """A short name for the key that opens nothing: the start of its hash."""
        return f"key_{self.hash[:16]}"

    def status(self, now: float) -> str:
        """`active`, `expired` or `revoked` at `now`."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class KeyNotFound(LookupError):
    """No key has this id."""


class KeyStore(Protocol):
    """Where keys are kept."""

    def get(self, key_hash: str) -> Key | None:
        """The key with this hash."""

    def put(self, key: Key) -> None:
        """Writes the key, over what was there."""

    def all(self) -> Iterator[Key]:
        """Every key, in no order."""


class Keys:
    """The keys of a stack.

    Args:
        store: where they are.
        clock: Unix seconds.
    """

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def find(self, secret: str) -> Key | None:
        """The key of this secret, if it is good now."""
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
        """Makes a key; returns it with its secret, which is not kept and cannot be shown again.

        Args:
            project: whose files it opens: letters, digits, `-` and `_`, at most 64.
            name: what its owner calls it.
            scopes: what it may do, of `SCOPES`.
            lifetime: seconds until it expires; None for never.
            secret: a secret that the caller has chosen, for tests and local work.

        Raises:
            ValueError: the project's name or a scope is none.
        """
        if not _PROJECT.fullmatch(project):
            raise ValueError(f"A project is 1 to 64 letters, digits, '-' or '_', not {project!r}.")
        unknown = set(scopes) - set(SCOPES)
        if unknown or not scopes:
            raise ValueError(f"Scopes are {' and '.join(SCOPES)}, not {sorted(unknown)}.")
        secret = secret or f"sk-{secrets.token_urlsafe(32)}"
        now = int(self._clock())
        key = Key(
            hash=hash_of(secret),
            project=project,
            name=name,
            scopes=scopes,
            last_four=secret[-4:],
            created_at=now,
            changed_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
        self._store.put(key)
        return key, secret

    def list(self, project: str | None = None) -> "list[Key]":
        """The keys of a project, or all, the oldest first."""
        keys = (key for key in self._store.all() if project in (None, key.project))
        return sorted(keys, key=lambda key: (key.created_at, key.hash))

    def revoke(self, key_id: str) -> Key:
        """Ends a key now. Raises KeyNotFound."""
        key = self._by_id(key_id)
        if key.revoked_at is None:
            now = int(self._clock())
            key = replace(key, revoked_at=now, changed_at=now)
            self._store.put(key)
        return key

    def rotate(self, key_id: str, *, grace: int = 0) -> tuple[Key, str]:
        """Makes a key like this one and ends this one `grace` seconds from now.

        Returns the new key and its secret. Raises KeyNotFound, and ValueError for a key that is
        already replaced, revoked or expired.
        """
        old = self._by_id(key_id)
        now = int(self._clock())
        if old.status(now) != "active":
            raise ValueError(f"{key_id} is {old.status(now)}: create a new key instead.")
        if old.replaced_by:
            raise ValueError(f"{key_id} is already replaced by {old.replaced_by}: rotate that one.")
        lifetime = None if old.expires_at is None else old.expires_at - now
        new, secret = self.create(old.project, name=old.name, scopes=old.scopes, lifetime=lifetime)
        old = replace(old, replaced_by=new.id, changed_at=now)
        if grace:
            ends = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
            self._store.put(replace(old, expires_at=ends))
        else:
            self._store.put(replace(old, revoked_at=now))
        return new, secret

    def _by_id(self, key_id: str) -> Key:
        for key in self._store.all():
            if key.id == key_id:
                return key
        raise KeyNotFound(key_id)


class DynamoKeyStore:
    """`KeyStore` on one table, keyed by hash.

    Args:
        client: a DynamoDB client.
        table: the table's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key_hash: str) -> Key | None:
        answer = self._client.get_item(
            TableName=self._table, Key={"hash": {"S": key_hash}}, ConsistentRead=True
        )
        return _from_item(answer["Item"]) if "Item" in answer else None

    def put(self, key: Key) -> None:
        fields = asdict(key) | {"scopes": " ".join(key.scopes)}
        item: dict[str, Any] = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value}
            for name, value in fields.items()
            if value is not None
        }
        self._client.put_item(TableName=self._table, Item=item)

    def all(self) -> Iterator[Key]:
        # A Scan: keys are few, and only an operator's command asks for all of them.
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        ):
            yield from map(_from_item, page["Items"])


def hash_of(secret: str) -> str:
    """What is stored instead of the secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _from_item(item: Any) -> Key:
    fields: dict[str, Any] = {
        name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()
    }
    return Key(**fields | {"scopes": tuple(fields["scopes"].split())})
