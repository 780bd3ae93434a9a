"""`make restore`: brings back files that another table has, and the stack has not (any more)."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

import click

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords, file_of
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.table import Kind, sort_prefix
from files_api.service.model import File
from tools.commands import Command, in_stack
from tools.stacks import Place


class Bytes(Enum):
    """What was found out, and done, about the bytes of a file."""

    THERE = auto()
    BROUGHT_BACK = auto()
    LOST = auto()


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
@click.option("--project", "only", help="Only the files of this project; default: all.")
@click.pass_obj
def cli(
    place: Place,
    *,
    table: str,
    moment: datetime | None,
    from_bucket: str | None,
    from_keys_table: str | None,
    only: str | None,
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
            keys.set_quota(each.project, each.quota)
    source: Versions | Copies
    if moment:
        source = Versions(s3, bucket, moment.replace(tzinfo=UTC))
    elif from_bucket:
        source = Copies(s3, from_bucket, bucket)
    records = DynamoFileRecords(dynamodb, stack.outputs["FilesTable"])
    restored = lost = 0
    for project, then in _files(dynamodb, table, only):
        if then.expired(time.time()):
            continue
        # The bytes first: no reader ever sees a file without them.
        file, found = source.bring(project, then)
        if found is Bytes.LOST:
            lost += 1
            click.echo(f"{project}  {file.id}  its bytes are not there any more")
            continue
        is_known = records.get(project, file.id) is not None
        if not is_known:
            records.add(project, file)
        restored += not is_known or found is Bytes.BROUGHT_BACK
    click.echo(f"{restored} restored, {lost} lost.")
    if lost:
        raise click.ClickException("Some files cannot be restored.")


def _files(dynamodb: Any, table: str, project: str | None) -> Iterator[tuple[str, File]]:
    """Every file of a table, or of one project in it, with its project."""
    query: dict[str, Any] = {"TableName": table}
    values = {":files": {"S": sort_prefix(Kind.FILE)}}
    if project is None:
        pages = dynamodb.get_paginator("scan")
        query["FilterExpression"] = "begins_with(SK, :files)"
    else:
        pages = dynamodb.get_paginator("query")
        query["KeyConditionExpression"] = "PK = :project AND begins_with(SK, :files)"
        values[":project"] = {"S": project}
    for page in pages.paginate(**query, ExpressionAttributeValues=values):
        for item in page["Items"]:
            yield item["PK"]["S"], file_of(item)


class Versions:
    """The bytes that a bucket had at a moment, in the same bucket."""

    def __init__(self, s3: Any, bucket: str, moment: datetime) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._moment = moment

    def bring(self, project: str, file: File) -> tuple[File, Bytes]:
        """Makes the file's bytes of that moment the current ones."""
        key = file.blob_key(project)
        pages = [
            *self._s3.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=key
            )
        ]
        versions = [each for page in pages for each in page.get("Versions", [])]
        then = [each for each in versions if each["LastModified"] <= self._moment]
        wanted = max(then, key=_modified, default=None)
        if wanted is None or wanted["Size"] != file.bytes:
            return file, Bytes.LOST
        if wanted["IsLatest"]:
            return file, Bytes.THERE
        if wanted is max(versions, key=_modified):
            # It was deleted: without the marker that says so, it is current again. That copies
            # nothing, and no storage event makes FinalizeFile delete bytes without a record.
            for marker in [each for page in pages for each in page.get("DeleteMarkers", [])]:
                self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=marker["VersionId"])
        else:
            source = {"Bucket": self._bucket, "Key": key, "VersionId": wanted["VersionId"]}
            self._s3.copy(source, self._bucket, key)
        return file, Bytes.BROUGHT_BACK


class Copies:
    """The bytes of another bucket, copied into the stack's own."""

    def __init__(self, s3: Any, source: str, bucket: str) -> None:
        self._s3 = s3
        self._source = S3Blobs(s3, source)
        self._source_bucket = source
        self._blobs = S3Blobs(s3, bucket)
        self._bucket = bucket

    def bring(self, project: str, file: File) -> tuple[File, Bytes]:
        """Copies the file's bytes.

        Under files/, wherever they were: FinalizeFile would delete bytes that arrive under direct/
        before their record.
        """
        copied = replace(file, direct=False)
        source, key = file.blob_key(project), copied.blob_key(project)
        if self._blobs.size(key) == file.bytes:
            return copied, Bytes.THERE
        if self._source.size(source) != file.bytes:
            return copied, Bytes.LOST
        self._s3.copy({"Bucket": self._source_bucket, "Key": source}, self._bucket, key)
        return copied, Bytes.BROUGHT_BACK


def _modified(version: Any) -> datetime:
    modified: datetime = version["LastModified"]
    return modified


if __name__ == "__main__":
    cli()
