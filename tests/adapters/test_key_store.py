"""What every `KeyStore` must do, in memory as on DynamoDB."""

from dataclasses import replace

import pytest

from files_api.service.keys import SCOPES, Key, KeyStore
from tests.support.samples import NOW

KEY = Key(
    hash="ab" * 32,
    project="acme",
    name='the "build" server 🚀',
    scopes=SCOPES,
    last_four="wxyz",
    created_at=NOW,
    changed_at=NOW + 1,
)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        replace(KEY, name="", scopes=("files:read",)),
        replace(KEY, expires_at=NOW + 60),
        replace(KEY, expires_at=NOW + 60, revoked_at=NOW + 30),
        replace(KEY, revoked_at=NOW + 30, replaced_by="key_" + "cd" * 8),
    ],
)
def test_a_key_is_read_as_it_was_written(keys: KeyStore, key: Key) -> None:
    keys.put(key)

    assert keys.get(key.hash) == key
    assert keys.get("cd" * 32) is None
    assert list(keys.all()) == [key]


def test_a_key_can_be_overwritten(keys: KeyStore) -> None:
    keys.put(replace(KEY, expires_at=NOW + 60))
    keys.put(replace(KEY, name="renamed"))

    assert list(keys.all()) == [replace(KEY, name="renamed")]


def test_all_keys_are_read_from_every_page(keys: KeyStore) -> None:
    put = [replace(KEY, hash=f"{number:064x}", name="x" * 100_000) for number in range(15)]
    for key in put:
        keys.put(key)

    assert sorted(keys.all(), key=lambda key: key.hash) == put


NEW = replace(KEY, hash="cd" * 32, last_four="abcd", created_at=NOW + 9, changed_at=NOW + 9)
REPLACED = replace(KEY, replaced_by=NEW.id, changed_at=NOW + 9, expires_at=NOW + 90)
REVOKED = replace(KEY, revoked_at=NOW + 5, changed_at=NOW + 5)


def test_a_revoked_key_stays_revoked_whatever_comes_later(keys: KeyStore) -> None:
    keys.put(KEY)

    assert keys.revoke(KEY.hash, NOW + 5) == REVOKED
    assert keys.revoke(KEY.hash, NOW + 6) == REVOKED
    assert not keys.replace(REPLACED, NEW)
    assert list(keys.all()) == [REVOKED]


def test_a_key_is_replaced_once_and_can_still_be_revoked(keys: KeyStore) -> None:
    keys.put(KEY)
    late = replace(NEW, hash="ef" * 32)

    assert keys.replace(REPLACED, NEW)
    assert not keys.replace(replace(REPLACED, replaced_by=late.id), late)

    assert {key.hash: key for key in keys.all()} == {KEY.hash: REPLACED, NEW.hash: NEW}
    revoked = replace(REPLACED, revoked_at=NOW + 10, changed_at=NOW + 10)
    assert keys.revoke(KEY.hash, NOW + 10) == revoked
