import stat
from pathlib import Path

import pytest

from files_api.keys import DynamoKeyStore, Keys
from tests.integration.samples import KEYS_TABLE
from tests.moto_stack import Stack
from tools import local_keys
from tools.errors import StackError


@pytest.fixture
def keys(stack: Stack) -> Keys:
    return Keys(DynamoKeyStore(stack.dynamodb, KEYS_TABLE))


def test_the_first_start_makes_a_key_that_later_starts_find(
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


def test_a_key_that_is_no_longer_good_is_replaced(stack: Stack, keys: Keys, tmp_path: Path) -> None:
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


def test_a_fixed_key_moves_to_the_project_it_is_given(
    stack: Stack, keys: Keys, tmp_path: Path
) -> None:
    for project in ("acme", "globex"):
        fixed = {"sk-one": project}
        local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed=fixed, file=tmp_path / "k")

    assert [key.project for key in keys.list()] == ["globex"]


def test_a_project_without_a_valid_name_gets_one_sentence(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="LOCAL_API_KEYS: A project is"):
        local_keys.provide(stack.dynamodb, KEYS_TABLE, fixed={"sk-one": "a b"}, file=tmp_path / "k")


@pytest.mark.parametrize("setting", ["acme", "acme:", ":sk-one", "acme:sk-one,globex"])
def test_a_setting_of_another_form_gets_one_sentence(setting: str) -> None:
    with pytest.raises(StackError, match="must be project:key"):
        local_keys.parse(setting)


def test_an_empty_setting_fixes_no_key() -> None:
    assert local_keys.parse("") == {}
