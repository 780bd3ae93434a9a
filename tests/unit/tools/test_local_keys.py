import stat
from pathlib import Path

import pytest

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tests.support.moto_stack import Stack, physical_name
from tools import local_keys
from tools.errors import StackError

KEYS_TABLE = physical_name("KeysTable")


@pytest.fixture
def keys(stack: Stack) -> Keys:
    return Keys(DynamoKeyStore(stack.dynamodb, KEYS_TABLE))


def test_the_first_start_creates_a_key_for_all_later_starts(
    stack: Stack, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "api-key"

    first = local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed={}, file=file)
    second = local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed={}, file=file)

    found = keys.find(first)
    assert found is not None
    assert found.project == "local"
    assert second == first
    assert len(keys.list()) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_revoked_key_is_replaced(stack: Stack, keys: Keys, tmp_path: Path) -> None:
    file = tmp_path / "api-key"
    first = local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed={}, file=file)
    keys.revoke(keys.list()[0].id)

    second = local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed={}, file=file)

    assert keys.find(first) is None
    assert keys.find(second) is not None


def test_fixed_keys_are_stored_once_and_the_first_is_shown(
    stack: Stack, keys: Keys, tmp_path: Path
) -> None:
    fixed = local_keys.parse("acme:sk-one, globex:sk-two")

    for _ in range(2):
        assert (
            local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed=fixed, file=tmp_path / "k")
            == "sk-one"
        )

    assert sorted(key.project for key in keys.list()) == ["acme", "globex"]
    assert not (tmp_path / "k").exists()


def test_a_fixed_key_moves_to_its_new_project(stack: Stack, keys: Keys, tmp_path: Path) -> None:
    for project in ("acme", "globex"):
        fixed = {"sk-one": project}
        local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed=fixed, file=tmp_path / "k")

    assert [key.project for key in keys.list()] == ["globex"]


def test_an_invalid_project_is_reported_in_one_sentence(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="LOCAL_API_KEYS: A project's name has 1 to 64"):
        local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed={"sk-one": "a b"}, file=tmp_path / "k")


@pytest.mark.parametrize("setting", ["acme", "acme:", ":sk-one", "acme:sk-one,globex"])
def test_an_invalid_setting_is_reported_in_one_sentence(setting: str) -> None:
    with pytest.raises(StackError, match="must be project:key pairs"):
        local_keys.parse(setting)


def test_an_empty_setting_fixes_no_key() -> None:
    assert local_keys.parse("") == {}
