"""Where files and keys are kept: safe from loss, and from everybody else."""

import pytest

from tests.support.template import Stack, default_stack


def test_files_table_has_ttl_and_a_stream_of_old_images() -> None:
    table = default_stack().resources["FilesTable"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "OLD_IMAGE"}
    assert table["KeySchema"] == [
        {"AttributeName": "PK", "KeyType": "HASH"},
        {"AttributeName": "SK", "KeyType": "RANGE"},
    ]


def test_keys_table_is_keyed_by_hash() -> None:
    table = default_stack().resources["KeysTable"]["Properties"]
    assert table["KeySchema"] == [{"AttributeName": "hash", "KeyType": "HASH"}]


@pytest.mark.parametrize("name", ["FilesTable", "KeysTable"])
def test_tables_are_backed_up_encrypted_and_paid_by_request(name: str) -> None:
    table = default_stack().resources[name]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    attributes = {each["AttributeName"] for each in table["AttributeDefinitions"]}
    assert attributes == {each["AttributeName"] for each in table["KeySchema"]}, "no index"


@pytest.mark.parametrize(("stage", "protected"), [("prod", True), ("dev", False), ("test", False)])
def test_tables_cannot_be_deleted_in_prod(stage: str, *, protected: bool) -> None:
    tables = Stack(Stage=stage).of_type("AWS::DynamoDB::Table")
    assert {name: table["DeletionProtectionEnabled"] for name, table in tables.items()} == {
        "FilesTable": protected,
        "KeysTable": protected,
    }


def test_tables_and_bucket_outlive_the_stack() -> None:
    kept = {
        name: (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        for name, resource in default_stack().resources.items()
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    }
    assert kept == dict.fromkeys(["FilesTable", "KeysTable", "FilesBucket"], ("Retain", "Retain"))


def test_bucket_is_private_encrypted_and_has_one_owner() -> None:
    bucket = default_stack().only("AWS::S3::Bucket")
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"] == {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }


def test_bucket_is_reached_over_tls_only() -> None:
    policy = default_stack().only("AWS::S3::BucketPolicy")
    assert policy["Bucket"] == "FilesBucket"
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert {name: value for name, value in statement.items() if name != "Sid"} == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["FilesBucket.Arn", "FilesBucket.Arn/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_bucket_lifecycle_only_aborts_multipart_uploads() -> None:
    (rule,) = default_stack().only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert not [name for name in rule if "Expiration" in name or "Transition" in name]
