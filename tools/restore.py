"""`make restore`: brings back files that another table has, and the stack has not (any more)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from files_api.aws.file_records import DynamoFileRecords, file_of
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.table import Kind, sort_prefix
from files_api.service.model import File
from tools.commands import Command, in_stack
from tools.stacks import Place


@click.command("make restore", cls=Command)
@in_stack
@click.option("--from-table", "table", required=True, help="The table that has the files.")
@click.option(
    "--at",
    "moment",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="The moment to which the table was restored, such as 2026-11-26T12:00:00Z.",
)
@click.option("--from-bucket", help="The bucket that has the bytes, of a stack that was deleted.")
@click.option("--from-keys-table", help="The table that has the keys of that stack.")
@click.pass_obj
def cli(
    place: Place,
    *,
    table: str,
    moment: datetime | None,
    from_bucket: str | None,
    from_keys_table: str | None,
) -> None:
    """Bring back files: those of a moment, or those of a deleted stack.

    For a moment, this needs a table that DynamoDB has restored to it, and a bucket that keeps
    deleted bytes (RecoveryDays). It adds what is missing, and deletes nothing.
    """
    if (moment is None) == (from_bucket is None):
        raise click.UsageError("Give either --at or --from-bucket.")
    stack = place.open()
    dynamodb, s3 = stack.client("dynamodb"), stack.client("s3")
    bucket = stack.outputs["FilesBucket"]
    if from_keys_table:
        keys = DynamoKeyStore(dynamodb, stack.outputs["KeysTable"])
        for each in DynamoKeyStore(dynamodb, from_keys_table).all():
            keys.put(each)
    records = DynamoFileRecords(dynamodb, stack.outputs["FilesTable"])
    restored = lost = 0
    for project, file in _files(dynamodb, table):
        key = file.blob_key(project)
        has_bytes = _size(s3, bucket, key) == file.bytes
        if file.expired(time.time()) or (has_bytes and records.get(project, file.id) == file):
            continue
        source = _source(s3, from_bucket or bucket, key, moment)
        if not has_bytes and source is None:
            lost += 1
            click.echo(f"{project}  {file.id}  its bytes are not there any more")
            continue
        # The record first: a storage event for bytes without one would delete them.
        records.add(project, file)
        if not has_bytes:
            s3.copy(source, bucket, key)
        restored += 1
    click.echo(f"{restored} restored, {lost} lost.")
    if lost:
        raise click.ClickException("Some files cannot be restored.")


def _files(dynamodb: Any, table: str) -> Iterator[tuple[str, File]]:
    """Every file of a table, with its project."""
    for page in dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="begins_with(SK, :files)",
        ExpressionAttributeValues={":files": {"S": sort_prefix(Kind.FILE)}},
    ):
        for item in page["Items"]:
            yield item["PK"]["S"], file_of(item)


def _size(s3: Any, bucket: str, key: str) -> int | None:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    return next((each["Size"] for each in found if each["Key"] == key), None)


def _source(s3: Any, bucket: str, key: str, moment: datetime | None) -> dict[str, str] | None:
    """The bytes to copy: as they are, or as they were at a moment."""
    names = {"Bucket": bucket, "Key": key}
    if moment is None:
        return None if _size(s3, bucket, key) is None else names
    versions = [
        each
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        for each in page.get("Versions", [])
        if each["Key"] == key and each["LastModified"] <= moment.replace(tzinfo=UTC)
    ]
    if not versions:
        return None
    latest = max(versions, key=lambda each: each["LastModified"])
    return names | {"VersionId": latest["VersionId"]}


if __name__ == "__main__":
    cli()
