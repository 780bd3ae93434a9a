"""The life of an API key: created, found, listed, rotated, revoked, expired."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from files_api.service.keys import SCOPES, Key, KeyNotFound, Keys
from tests.fakes.keys import MemoryKeyStore
from tests.fakes.world import once
from tests.support.samples import NOW, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW + 0.9)


@pytest.fixture
def store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def keys(store: MemoryKeyStore, clock: Clock) -> Keys:
    return Keys(store, clock)


def test_a_key_is_created_as_requested(keys: Keys) -> None:
    key, secret = keys.create("acme", name="ci", scopes=("files:read",), lifetime=60)

    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert key == Key(
        hash=digest,
        project="acme",
        name="ci",
        scopes=("files:read",),
        last_four=secret[-4:],
        created_at=NOW,
        changed_at=NOW,
        expires_at=NOW + 60,
    )
    assert key.id == f"key_{digest[:16]}"


def test_a_secret_is_never_stored(keys: Keys, store: MemoryKeyStore) -> None:
    key, secret = keys.create("acme", name="ci")
    _, rotated = keys.rotate(key.id)

    stored = repr(list(store.all()))
    for each in (secret, rotated):
        assert each not in stored
        assert each.removeprefix("sk-")[:8] not in stored


def test_a_secret_can_be_chosen_and_other_fields_have_defaults(keys: Keys) -> None:
    key, secret = keys.create("acme", secret="sk-chosen")

    assert secret == "sk-chosen"
    assert (key.name, key.scopes, key.expires_at) == ("", SCOPES, None)
    assert keys.find("sk-chosen") == key


@pytest.mark.parametrize("project", ["a", "A-1_b", "0" * 64])
def test_a_project_has_a_plain_name(keys: Keys, project: str) -> None:
    assert keys.create(project)[0].project == project


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        *[
            ({"project": project}, "A project's name has 1 to 64")
            for project in ("", "-a", "_a", "a/b", "a#b", "a b", "é", "..", "a\n", "0" * 65)
        ],
        *[
            ({"project": "acme", "scopes": scopes}, "Scopes are files:read and files:write")
            for scopes in ((), ("files:admin",), ("files:read", "*"))
        ],
    ],
)
def test_an_invalid_project_or_scope_is_rejected(
    keys: Keys, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        keys.create(**asked)
    assert keys.list() == []


def test_only_the_whole_secret_finds_the_key(keys: Keys) -> None:
    key, secret = keys.create("acme")

    assert keys.find(secret) == key
    for other in (secret[:-1], secret + "x", secret.upper(), key.hash, key.id, ""):
        assert keys.find(other) is None


def test_a_key_ends_in_the_second_it_expires(keys: Keys, clock: Clock) -> None:
    key, secret = keys.create("acme", lifetime=60)

    clock.now = NOW + 59.9
    assert keys.find(secret) == key
    assert key.status(clock.now) == "active"
    clock.now = NOW + 60
    assert keys.find(secret) is None
    assert key.status(clock.now) == "expired"


def test_a_revoked_key_ends_at_once_and_stays_listed(keys: Keys, clock: Clock) -> None:
    key, secret = keys.create("acme")
    clock.now += 1
    other, others = keys.create("acme")
    clock.now = NOW + 10
    revoked = replace(key, revoked_at=NOW + 10, changed_at=NOW + 10)

    for _ in range(2):
        assert keys.revoke(key.id) == revoked
        assert keys.list() == [revoked, other]
        clock.now += 9  # revoking again changes nothing

    assert revoked.status(NOW + 10) == "revoked"
    assert (keys.find(secret), keys.find(others)) == (None, other)


def test_keys_are_listed_by_project_oldest_first(keys: Keys, clock: Clock) -> None:
    created = []
    for project in ("acme", "globex", "acme"):
        clock.now += 1
        created.append(keys.create(project)[0])

    assert keys.list() == created
    assert keys.list("acme") == [created[0], created[2]]
    assert keys.list("initech") == []


def test_rotating_creates_a_similar_key_and_ends_the_old_one(keys: Keys, clock: Clock) -> None:
    old, old_secret = keys.create("acme", name="ci", scopes=("files:read",), lifetime=60)
    clock.now = NOW + 20

    new, new_secret = keys.rotate(old.id)

    assert (new.project, new.name, new.scopes) == ("acme", "ci", ("files:read",))
    assert (new.created_at, new.expires_at) == (NOW + 20, NOW + 60)
    assert new_secret != old_secret
    assert keys.find(new_secret) == new
    assert keys.find(old_secret) is None
    ended = replace(old, revoked_at=NOW + 20, changed_at=NOW + 20, replaced_by=new.id)
    assert keys.list() == [ended, new]


@pytest.mark.parametrize(("lifetime", "ends"), [(None, 30), (60, 30), (15, 15)])
def test_rotating_with_grace_never_extends_the_old_key(
    keys: Keys, clock: Clock, lifetime: int | None, ends: int
) -> None:
    old, old_secret = keys.create("acme", lifetime=lifetime)

    new, new_secret = keys.rotate(old.id, grace=30)

    assert new.expires_at == old.expires_at
    clock.now = NOW + ends - 0.1
    assert keys.find(old_secret) == replace(old, expires_at=NOW + ends, replaced_by=new.id)
    clock.now = NOW + ends
    assert keys.find(old_secret) is None
    assert keys.find(new_secret) == (None if lifetime == ends else new)


def test_a_key_that_has_ended_cannot_be_rotated(keys: Keys, clock: Clock) -> None:
    replaced, revoked, expired = (keys.create("acme", lifetime=60 * n)[0] for n in (9, 9, 0))
    new, _ = keys.rotate(replaced.id, grace=30)
    keys.revoke(revoked.id)
    before = keys.list()

    for key, reason in [
        (replaced, f"already replaced by {new.id}"),
        (revoked, "revoked: create a new key instead"),
        (expired, "expired: create a new key instead"),
    ]:
        with pytest.raises(ValueError, match=f"{key.id} is {reason}"):
            keys.rotate(key.id)
    assert keys.list() == before


@pytest.mark.parametrize("grace", [0, 30])
def test_a_key_that_is_revoked_while_it_rotates_stays_revoked(
    grace: int, keys: Keys, store: MemoryKeyStore
) -> None:
    key, secret = keys.create("acme")
    once(store, "replace", before=lambda: keys.revoke(key.id))

    with pytest.raises(ValueError, match=f"{key.id} is revoked"):
        keys.rotate(key.id, grace=grace)

    assert keys.find(secret) is None
    assert [each.status(NOW) for each in keys.list()] == ["revoked"]


def test_an_unknown_key_is_neither_revoked_nor_rotated(keys: Keys) -> None:
    keys.create("acme")

    for change in (keys.revoke, keys.rotate):
        with pytest.raises(KeyNotFound, match="key_0000"):
            change("key_0000")
