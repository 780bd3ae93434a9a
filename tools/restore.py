"""`make restore`: brings back the files that a restored table has, and the stack has no more."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from files_api.aws.file_records import DynamoFileRecords, file_of
from files_api.aws.table import Kind, sort_prefix
from files_api.service.model import File
from tools.commands import Command, in_stack
from tools.stacks import Place


@click.command("make restore", cls=Command)
@in_stack
@click.option("--from-table", "source", required=True, help="The table as it was at that moment.")
@click.option(
    "--at",
    "moment",
    required=True,
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="The moment, such as 2026-11-26T12:00:00Z.",
)
@click.pass_obj
def cli(place: Place, *, source: str, moment: datetime) -> None:
    """Bring back files that were deleted after a moment.

    This needs a table that DynamoDB has restored to that moment, and a bucket that keeps deleted
    bytes (RecoveryDays). It adds what is missing, and deletes nothing.
    """
    stack = place.open()
    dynamodb, s3 = stack.client("dynamodb"), stack.client("s3")
    bucket = stack.outputs["FilesBucket"]
    records = DynamoFileRecords(dynamodb, stack.outputs["FilesTable"])
    restored = lost = 0
    for project, file in _files(dynamodb, source):
        key = file.blob_key(project)
        is_known, has_bytes = records.get(project, file.id) == file, _size(s3, bucket, key)
        if file.expired(datetime.now(UTC).timestamp()) or (is_known and has_bytes == file.bytes):
            continue
        version = _version(s3, bucket, key, moment.replace(tzinfo=UTC))
        if has_bytes != file.bytes and version is None:
            lost += 1
            click.echo(f"{project}  {file.id}  its bytes are not kept any more")
            continue
        # The record first: a storage event for bytes without one would delete them.
        records.add(project, file)
        if has_bytes != file.bytes:
            s3.copy({"Bucket": bucket, "Key": key, "VersionId": version}, bucket, key)
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


def _version(s3: Any, bucket: str, key: str, moment: datetime) -> str | None:
    """The version of the bytes that was the latest at that moment."""
    versions = [
        each
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        for each in page.get("Versions", [])
        if each["Key"] == key and each["LastModified"] <= moment
    ]
    latest = max(versions, key=lambda each: each["LastModified"], default=None)
    return latest and latest["VersionId"]


if __name__ == "__main__":
    cli()
