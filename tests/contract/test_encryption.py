"""A stack with a key of the operator's own.

The local stack notes the key with everything that is stored, but encrypts nothing, and asks nobody
for a permission to use it: only AWS can show that.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from botocore.config import Config
from openai import OpenAI

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.upload_records import DynamoUploadRecords
from tests.contract.conftest import PLAIN, eventually
from tests.contract.deployed import resource
from tests.contract.project import Project, Stores
from tools.local.stack import LocalStack

pytestmark = pytest.mark.xdist_group("fresh-stack")
KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
PART = 5 * 1024**2
SMALL, LARGE = b"content", b"a" * PART + b"the end"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project of a stack with the operator's key."""
    folder: Path = tmp_path_factory.mktemp("encrypted")
    with LocalStack(folder, parameters={"KmsKeyArn": KEY}) as stack:
        dynamodb, table = stack.client("dynamodb"), stack.outputs["FilesTable"]
        s3 = stack.client("s3", Config(signature_version="s3v4"))
        stores = Stores(
            dynamodb,
            table,
            DynamoFileRecords(dynamodb, table),
            DynamoUploadRecords(dynamodb, table),
            S3Blobs(s3, stack.outputs["FilesBucket"]),
        )
        encrypt(s3, stack.outputs["FilesBucket"])
        _, key = stack.keys.create("acme")
        headers = {"Authorization": f"Bearer {key}"}
        with (
            httpx2.Client(**PLAIN, base_url=stack.base_url, headers=headers) as http,
            httpx2.Client(**PLAIN) as store,
        ):
            client = OpenAI(base_url=stack.base_url, api_key=key)
            yield Project("acme", stack, http, client, store, stores)


def encrypt(s3: Any, bucket: str) -> None:
    """Does what the template says, and the local stack leaves out, as it does for tables."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def in_the_body(project: Project) -> tuple[str, bytes]:
    return project.client.files.create(file=("a.txt", SMALL), purpose="user_data").id, SMALL


def directly(project: Project) -> tuple[str, bytes]:
    file = project.create_pending(bytes=len(SMALL))
    assert project.put(file, SMALL) == 200
    return file["id"], SMALL


def directly_in_parts(project: Project) -> tuple[str, bytes]:
    file_id = project.create_pending(bytes=len(LARGE), part_size=PART)["id"]
    parts = project.http.get(f"/files/{file_id}/parts").json()["data"]
    contents = LARGE[:PART], LARGE[PART:]
    assert [project.put(*each) for each in zip(parts, contents, strict=True)] == [200, 200]
    return file_id, LARGE


def assembled(project: Project) -> tuple[str, bytes]:
    upload = project.open_upload(len(LARGE))
    parts = [project.put_part(upload, content) for content in (LARGE[:PART], LARGE[PART:])]
    return project.complete(upload, parts).json()["file"]["id"], LARGE


@pytest.mark.parametrize("send", [in_the_body, directly, directly_in_parts, assembled])
def test_files_come_back_however_they_are_sent(project: Project, send: Any) -> None:
    file_id, content = send(project)

    eventually(lambda: project.http.get(f"/files/{file_id}").json()["status"] == "processed")
    url = project.http.get(f"/files/{file_id}/url").json()["url"]
    assert project.store.get(url).content == content
    assert project.client.files.content(file_id).content == content


def test_objects_queues_and_logs_name_the_key(project: Project) -> None:
    in_the_body(project)
    stack = project.stack
    s3, bucket = stack.client("s3"), stack.outputs["FilesBucket"]
    found = [s3.head_object(Bucket=bucket, Key=key) for key in project.objects()]
    assert {(each["ServerSideEncryption"], each["SSEKMSKeyId"]) for each in found} == {
        ("aws:kms", KEY)
    }
    for queue in ("BlobChecks", "DeadLetters"):
        attributes = stack.client("sqs").get_queue_attributes(
            QueueUrl=resource(stack, queue), AttributeNames=["All"]
        )["Attributes"]
        assert attributes["KmsMasterKeyId"] == KEY
    (log,) = stack.client("logs").describe_log_groups(
        logGroupNamePrefix=resource(stack, "AccessLog")
    )["logGroups"]
    assert log["kmsKeyId"] == KEY


def test_local_stack_leaves_out_the_encryption_of_a_bucket(project: Project) -> None:
    # If this fails, `encrypt` above is no longer needed
    found = project.stack.client("s3").get_bucket_encryption(
        Bucket=project.stack.outputs["FailedRecordsBucket"]
    )
    (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
