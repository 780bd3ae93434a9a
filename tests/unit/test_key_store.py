"""What every `KeyStore` promises, in memory as on DynamoDB."""

from dataclasses import replace

import pytest

from files_api.keys import SCOPES, DynamoKeyStore, Key, KeyStore
from tests.integration.samples import KEYS_TABLE
from tests.unit.memory import MemoryKeyStore
from tests.unit.samples import NOW

KEY = Key(
    hash="ab" * 32,
    project="acme",
    name='the "build" server 🚀',
    scopes=SCOPES,
    last_four="wxyz",
    created_at=NOW,
    changed_at=NOW + 1,
)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> KeyStore:
    if request.param == "memory":
        return MemoryKeyStore()
    return DynamoKeyStore(request.getfixturevalue("stack").dynamodb, KEYS_TABLE)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        replace(KEY, name="", scopes=("files:read",)),
        replace(KEY, expires_at=NOW + 60),
        replace(KEY, expires_at=NOW + 60, revoked_at=NOW + 30),
    ],
)
def test_a_key_is_read_as_it_was_written(store: KeyStore, key: Key) -> None:
    store.put(key)

    assert store.get(key.hash) == key
    assert list(store.all()) == [key]


def test_a_key_that_nobody_wrote_is_none(store: KeyStore) -> None:
    store.put(KEY)

    assert store.get("cd" * 32) is None


def test_a_key_is_written_over(store: KeyStore) -> None:
    store.put(replace(KEY, expires_at=NOW + 60))
    store.put(replace(KEY, name="renamed"))

    assert list(store.all()) == [replace(KEY, name="renamed")]


def test_all_are_all_however_many(store: KeyStore) -> None:
    keys = [replace(KEY, hash=f"{number:064x}", name="x" * 100_000) for number in range(15)]
    for key in keys:
        store.put(key)

    assert sorted(store.all(), key=lambda key: key.hash) == keys
