"""What every `KeyStore` must do, in memory as on DynamoDB."""

from dataclasses import replace

import pytest

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import SCOPES, Key, KeyStore
from tests.fakes.keys import MemoryKeyStore
from tests.support.moto_stack import physical_name
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


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> KeyStore:
    if request.param == "memory":
        return MemoryKeyStore()
    client = request.getfixturevalue("stack").dynamodb
    return DynamoKeyStore(client, physical_name("KeysTable"))


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
def test_a_key_is_read_as_it_was_written(store: KeyStore, key: Key) -> None:
    store.put(key)

    assert store.get(key.hash) == key
    assert list(store.all()) == [key]


def test_an_unknown_key_is_none(store: KeyStore) -> None:
    store.put(KEY)

    assert store.get("cd" * 32) is None


def test_a_key_can_be_overwritten(store: KeyStore) -> None:
    store.put(replace(KEY, expires_at=NOW + 60))
    store.put(replace(KEY, name="renamed"))

    assert list(store.all()) == [replace(KEY, name="renamed")]


def test_all_keys_are_read_from_every_page(store: KeyStore) -> None:
    keys = [replace(KEY, hash=f"{number:064x}", name="x" * 100_000) for number in range(15)]
    for key in keys:
        store.put(key)

    assert sorted(store.all(), key=lambda key: key.hash) == keys
