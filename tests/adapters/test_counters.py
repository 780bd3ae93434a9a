"""The counters are exact, whatever comes in any order and wherever AWS fails; calls seldom meet."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings

from files_api.aws.file_records import DynamoFileRecords, file_of
from files_api.aws.table import key
from files_api.service.ids import new_id
from files_api.service.model import File, PendingFile, Usage
from tests.adapters.conftest import FILES_TABLE, Hook
from tests.support.moto_stack import Stack
from tests.support.samples import NOW, a_file

# moto copies the whole table in each transaction: so that is kept small.
_KNOWN = 20
_STEPS = 150
# `HYPOTHESIS_PROFILE=fuzz` has 100,000 steps.
_SEEDS = max(2, settings.default.max_examples // _STEPS) if settings.default else 2


class Lost(Exception):
    """AWS cannot be reached."""


class Load:
    """Calls in any order, some of which fail before or after they take effect.

    A file comes into being by `add` or, where its bytes come by themselves or in parts, by
    `finalize`; nothing else counts it.

    Attributes:
        done: how many there were of each kind, and of failures.
    """

    def __init__(self, files: DynamoFileRecords, stack: Stack, seed: int) -> None:
        self._files = files
        self._stack = stack
        self._random = random.Random(seed)
        self._known: list[File] = []
        self._fail = ""
        self.done = Counter[str]()

    def before_send(self, **_: object) -> None:
        self._lose("before")

    def before_parse(self, **_: object) -> None:
        self._lose("after")

    def _lose(self, when: str) -> None:
        if self._fail == when:
            self.done[f"failed {when}"] += 1
            raise Lost

    def step(self) -> None:
        name = self._random.choice(["add", "add", "direct", "direct", "delete", "expire", "purge"])
        self._fail = self._random.choice(["", "", "", "before", "after"])
        self.done[name] += 1
        with suppress(Lost):
            getattr(self, f"_{name}")()
        self._fail = ""

    def _file(self) -> File:
        expires_at = self._random.choice([None, NOW - 1, NOW + 60])
        file = replace(a_file(expires_at=expires_at), id=new_id())
        file = replace(file, bytes=self._random.randrange(1, 10**12))
        self._known = [*self._known[-_KNOWN:], file]
        return file

    def _add(self) -> None:
        file = self._file()
        for _ in range(self._random.choice([1, 2])):
            self._files.add("acme", file)

    def _direct(self) -> None:
        file = self._file()
        fail, self._fail = self._fail, ""
        self._files.add_pending("acme", PendingFile(file, NOW + 60))
        self._fail = fail
        for _ in range(self._random.choice([1, 2])):
            self._files.finalize("acme", file)

    def _some(self) -> list[File]:
        return self._random.sample(self._known, min(len(self._known), 4))

    def _delete(self) -> None:
        for file in self._some():
            self._files.delete("acme", file)
        for file in self._known[:2] if len(self._known) > _KNOWN else []:
            self._files.delete("acme", file)

    def _expire(self) -> None:
        """As TTL deletes items, and a list has others deleted."""
        fail, self._fail = self._fail, ""
        for file in self._some():
            if file.expires_at:
                twin = key("acme", f"PURPOSE#{file.purpose}#{file.id}")
                self._stack.dynamodb.delete_item(TableName=FILES_TABLE, Key=twin)
        self._fail = fail
        if self._random.random() < 0.2:
            self._files.delete_expired("acme", NOW, NOW - 1)

    def _purge(self) -> None:
        """As the table's stream tells: late, repeated, in any order."""
        gone = [file for file in self._known if file.expires_at]
        some = self._random.sample(gone, min(len(gone), 8))
        self._files.delete_leftovers({("acme", file) for file in some})


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_counters_are_exact_wherever_aws_fails(
    dynamo_files: DynamoFileRecords, dynamodb: Any, stack: Stack, hook: Hook, seed: int
) -> None:
    load = Load(dynamo_files, stack, seed)
    hook(dynamodb, "before-send.dynamodb", load.before_send)
    hook(dynamodb, "before-parse.dynamodb", load.before_parse)

    for number in range(_STEPS):
        load.step()
        if number % 10 == 0:
            stack.restore(stack.contents())  # without the stream, which moto copies each time

    items = stack.items(FILES_TABLE)
    there = [file_of(item) for item in items if item["SK"]["S"].startswith("FILE#")]
    assert dynamo_files.usage("acme") == Usage(len(there), sum(file.bytes for file in there))
    assert len(there) > 5
    assert min(load.done.values()) > 5


class Busy:
    """A client that has transactions take some milliseconds, as DynamoDB does.

    Of two at once, one may not touch the other's items (Amazon DynamoDB, "Transaction conflict
    handling in DynamoDB"). moto has one after another.

    Attributes:
        refused: how many transactions.
    """

    def __init__(self, dynamodb: Any) -> None:
        self.exceptions = dynamodb.exceptions
        self.refused = 0
        self._held: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def transact_write_items(self, **sent: Any) -> None:
        changes = [change for each in sent["TransactItems"] for change in each.values()]
        keys = [change.get("Key") or change["Item"] for change in changes]
        touched = {(each["PK"]["S"], each["SK"]["S"]) for each in keys}
        with self._lock:
            free = not self._held & touched
            self.refused += not free
            self._held |= touched if free else set()
        if not free:
            error = {"Code": "TransactionCanceledException", "Message": "…"}
            raise self.exceptions.TransactionCanceledException(
                {"Error": error, "CancellationReasons": [{"Code": "TransactionConflict"}]},
                "TransactWriteItems",
            )
        time.sleep(0.01)
        with self._lock:
            self._held -= touched


def test_parallel_calls_of_a_project_seldom_meet(dynamodb: Any) -> None:
    client: Any = Busy(dynamodb)
    files = DynamoFileRecords(client, FILES_TABLE)

    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(
            lambda _: files.add("acme", replace(a_file(), id=new_id())), range(640)
        ):
            pass

    # A call meets one of the 15 others with a chance of 15 in 64 at most, and then again.
    assert client.refused < 0.4 * 640
