"""`make reconcile`: every way in which table and bucket can differ is found, and put right."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.table import key
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.blob_keys import PartBlob
from files_api.service.ids import new_id
from files_api.service.keys import SCOPES, Key
from files_api.service.model import File, Part, PendingFile, Upload, Usage
from tests.support import moto_stack
from tests.support.moto_stack import physical_name
from tests.support.samples import a_file
from tools.reconcile import cli
from tools.reconciliation import Difference, Reconciliation, joined
from tools.stacks import Place, Stack

FILES_TABLE, FILES_BUCKET = physical_name("FilesTable"), physical_name("FilesBucket")
KEYS_TABLE = physical_name("KeysTable")
KEY = Key("ab" * 32, "acme", "", SCOPES, "wxyz", 1, 1)
DAY = 86_400


@dataclass
class World:
    """A stack in moto, a day after everything in it was made.

    Attributes:
        started: the assemblies that were started.
    """

    stack: moto_stack.Stack
    records: DynamoFileRecords
    uploads: DynamoUploadRecords
    blobs: S3Blobs
    now: float
    started: list[tuple[str, str]] = field(default_factory=list)

    def send(self, project: str, upload_id: str) -> None:
        self.started.append((project, upload_id))

    def reconciliation(self) -> Reconciliation:
        stores = (self.stack.dynamodb, self.stack.s3, FILES_TABLE, FILES_BUCKET)
        return Reconciliation(*stores, queue=self, clock=lambda: self.now)

    def differences(self) -> list[Difference]:
        return list(self.reconciliation().differences("acme"))

    def file(self, **changes: Any) -> File:
        """A file with its bytes."""
        file = replace(a_file(**changes), id=new_id(), bytes=3)
        self.blobs.put(file.blob_key("acme"), b"abc")
        self.records.add("acme", file)
        return file

    def pending(self, **changes: Any) -> File:
        """A direct upload whose bytes have not arrived."""
        file = replace(a_file(status="pending", direct=True, **changes), id=new_id(), bytes=3)
        self.records.add_pending("acme", PendingFile(file, int(self.now) + DAY))
        return file

    def upload(self) -> tuple[Upload, Part]:
        """An upload with one part."""
        upload = Upload(new_id(), 3, 0, "a", "batch", "text/plain", int(self.now) + DAY)
        part = Part(new_id(), upload.id, 3, 0)
        self.uploads.open("acme", upload)
        self.uploads.add_part("acme", part)
        self.blobs.put(PartBlob("acme", upload.id, part.id).key, b"abc")
        return upload, part

    def delete_item(self, sort_key: str) -> None:
        self.stack.dynamodb.delete_item(TableName=FILES_TABLE, Key=key("acme", sort_key))

    def complete(self, status: str) -> Upload:
        """A completed upload whose parts are still there, and whose file has this status."""
        upload, part = self.upload()
        file = replace(a_file(status="uploaded"), id=new_id(), bytes=3)
        done = replace(upload, status="completed", file_id=file.id, part_ids=(part.id,))
        self.uploads.close("acme", done, PendingFile(file, int(self.now) + DAY))
        if status == "processed":
            self.blobs.put(file.blob_key("acme"), b"abc")
            self.records.finalize("acme", replace(file, status="processed"))
        return upload


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with moto_stack.stack(monkeypatch) as stack:
        yield World(
            stack,
            DynamoFileRecords(stack.dynamodb, FILES_TABLE),
            DynamoUploadRecords(stack.dynamodb, FILES_TABLE),
            S3Blobs(stack.s3, FILES_BUCKET),
            time.time() + DAY,
        )


def without_first_item(world: World) -> str:
    file = world.file()
    world.delete_item(f"FILE#{file.id}")
    world.records.correct("acme", files=-1, size=-file.bytes)  # which counts as its end
    return file.id


def without_second_item(world: World) -> str:
    file = world.file()
    world.delete_item(f"PURPOSE#{file.purpose}#{file.id}")
    return file.id


def without_bytes(world: World) -> str:
    file = world.file()
    world.blobs.delete(file.blob_key("acme"))
    return file.id


def with_other_bytes(world: World) -> str:
    file = world.file()
    world.blobs.put(file.blob_key("acme"), b"abcd")
    return file.id


def bytes_alone(world: World) -> str:
    file_id = new_id()
    world.blobs.put(f"files/acme/{file_id}", b"abc")
    return file_id


def bytes_in_the_other_folder(world: World) -> str:
    file = world.file()
    world.blobs.put(f"direct/acme/{file.id}", b"abc")
    return file.id


def arrived(world: World) -> str:
    file = world.pending()
    world.blobs.put(file.blob_key("acme"), b"abc")
    return file.id


def part_without_record(world: World) -> str:
    upload, _ = world.upload()
    world.blobs.put(PartBlob("acme", upload.id, new_id()).key, b"abc")
    return upload.id


def parts_of_no_upload(world: World) -> str:
    upload, _ = world.upload()
    world.delete_item(f"UPLOAD#{upload.id}")
    return upload.id


def parts_of_a_cancelled_upload(world: World) -> str:
    upload, _ = world.upload()
    world.uploads.close("acme", replace(upload, status="cancelled"))
    return upload.id


KINDS: dict[Callable[[World], str], str] = {
    without_first_item: "a file with one item instead of two",
    without_second_item: "a file with one item instead of two",
    without_bytes: "a file without bytes",
    with_other_bytes: "a file of 3 bytes, of which the bucket has 4",
    bytes_alone: "3 bytes without a file",
    bytes_in_the_other_folder: "3 bytes without a file",
    arrived: "a pending file whose bytes have arrived",
    part_without_record: "bytes of part",
    parts_of_no_upload: "parts that no file needs",
    parts_of_a_cancelled_upload: "parts that no file needs",
    lambda world: world.complete("processed").id: "parts that no file needs",
}


@pytest.mark.parametrize(("make", "problem"), KINDS.items())
def test_each_difference_is_found_and_put_right(
    make: Callable[[World], str], problem: str, world: World
) -> None:
    kept, pending, (upload, _) = world.file(), world.pending(), world.upload()
    id = make(world)

    (difference,) = world.differences()
    assert (difference.project, difference.id) == ("acme", id)
    assert difference.problem.startswith(problem)
    difference.repair()

    left = world.differences()
    # Without the stream, the bytes of parts whose records went are found the next time.
    assert all(each.problem.startswith("bytes of part") for each in left)
    for each in left:
        each.repair()
    assert world.differences() == []
    assert world.records.get("acme", kept.id) == kept
    assert world.blobs.get(kept.blob_key("acme")) == b"abc"
    assert world.records.get_pending("acme", pending.id)
    assert len(world.uploads.parts("acme", upload.id)) == 1
    assert world.blobs.sizes(f"parts/acme/{upload.id}/")


def test_arrived_file_is_finalized(world: World) -> None:
    file_id = arrived(world)

    (difference,) = world.differences()
    difference.repair()

    file = world.records.get("acme", file_id)
    assert file
    assert file.status == "processed"


def test_waiting_assembly_is_started(world: World) -> None:
    upload = world.complete("uploaded")

    (difference,) = world.differences()
    assert difference.problem == "parts that wait to be assembled"
    difference.repair()

    assert world.started == [("acme", upload.id)]


def test_what_is_young_or_expired_is_no_difference(world: World) -> None:
    world.file(expires_at=int(world.now) - 1)
    assert world.differences() == []

    world.now -= DAY  # as it was when all of this was made
    for make in (bytes_alone, part_without_record):
        make(world)
    assert world.differences() == []


def test_difference_that_is_gone_when_looked_at_again_is_none(world: World) -> None:
    file_id = bytes_alone(world)
    reconciliation = world.reconciliation()
    world.stack.dynamodb.meta.events.register(
        "before-call.dynamodb.GetItem",
        lambda **_: world.blobs.delete(f"files/acme/{file_id}"),
    )

    assert list(reconciliation.differences("acme")) == []


def test_every_purpose_and_project_is_compared(world: World) -> None:
    for purpose in ("assistants", "batch", "fine-tune", "user_data"):
        file = world.file()
        world.records.delete("acme", file)
        world.records.add("acme", replace(file, purpose=purpose))
    world.blobs.put(f"direct/globex/{new_id()}", b"abc")
    world.blobs.put(f"parts/initech/{new_id()}/{new_id()}", b"abc")

    reconciliation = world.reconciliation()

    assert reconciliation.projects() == {"acme", "globex", "initech"}
    assert list(reconciliation.differences("acme")) == []
    assert reconciliation.compared == 4


def run(*options: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(cli, [*options], catch_exceptions=False)


def test_command_tells_what_differs_and_repairs_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = without_bytes(world)
    DynamoKeyStore(world.stack.dynamodb, KEYS_TABLE).put(KEY)
    outputs = {
        "FilesTable": FILES_TABLE,
        "FilesBucket": FILES_BUCKET,
        "KeysTable": KEYS_TABLE,
        "KeyPrefix": "sk-",
        "AssembleFunction": "assemble",
    }
    stack = Stack(boto3.Session(), {}, outputs, {"AuthorizerTtlSeconds": "60"})
    monkeypatch.setattr(Place, "open", lambda _: stack)
    # The files of this test are younger than an hour.
    monkeypatch.setattr("tools.reconciliation.YOUNG_SECONDS", -1)
    line = f"acme  {file_id}  a file without bytes\n"
    summary = "1 file or part compared in 1 project, 1 difference"

    found, repaired, again = run(), run("--repair"), run("--project", "acme")

    assert (found.exit_code, found.stdout) == (1, line)
    assert found.stderr.startswith(f"{summary} found.\nError: The table and the bucket differ.")
    assert (repaired.exit_code, repaired.stdout) == (0, line)
    assert repaired.stderr == f"{summary} repaired.\n"
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == "0 files and parts compared in 1 project, 0 differences found.\n"


def test_merging_takes_little_memory_however_long_the_lists() -> None:
    def ids(step: int) -> Iterator[tuple[str, object]]:
        return ((f"{number:08}", object()) for number in range(0, 200_000, step))

    tracemalloc.start()
    try:
        merged = sum(len(found) for _, found in joined({"even": ids(2), "third": ids(3)}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert merged == 100_000 + 66_667
    assert peak < 100_000


def test_counters_are_compared_with_the_files_and_corrected(world: World) -> None:
    for _ in range(3):
        world.file()
    assert world.differences() == []
    world.records.correct("acme", files=2, size=-5)

    (difference,) = world.differences()
    assert difference.problem == "5 files of 4 bytes counted, where there are 3 of 9"
    world.file()  # before it is repaired
    difference.repair()

    assert world.differences() == []
    assert world.records.usage("acme") == Usage(4, 12)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_counters_are_compared_while_no_file_comes_or_goes(world: World, times: int) -> None:
    file = world.file()
    world.records.correct("acme", files=1, size=1)
    reconciliation = world.reconciliation()
    usual, left = reconciliation._items, [*range(times)]

    def busy(project: str, prefix: str) -> Iterator[tuple[str, Any]]:
        yield from usual(project, prefix)
        if prefix == "FILE#" and left and reconciliation.compared:
            left.pop()
            world.records.add("acme", replace(file, id=new_id()))
            world.records.delete("acme", file)

    reconciliation._items = busy  # type: ignore[method-assign]

    found = [each.problem for each in reconciliation.differences("acme") if each.id == "counters"]

    assert (found != []) == (times < 3)
    assert reconciliation.busy == ([] if times < 3 else ["acme"])
