"""What a key's secret looks like, and how a typo in it is seen."""

import re
import string
from pathlib import Path

import pytest

from files_api.service.key_secrets import is_intact, new_secret
from files_api.service.keys import Keys
from tests.fakes.keys import MemoryKeyStore

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


@pytest.mark.parametrize("prefix", ["sk-", "acme_", "acme-prod_"])
def test_secret_has_the_prefix_of_the_stack_and_the_documented_form(prefix: str) -> None:
    found = re.search(r"`sk-(\[0-9A-Za-z\]\{\d+\})`", OPERATIONS.read_text())
    assert found
    keys = Keys(MemoryKeyStore(), prefix=prefix)

    made = [keys.create("acme")[1] for _ in range(50)]
    made.append(keys.rotate(keys.list()[0].id)[1])

    assert len(set(made)) == 51
    for secret in made:
        assert re.fullmatch(prefix + found[1], secret)
        assert is_intact(secret)


def test_checksum_is_as_documented() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", OPERATIONS.read_text(), re.DOTALL)
    documented: dict[str, object] = {}
    exec(program, documented)
    checks = documented["is_key"]
    assert callable(checks)

    secret = new_secret("sk-")
    assert checks(secret)
    assert not checks(secret[:-1] + ("0" if secret[-1] != "0" else "1"))


def test_no_single_typo_keeps_a_secret_intact() -> None:
    secret = new_secret("sk-")

    for place, character in enumerate(secret):
        for other in set(string.ascii_letters + string.digits) - {character}:
            assert not is_intact(secret[:place] + other + secret[place + 1 :])
        assert not is_intact(secret[:place] + secret[place + 1 :])


def test_neighbours_that_change_places_are_noticed() -> None:
    secret = new_secret("sk-")

    for place in range(len(secret) - 1):
        first, second = secret[place], secret[place + 1]
        swapped = secret[:place] + second + first + secret[place + 2 :]
        assert first == second or not is_intact(swapped)


@pytest.mark.parametrize("secret", ["", "sk-", "sk-chosen", "\udcff", "0" * 300])
def test_other_texts_are_not_intact(secret: str) -> None:
    assert not is_intact(secret)
