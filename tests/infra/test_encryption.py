"""Encryption: with the services' own keys, or all of it with the operator's."""

from typing import Any

import pytest

from tests.support.template import Stack, default_stack

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234"
# What a resource with data in it says of its encryption, by type: its properties with a key.
ENCRYPTED: dict[str, dict[str, Any]] = {
    "AWS::DynamoDB::Table": {
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    },
    "AWS::S3::Bucket": {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": KEY,
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        }
    },
    "AWS::SQS::Queue": {"SqsManagedSseEnabled": False, "KmsMasterKeyId": KEY},
    "AWS::Logs::LogGroup": {"KmsKeyId": KEY},
    "AWS::CloudTrail::Trail": {"KMSKeyId": KEY},
}


@pytest.fixture(scope="module")
def encrypted() -> Stack:
    return Stack(KmsKeyArn=KEY, LogObjectAccess="true")


@pytest.mark.parametrize("type", ENCRYPTED)
def test_everything_of_a_type_is_encrypted_with_the_key(type: str, encrypted: Stack) -> None:
    resources = encrypted.of_type(type)
    assert resources
    for name, properties in resources.items():
        assert properties | ENCRYPTED[type] == properties, name


def test_nothing_else_changes_with_a_key(encrypted: Stack) -> None:
    plain = Stack(LogObjectAccess="true")
    changed = {
        name
        for name, resource in encrypted.resources.items()
        if plain.resources.get(name) != resource
    }
    assert {encrypted.resources[name]["Type"] for name in changed} == {
        *ENCRYPTED,
        "AWS::IAM::Policy",
    }


def test_without_a_key_nothing_is_billed_for_one() -> None:
    assert KEY not in str(default_stack().resources)
    assert "kms" not in str(default_stack().resources).lower()
