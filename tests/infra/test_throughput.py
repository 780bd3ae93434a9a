"""The table of throughput in docs/operations.md, computed from what the adapters write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.ids import new_id
from files_api.service.model import File, Part, PendingFile, Upload
from tests.support import moto_stack
from tests.support.moto_stack import physical_name
from tests.support.samples import NOW, a_file
from tests.support.template import ROOT

TABLE = physical_name("FilesTable")
NAME = "annual-report-2026-final.pdf"  # as long as names usually are
# AWS: units of one partition in a second (Amazon DynamoDB, "Designing partition keys").
WRITES, READS = 1_000, 3_000
USD_PER_READ = 0.125 / 1_000_000


def attribute_bytes(value: dict[str, Any]) -> int:
    """The size of a value (Amazon DynamoDB, "DynamoDB item sizes and formats")."""
    match value:
        case {"S": text}:
            return len(text.encode())
        case {"N": number}:
            return len(number) // 2 + 2
        case {"BOOL": _}:
            return 1
    raise NotImplementedError(value)


def item_bytes(item: dict[str, Any]) -> int:
    return sum(len(name) + attribute_bytes(value) for name, value in item.items())


def units(size: int, unit: int) -> int:
    return -(-size // unit)


@dataclass
class Meter:
    """Counts the write units of a table's client (Amazon DynamoDB, "Write request units")."""

    stack: moto_stack.Stack
    used: int = 0

    def record(self, params: dict[str, Any], model: Any, **_: object) -> None:
        """Handles botocore's event `provide-client-params`."""
        if model.name == "TransactWriteItems":
            parts = [part for each in params["TransactItems"] for part in each.values()]
            self.used += sum(2 * self._units(part) for part in parts)
        elif model.name in ("PutItem", "UpdateItem"):
            self.used += self._units(params)

    def _units(self, write: dict[str, Any]) -> int:
        """Of one item: as it is written, or as it was."""
        items = (i for i in self.stack.items(TABLE) if write["Key"].items() <= i.items())
        item = write.get("Item") or next(items, write["Key"])
        return units(item_bytes(item), 1_024)

    def of(self, write: Callable[[], object]) -> int:
        self.used = 0
        write()
        return self.used


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[moto_stack.Stack]:
    with moto_stack.stack(monkeypatch) as made:
        yield made


@pytest.fixture
def meter(stack: moto_stack.Stack) -> Iterator[Meter]:
    meter, events = Meter(stack), stack.dynamodb.meta.events
    events.register("provide-client-params.dynamodb", meter.record)
    yield meter
    events.unregister("provide-client-params.dynamodb", meter.record)


def a_named_file(**changes: Any) -> File:
    return replace(a_file(filename=NAME, **changes), id=new_id(), bytes=1_048_576)


def documented() -> set[str]:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.partition("## Throughput")[2].partition("\n## ")[0]
    return {line for line in section.splitlines() if line.startswith("| ")}


def test_documented_writes_are_those_that_the_adapters_make(
    stack: moto_stack.Stack, meter: Meter
) -> None:
    files = DynamoFileRecords(stack.dynamodb, TABLE)
    uploads = DynamoUploadRecords(stack.dynamodb, TABLE)
    file, direct = a_named_file(), a_named_file(status="pending", direct=True)
    upload = Upload(new_id(), 7, NOW, NAME, "user_data", "application/pdf", NOW + 3_600)
    part = Part(new_id(), upload.id, 7, NOW)
    uploads.open("acme", upload)

    def send_directly() -> None:
        files.add_pending("acme", PendingFile(direct, NOW + 60))
        files.finalize("acme", replace(direct, status="processed"))

    def add_part() -> None:
        uploads.reserve_part("acme", part, NOW)
        uploads.add_part("acme", part)

    measured = {
        "create a file": meter.of(lambda: files.add("acme", file)),
        "delete a file": meter.of(lambda: files.delete("acme", file)),
        "direct upload, from its creation until it is processed": meter.of(send_directly),
        "add a part to an upload": meter.of(add_part),
    }

    rows = {f"| {call} | {n} write units | {WRITES // n:,} |" for call, n in measured.items()}
    assert rows <= documented()


def test_documented_reads_are_those_of_the_items(stack: moto_stack.Stack) -> None:
    # Given a project's items for its list of all files
    DynamoFileRecords(stack.dynamodb, TABLE).add("acme", a_named_file())
    (item,) = (each for each in stack.items(TABLE) if each["SK"]["S"].startswith("FILE#"))
    # A Query reads whole items, strongly consistent here (Amazon DynamoDB, "Read consistency")
    one, page, all_files = (units(item_bytes(item) * count, 4_096) for count in (1, 20, 10_000))

    assert {
        f"| retrieve a file | {one} read unit | {READS // one:,} |",
        f"| list 20 files | {page} read units | {READS // page:,} |",
        f"| list all of 10,000 files | {all_files} read units: "
        f"{all_files * USD_PER_READ:.5f} USD | {READS // all_files} |",
    } <= documented()
