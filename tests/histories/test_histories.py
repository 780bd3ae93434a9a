"""What always holds for files, whatever happens in any order, with events late or repeated."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from files_api.service.blob_keys import FileBlob, parse_blob_key
from files_api.service.errors import FileNotFound, IdempotencyKeyReused
from files_api.service.model import File, NewFile, PresignedUrl, Usage
from files_api.service.purge import Removed
from files_api.service.terms import REPEATABLE_SECONDS, Terms
from tests.fakes.world import World, once


@dataclass(frozen=True)
class Arrived:
    """A storage event: the bytes of a direct upload have arrived."""

    file_id: str


@dataclass(frozen=True)
class Created:
    """A storage event that waited: some minutes ago a blob was created."""

    key: str


type Event = Arrived | Created | Removed

contents = st.binary(min_size=1, max_size=4)
lifetimes = st.sampled_from([None, 3600, 7200])
purposes = st.sampled_from(["assistants", "batch"])


class Histories(RuleBasedStateMachine):
    """Calls, direct uploads and time; the events that they cause come at any time, or again."""

    pending_files: Bundle[str] = Bundle("pending_files")
    events: Bundle[Event] = Bundle("events")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        # The files that callers know to be complete, with their bytes.
        self.complete: dict[str, tuple[File, bytes]] = {}
        self.created: list[str] = []
        # What was made by an idempotency key, with its bytes.
        self.by_key: dict[str, tuple[bytes, File | None]] = {}
        self.deleted: set[str] = set()
        self.pending: dict[str, tuple[File, PresignedUrl]] = {}
        # Files that come in parts, where their parts go, and which ones have arrived.
        self.in_parts: dict[str, tuple[File, dict[int, PresignedUrl], dict[int, bytes]]] = {}
        self.created_read = self.removed_read = 0
        self.undelivered: list[Event] = []

    # --- What callers do

    @rule(content=contents, lifetime=lifetimes, purpose=purposes)
    def create(self, content: bytes, lifetime: int | None, purpose: str) -> None:
        file = self.world.create(content, lifetime=lifetime, purpose=purpose)
        self.complete[file.id] = file, content
        self.created.append(file.id)

    @rule(key=st.sampled_from("ab"), content=contents, twin=st.booleans())
    def create_with_key(self, key: str, content: bytes, twin: bool) -> None:
        new, terms = NewFile("a", "batch", len(content)), Terms(idempotency_key=key)
        create = partial(self.world.intake.create, "acme", new, content, terms)
        before, made = self.by_key.get(key, (b"", None))
        if made and made.created_at + REPEATABLE_SECONDS > self.world.clock.now:
            try:
                assert create() == made
                assert content == before
            except IdempotencyKeyReused:
                assert content != before
            return
        raced: list[File] = []
        if twin:
            once(self.world.records, "add", before=lambda: raced.append(create()))
        file = create()
        assert raced in ([], [file])
        self.by_key[key] = content, file
        self.complete[file.id] = file, content
        self.created.append(file.id)

    @rule(target=pending_files, size=st.integers(1, 4), lifetime=lifetimes, purpose=purposes)
    def create_pending(self, size: int, lifetime: int | None, purpose: str) -> str:
        file, url = self.world.create_pending(size, lifetime=lifetime, purpose=purpose)
        self.pending[file.id] = file, url
        self.created.append(file.id)
        return file.id

    @rule(file_id=pending_files, content=contents)
    def send(self, file_id: str, content: bytes) -> None:
        if file_id not in self.pending:
            return
        file, url = self.pending[file_id]
        if self.world.blobs.send(url, content) and file_id not in self.deleted:
            self.complete[file_id] = replace(file, status="processed"), content

    @rule(target=pending_files, size=st.integers(1, 5), lifetime=lifetimes)
    def create_in_parts(self, size: int, lifetime: int | None) -> str:
        file = self.world.create_in_parts(size, 2, lifetime)
        self.in_parts[file.id] = file, self.world.part_links(file), {}
        self.created.append(file.id)
        return file.id

    @rule(choice=st.integers(0, 100), number=st.integers(1, 3), letter=st.sampled_from(b"ab"))
    def send_part(self, choice: int, number: int, letter: int) -> None:
        waiting = [each for each in self.created if each in self.in_parts]
        if not waiting:
            return
        file, links, parts = self.in_parts[waiting[choice % len(waiting)]]
        content = bytes([letter]) * min(2, file.bytes - 2 * (number - 1))
        if number not in links or not self.world.direct_parts.send(links[number], content):
            return
        parts[number] = content  # which replaces an earlier one
        if len(parts) == len(links) and file.id not in self.deleted:
            whole = b"".join(parts[each] for each in sorted(parts))
            self.complete[file.id] = replace(file, status="processed"), whole

    @rule(choice=st.integers(0, 100), retrieve_first=st.booleans())
    def delete(self, choice: int, retrieve_first: bool) -> None:
        # In the order of creation: ids are random, but what is drawn here must not be.
        known = [each for each in self.created if each not in self.deleted]
        if not known:
            return
        file_id = known[choice % len(known)]
        if retrieve_first:
            self.retrieve(file_id)
        try:
            self.world.files.delete("acme", file_id)
        except FileNotFound:
            assert not self.is_complete(file_id)
        self.deleted.add(file_id)
        self.complete.pop(file_id, None)

    @rule(file_id=pending_files)
    def retrieve(self, file_id: str) -> None:
        try:
            file = self.world.files.retrieve("acme", file_id)
        except FileNotFound:
            assert not self.is_complete(file_id)
        else:
            assert (file.status == "processed") == self.is_complete(file_id)

    @rule(seconds=st.sampled_from([1, 600, 3600, 12_000, 50_000]))
    def wait(self, seconds: int) -> None:
        # A pending file expires if nobody sees its bytes in time; events come sooner than that.
        self.finalize_all()
        self.world.clock.now += seconds

    @rule(choice=st.integers(0, 100))
    def expire(self, choice: int) -> None:
        items = self.world.records.items()
        if items:
            self.world.records.expire(items[choice % len(items)], self.world.clock.now)

    # --- What AWS does then

    @rule(target=events)
    def emit(self) -> Any:
        return multiple(*self._new_events())

    @rule(event=events)
    def deliver_and_repeat_later(self, event: Event) -> None:
        self._deliver(event)

    @rule(event=consumes(events))
    def deliver_for_the_last_time(self, event: Event) -> None:
        self._deliver(event)

    def finalize_all(self) -> None:
        for file_id in (*self.pending, *self.in_parts):
            if file_id in self.complete:
                self.world.files.finalize("acme", file_id)

    def _new_events(self) -> list[Event]:
        created, removed = self.world.blobs.created, self.world.records.stream
        new: list[Event] = []
        for key in created[self.created_read :]:
            new.append(Created(key))
            blob = parse_blob_key(key)
            if isinstance(blob, FileBlob) and blob.direct:
                new.append(Arrived(blob.file_id))
        new += removed[self.removed_read :]
        self.created_read, self.removed_read = len(created), len(removed)
        self.undelivered += new
        return new

    def _deliver(self, event: Event) -> None:
        match event:
            case Arrived(file_id):
                self.world.files.finalize("acme", file_id)
            case Created(key):
                self.world.blob_check.check(parse_blob_key(key))
            case _:
                self.world.purge.removed([event])

    # --- What always holds

    def is_complete(self, file_id: str) -> bool:
        found = self.complete.get(file_id)
        return found is not None and not found[0].expired(self.world.clock.now)

    @invariant()
    def listed_files_have_their_bytes_and_are_not_deleted(self) -> None:
        listed = self.world.listed()
        assert set(listed) == {
            *self.world.listed(purpose="assistants"),
            *self.world.listed(purpose="batch"),
        }
        assert not self.deleted & set(listed)
        for file_id in listed:
            file, content = self.complete[file_id]
            assert self.world.blobs.get(file.blob_key("acme")) == content

    @invariant()
    def bytes_of_complete_files_are_stored(self) -> None:
        for file_id, (file, content) in self.complete.items():
            if file_id in self.in_parts and file_id not in self.world.listed():
                continue  # they are stored, as parts that the next look makes one blob
            if self.is_complete(file_id):
                assert self.world.blobs.get(file.blob_key("acme")) == content

    @invariant()
    def files_are_counted_from_their_record_until_it_is_gone(self) -> None:
        assert self.world.records.usage("acme") == self.world.records.counted("acme")

    def teardown(self) -> None:
        """In the end, complete files are all that is left, and all that is counted."""
        for file_id, (file, content) in self.complete.items():
            if self.is_complete(file_id):
                assert self.world.download(file_id) == (file, content)
        for file_id in self.deleted:
            for call in (self.world.files.retrieve, self.world.files.delete):
                try:
                    call("acme", file_id)
                except FileNotFound:
                    continue
                raise AssertionError(f"{file_id} has returned")
        self.finalize_all()
        self.world.clock.now += 100 * 86_400
        for item in self.world.records.items():
            self.world.records.expire(item, self.world.clock.now)
        self._new_events()
        while self.undelivered:
            self._deliver(self.undelivered.pop())
            self._new_events()
        left = [file for file, _ in self.complete.values() if file.expires_at is None]
        size = sum(file.bytes for file in left)
        assert self.world.records.usage("acme") == Usage(len(left), size)
        assert set(self.world.listed()) == {file.id for file in left}
        assert self.world.blobs.keys() == {file.blob_key("acme") for file in left}
        assert self.world.direct_parts.unfinished() == set()
        assert set(self.world.records.items()) == {
            ("acme", sort_key)
            for file in left
            for sort_key in (f"FILE#{file.id}", f"PURPOSE#{file.purpose}#{file.id}")
        }


TestHistories = Histories.TestCase
