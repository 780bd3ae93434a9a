"""The operator's commands, on the deployed template: back to a moment, and table against bucket."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tests.contract.calls import CONTENT
from tests.contract.conftest import eventually
from tests.contract.deployed import aws
from tests.contract.project import Project
from tests.support.samples import a_file
from tools import reconcile, restore, stacks
from tools.local.stack import LocalStack


@pytest.fixture(autouse=True)
def place(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands find the stack of these tests, as they find that of `make dev`."""
    endpoint = tmp_path / "endpoint"
    endpoint.write_text(local_stack.endpoint)
    monkeypatch.setattr(stacks, "ENDPOINT", endpoint)


def run(command: click.Command, *options: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(command, [*options], catch_exceptions=False)


@pytest.fixture
def recovery(local_stack: LocalStack) -> Iterator[None]:
    """The bucket keeps what is deleted, as with RecoveryDays."""
    s3, bucket = aws(local_stack, "s3"), local_stack.outputs["FilesBucket"]
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        if status == "Enabled":
            yield


@pytest.mark.usefixtures("recovery")
def test_files_come_back_as_they_were_at_a_moment(
    project: Project, local_stack: LocalStack
) -> None:
    files = project.client.files
    plain = files.create(file=("a.txt", b"plain"), purpose="user_data")
    direct = files.retrieve(project.upload_directly()).id
    kept = files.create(file=("b.txt", b"kept"), purpose="batch")
    before = {file.id: (file, files.content(file.id).read()) for file in files.list()}
    dynamodb, table = aws(local_stack, "dynamodb"), local_stack.outputs["FilesTable"]
    moment = int(time.time()) + 1
    eventually(lambda: time.time() > moment)
    restored = f"{table}-{project.name}"
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=restored, UseLatestRestorableTime=True
    )
    for file_id in (plain.id, direct):
        files.delete(file_id)
    eventually(lambda: len(project.objects()) == 1)
    at = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    done = run(restore.cli, "--from-table", restored, "--at", at)
    again = run(restore.cli, "--from-table", restored, "--at", at)

    # Other tests delete files meanwhile, whose bytes were never kept.
    assert "2 restored" in done.stdout
    assert "0 restored" in again.stdout
    after = {file.id: (file, files.content(file.id).read()) for file in files.list()}
    assert after == before
    assert kept.id in after
    compared = run(reconcile.cli, "--project", project.name)
    assert (compared.exit_code, compared.stdout) == (0, "")
    dynamodb.delete_table(TableName=restored)


def test_reconcile_finds_and_repairs_differences(
    project: Project, local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bytes of this test are younger than an hour.
    monkeypatch.setattr("tools.reconciliation.YOUNG_SECONDS", -60)
    file = project.client.files.create(file=CONTENT, purpose="user_data")
    bucket, key = local_stack.outputs["FilesBucket"], f"files/{project.name}/{file.id}"
    aws(local_stack, "s3").delete_object(Bucket=bucket, Key=key)

    found = run(reconcile.cli, "--project", project.name)
    repaired = run(reconcile.cli, "--project", project.name, "--repair")

    assert found.exit_code == 1
    assert found.stdout == f"{project.name}  {file.id}  a file without bytes\n"
    assert (repaired.exit_code, repaired.stdout) == (0, found.stdout)
    assert [*project.client.files.list()] == []
    assert run(reconcile.cli, "--project", project.name).exit_code == 0


def test_kept_data_of_a_deleted_stack_is_taken_over(
    project: Project, local_stack: LocalStack, key_store: DynamoKeyStore
) -> None:
    # Given the table, the keys and the bucket of a stack that was deleted
    dynamodb, s3 = aws(local_stack, "dynamodb"), aws(local_stack, "s3")
    old = {name: f"old-{name.lower()}-{project.name}" for name in ("FilesTable", "KeysTable")}
    for name, table in old.items():
        described = dynamodb.describe_table(TableName=local_stack.outputs[name])["Table"]
        shape = {each: described[each] for each in ("AttributeDefinitions", "KeySchema")}
        dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **shape)
    bucket = f"old-{project.name[-8:]}"
    s3.create_bucket(Bucket=bucket)
    file, lost = a_file(), a_file(direct=True)
    for each in (file, lost):
        DynamoFileRecords(dynamodb, old["FilesTable"]).add(project.name, each)
    s3.put_object(Bucket=bucket, Key=file.blob_key(project.name), Body=b"abc")
    key, secret = Keys(DynamoKeyStore(dynamodb, old["KeysTable"])).create(project.name)
    sources = ["--from-table", old["FilesTable"], "--from-bucket", bucket]

    # When it is taken over into the deployed stack
    done = run(restore.cli, *sources, "--from-keys-table", old["KeysTable"])

    # Then its key opens its files
    assert (done.exit_code, done.stdout.splitlines()) == (
        1,
        [f"{project.name}  {lost.id}  its bytes are not there any more", "1 restored, 1 lost."],
    )
    assert key_store.get(key.hash) == key
    files = project.client.with_options(api_key=secret).files
    assert [each.id for each in files.list()] == [file.id]
    assert files.content(file.id).read() == b"abc"
