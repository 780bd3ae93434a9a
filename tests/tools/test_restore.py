"""`make restore`: files come back with their bytes, from versions or from another bucket."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.service.ids import new_id
from files_api.service.model import File
from tests.support import moto_stack
from tests.support.moto_stack import physical_name
from tests.support.samples import a_file
from tools.restore import cli
from tools.stacks import Place, Stack

TABLE, BUCKET = physical_name("FilesTable"), physical_name("FilesBucket")
MOMENT = datetime.now(UTC).replace(microsecond=0)
THEN, OLD_BUCKET = "table-of-then", "bucket-of-a-deleted-stack"


@dataclass
class World:
    """A stack in moto whose bucket keeps versions.

    Attributes:
        now: when the bucket's next version is written.
    """

    stack: moto_stack.Stack
    records: DynamoFileRecords
    blobs: S3Blobs
    now: datetime = MOMENT - timedelta(minutes=5)

    def file(self, content: bytes = b"abc", project: str = "acme", **changes: Any) -> File:
        """A file with its bytes."""
        file = replace(a_file(**changes), id=new_id(), bytes=3)
        self.blobs.put(file.blob_key(project), content)
        self.records.add(project, file)
        return file

    def delete(self, file: File, project: str = "acme") -> None:
        self.records.delete(project, file)
        self.blobs.delete(file.blob_key(project))

    def pass_moment(self) -> None:
        """Restores the table to this moment, as moto does: as it is now."""
        self.stack.dynamodb.restore_table_to_point_in_time(
            SourceTableName=TABLE, TargetTableName=THEN, UseLatestRestorableTime=True
        )
        self.now = MOMENT + timedelta(minutes=5)

    def versions(self, file: File) -> list[Any]:
        """All versions of the file's bytes, markers of deletions included."""
        found = self.stack.s3.list_object_versions(Bucket=BUCKET, Prefix=file.blob_key("acme"))
        return [*found.get("Versions", []), *found.get("DeleteMarkers", [])]

    def stored(self, file: File, project: str = "acme") -> tuple[File | None, bytes | None]:
        """The file's record and bytes."""
        return self.records.get(project, file.id), self.blobs.get(file.blob_key(project))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with moto_stack.stack(monkeypatch) as stack:
        stack.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        outputs = {"FilesTable": TABLE, "FilesBucket": BUCKET}
        deployed = Stack(boto3.Session(), {}, outputs, {"AuthorizerTtlSeconds": "60"})
        monkeypatch.setattr(Place, "open", lambda _: deployed)
        records = DynamoFileRecords(stack.dynamodb, TABLE)
        world = World(stack, records, S3Blobs(stack.s3, BUCKET))
        monkeypatch.setattr("moto.s3.models.utcnow", lambda: world.now.replace(tzinfo=None))
        yield world


def run(*options: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(
        cli, ["--from-table", THEN, *options], catch_exceptions=False
    )


def run_at_moment(*options: str) -> tuple[int, list[str]]:
    """The command's exit code, and its lines on standard output."""
    done = run("--at", f"{MOMENT:%Y-%m-%dT%H:%M:%SZ}", *options)
    return done.exit_code, done.stdout.splitlines()


# --- A moment -------------------------------------------------------------------------------------


def test_deleted_files_come_back_without_a_copy(world: World) -> None:
    plain, direct, kept = world.file(), world.file(direct=True), world.file(purpose="batch")
    world.pass_moment()
    for file in (plain, direct):
        world.delete(file)

    assert run_at_moment() == (0, ["2 restored, 0 lost."])

    for file in (plain, direct, kept):
        assert world.stored(file) == (file, b"abc")
        assert [each["IsLatest"] for each in world.versions(file)] == [True]
    assert run_at_moment() == (0, ["0 restored, 0 lost."])


def test_bytes_come_back_before_the_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.file()
    world.pass_moment()
    world.delete(file)
    before = []
    monkeypatch.setattr(DynamoFileRecords, "add", lambda *_: before.append(world.stored(file)))

    run_at_moment()

    assert before == [(None, b"abc")]


def test_bytes_that_were_deleted_alone_come_back(world: World) -> None:
    file = world.file()
    world.pass_moment()
    world.blobs.delete(file.blob_key("acme"))

    assert run_at_moment() == (0, ["1 restored, 0 lost."])
    assert world.stored(file) == (file, b"abc")


@pytest.mark.parametrize("deleted", [False, True])
def test_replaced_bytes_are_those_of_the_moment_again(world: World, *, deleted: bool) -> None:
    file = world.file()
    world.pass_moment()
    world.blobs.put(file.blob_key("acme"), b"xyz")
    if deleted:
        world.delete(file)

    assert run_at_moment() == (0, ["1 restored, 0 lost."])
    assert world.stored(file) == (file, b"abc")


def test_expired_files_stay_away(world: World) -> None:
    file = world.file(expires_at=int(time.time()) - 1)
    world.pass_moment()
    world.delete(file)

    assert run_at_moment() == (0, ["0 restored, 0 lost."])
    assert world.stored(file) == (None, None)


@pytest.mark.parametrize("gone", ["version", "later", "other size"])
def test_file_without_its_bytes_is_named_and_left_away(world: World, gone: str) -> None:
    if gone == "later":
        world.now = MOMENT + timedelta(seconds=1)
    file = world.file(b"abcd" if gone == "other size" else b"abc")
    world.pass_moment()
    world.records.delete("acme", file)
    if gone == "version":
        (version,) = world.versions(file)
        world.stack.s3.delete_object(
            Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"]
        )

    assert run_at_moment() == (
        1,
        [f"acme  {file.id}  its bytes are not there any more", "0 restored, 1 lost."],
    )
    assert world.records.get("acme", file.id) is None


def test_only_the_files_of_a_chosen_project_come_back(world: World) -> None:
    ours, theirs = world.file(), world.file(project="globex")
    world.pass_moment()
    world.delete(ours)
    world.delete(theirs, "globex")

    assert run_at_moment("--project", "acme") == (0, ["1 restored, 0 lost."])
    assert world.stored(ours) == (ours, b"abc")
    assert world.stored(theirs, "globex") == (None, None)


# --- A deleted stack ------------------------------------------------------------------------------


def test_kept_files_are_copied_to_where_no_event_deletes_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, direct = world.file(), world.file(direct=True)
    world.pass_moment()
    world.stack.s3.create_bucket(Bucket=OLD_BUCKET)
    for file in (plain, direct):
        world.delete(file)
        world.stack.s3.put_object(Bucket=OLD_BUCKET, Key=file.blob_key("acme"), Body=b"abc")
    before = []
    add = DynamoFileRecords.add

    def note(records: DynamoFileRecords, project: str, file: File) -> None:
        before.append(world.stored(file))
        add(records, project, file)

    monkeypatch.setattr(DynamoFileRecords, "add", note)

    done, again = run("--from-bucket", OLD_BUCKET), run("--from-bucket", OLD_BUCKET)

    assert (done.stdout, again.stdout) == ("2 restored, 0 lost.\n", "0 restored, 0 lost.\n")
    assert before == [(None, b"abc")] * 2
    for file in (plain, replace(direct, direct=False)):
        assert world.stored(file) == (file, b"abc")


def test_copy_of_other_size_is_lost(world: World) -> None:
    file = world.file()
    world.pass_moment()
    world.stack.s3.create_bucket(Bucket=OLD_BUCKET)
    world.stack.s3.put_object(Bucket=OLD_BUCKET, Key=file.blob_key("acme"), Body=b"abcd")
    world.delete(file)

    done = run("--from-bucket", OLD_BUCKET)

    assert (done.exit_code, done.stdout.splitlines()[-1]) == (1, "0 restored, 1 lost.")
    assert world.stored(file) == (None, None)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "options", [[], ["--at", "2026-11-26T12:00:00Z", "--from-bucket", OLD_BUCKET]]
)
def test_restore_needs_a_moment_or_a_bucket(options: list[str]) -> None:
    asked = run(*options)

    assert asked.exit_code == 2
    assert "Give either --at or --from-bucket." in asked.stderr
