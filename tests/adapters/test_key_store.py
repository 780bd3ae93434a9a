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
