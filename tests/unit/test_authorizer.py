"""The authorizer: which tokens are allowed, and what the policy says of them."""

from typing import Any

import pytest

from files_api.api.authorizer import Authorizer
from files_api.service.keys import Key, Keys
from tests.fakes.keys import MemoryKeyStore
from tests.support.samples import Clock

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
SECRET = "sk-chosen"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> Keys:
    return Keys(MemoryKeyStore(), clock)


@pytest.fixture
def key(keys: Keys) -> Key:
    return keys.create("acme", secret=SECRET, lifetime=60)[0]


def policy_for(
    keys: Keys, token: str, method_arn: str = f"{API}/dev/GET/v1/files"
) -> dict[str, Any]:
    event = {"type": "TOKEN", "authorizationToken": token, "methodArn": method_arn}
    return Authorizer(lambda: keys)(event, None)


def statement(effect: str, resource: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}],
    }


DENIED = {"principalId": "unknown", "policyDocument": statement("Deny", f"{API}/dev/*")}


@pytest.mark.parametrize(
    "token", ["Bearer sk-chosen", "bearer sk-chosen", "BEARER  sk-chosen", " Bearer sk-chosen "]
)
def test_active_key_is_allowed_with_its_project_and_scopes(
    keys: Keys, key: Key, token: str
) -> None:
    assert policy_for(keys, token) == {
        "principalId": key.id,
        "policyDocument": statement("Allow", f"{API}/dev/*"),
        "context": {"project": "acme", "scopes": "files:read files:write"},
    }


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer\tsk-chosen",
        "sk-chosen",
        "Basic sk-chosen",
        "Token sk-chosen",
        "Bearer: sk-chosen",
        "Bearersk-chosen",
        "Bearer sk-unknown",
        "Bearer SK-CHOSEN",
        "Bearer sk-chosen sk-chosen",
        "Bearer é",
    ],
)
def test_any_other_token_is_denied(keys: Keys, key: Key, token: str) -> None:
    assert policy_for(keys, token) == DENIED


def test_ended_key_or_the_hash_of_one_is_denied(keys: Keys, key: Key, clock: Clock) -> None:
    assert policy_for(keys, f"Bearer {key.hash}") == DENIED
    revoked, secret = keys.create("acme")
    keys.revoke(revoked.id)
    assert policy_for(keys, f"Bearer {secret}") == DENIED
    clock.now = key.created_at + 60
    assert policy_for(keys, f"Bearer {SECRET}") == DENIED


@pytest.mark.parametrize("call", ["GET/", "DELETE/v1/files/019e8232", "GET/v1/files/a/content"])
@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize(("token", "effect"), [(SECRET, "Allow"), ("sk-unknown", "Deny")])
def test_policy_covers_its_whole_stage_and_nothing_else(
    keys: Keys, key: Key, token: str, effect: str, stage: str, call: str
) -> None:
    policy = policy_for(keys, f"Bearer {token}", f"{API}/{stage}/{call}")

    assert policy["policyDocument"] == statement(effect, f"{API}/{stage}/*")
