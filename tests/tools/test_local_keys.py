from collections.abc import Callable
from pathlib import Path

import pytest

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tests.support.moto_stack import Stack, physical_name
from tools import local_keys
from tools.errors import StackError

type Start = Callable[[str], str]


@pytest.fixture
def keys(stack: Stack) -> Keys:
    return Keys(DynamoKeyStore(stack.dynamodb, physical_name("KeysTable")))


@pytest.fixture
def start(stack: Stack, tmp_path: Path) -> Start:
    """A start with a value of LOCAL_API_KEYS; returns the shown secret."""
    table, file = physical_name("KeysTable"), tmp_path / "api-key"
    return lambda setting: local_keys.provide(
        stack.dynamodb, table, prefix="acme_", fixed=local_keys.parse(setting), file=file
    )


def valid(keys: Keys, *secrets: str) -> list[str | None]:
    """The project of each secret; None where it is not valid."""
    return [key.project if (key := keys.find(secret)) else None for secret in secrets]


def test_the_first_start_creates_a_key_for_all_later_starts(start: Start, keys: Keys) -> None:
    first, second = start(""), start("")

    assert second == first
    assert valid(keys, first) == ["local"]
    assert len(keys.list()) == 1


def test_a_revoked_key_is_replaced(start: Start, keys: Keys) -> None:
    first = start("")
    keys.revoke(keys.list()[0].id)

    second = start("")

    assert valid(keys, first, second) == [None, "local"]


def test_fixed_keys_are_stored_once_and_the_first_is_shown(
    start: Start, keys: Keys, tmp_path: Path
) -> None:
    for _ in range(2):
        assert start("acme:sk-one, globex:sk-two") == "sk-one"

    assert sorted(key.project for key in keys.list()) == ["acme", "globex"]
    assert not (tmp_path / "api-key").exists()


def test_a_fixed_key_moves_to_its_new_project(start: Start, keys: Keys) -> None:
    start("acme:sk-one")
    start("globex:sk-one")

    assert [key.project for key in keys.list()] == ["globex"]


def test_fixed_keys_end_with_the_first_start_without_them(start: Start, keys: Keys) -> None:
    _, made = keys.create("acme", name="mine")
    own = start("")

    start("acme:sk-one,acme:sk-two")
    start("acme:sk-two")
    assert valid(keys, "sk-one", "sk-two", made, own) == [None, "acme", "acme", "local"]

    assert start("") == own
    assert valid(keys, "sk-one", "sk-two", made, own) == [None, None, "acme", "local"]

    start("globex:sk-one")
    assert valid(keys, "sk-one", "sk-two") == ["globex", None]


def test_an_invalid_project_is_reported_in_one_sentence(start: Start) -> None:
    with pytest.raises(StackError, match="LOCAL_API_KEYS: A project's name has 1 to 64"):
        start("a b:sk-one")


@pytest.mark.parametrize("setting", ["acme", "acme:", ":sk-one", "acme:sk-one,globex"])
def test_an_invalid_setting_is_reported_in_one_sentence(setting: str) -> None:
    with pytest.raises(StackError, match="must be project:key pairs"):
        local_keys.parse(setting)
