"""What always holds, whatever happens in whatever order, its events late, repeated, shuffled."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from files_api.errors import FileNotFound
from files_api.model import File, FileKey, Link, parse_key
from files_api.records import Removed
from tests.unit.world import World

type Event = tuple[str, Any]

contents = st.binary(min_size=1, max_size=4)
lifetimes = st.sampled_from([None, 3600, 7200])
purposes = st.sampled_from(["assistants", "batch"])


class Histories(RuleBasedStateMachine):
    """Calls, uploads and time, with the events that they cause delivered at any time, or again."""

    promises: Bundle[str] = Bundle("promises")
    events: Bundle[Event] = Bundle("events")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        # What callers have been told is there, with its bytes.
        self.there: dict[str, tuple[File, bytes]] = {}
        self.made: list[str] = []
        self.deleted: set[str] = set()
        self.promised: dict[str, tuple[File, Link]] = {}
        self.told_created = self.told_removed = 0
        self.undelivered: list[Event] = []

    # --- What callers do

    @rule(content=contents, lifetime=lifetimes, purpose=purposes)
    def create(self, content: bytes, lifetime: int | None, purpose: str) -> None:
        file = self.world.create(content, lifetime=lifetime, purpose=purpose)
        self.there[file.id] = file, content
        self.made.append(file.id)

    @rule(target=promises, size=st.integers(1, 4), lifetime=lifetimes, purpose=purposes)
    def promise(self, size: int, lifetime: int | None, purpose: str) -> str:
        file, link = self.world.promise(size, lifetime=lifetime, purpose=purpose)
        self.promised[file.id] = file, link
        self.made.append(file.id)
        return file.id

    @rule(file_id=promises, content=contents)
    def upload(self, file_id: str, content: bytes) -> None:
        file, link = self.promised[file_id]
        if self.world.blobs.upload(link, content) and file_id not in self.deleted:
            self.there[file_id] = replace(file, status="processed"), content

    @rule(choice=st.integers(0, 100), look_first=st.booleans())
    def delete(self, choice: int, look_first: bool) -> None:
        # In the order in which they were made: ids are random, what is drawn here may not be.
        known = [each for each in self.made if each not in self.deleted]
        if not known:
            return
        file_id = known[choice % len(known)]
        if look_first:
            self.look(file_id)
        try:
            self.world.files.delete("acme", file_id)
        except FileNotFound:
            assert not self.is_there(file_id)
        self.deleted.add(file_id)
        self.there.pop(file_id, None)

    @rule(file_id=promises)
    def look(self, file_id: str) -> None:
        try:
            file = self.world.files.retrieve("acme", file_id)
        except FileNotFound:
            assert not self.is_there(file_id)
        else:
            assert (file.status == "processed") == self.is_there(file_id)

    @rule(seconds=st.sampled_from([1, 600, 3600, 12_000]))
    def wait(self, seconds: int) -> None:
        # A promise whose bytes nobody noticed in time is off: events come sooner than that.
        self.settle_all()
        self.world.clock.now += seconds

    @rule(choice=st.integers(0, 100))
    def sweep_of_the_table(self, choice: int) -> None:
        items = self.world.records.items()
        if items:
            self.world.records.sweep(items[choice % len(items)], self.world.clock.now)

    # --- What AWS does then

    @rule(target=events)
    def emit(self) -> Any:
        return multiple(*self._new_events())

    @rule(event=events)
    def deliver_and_keep_for_later(self, event: Event) -> None:
        self._deliver(event)

    @rule(event=consumes(events))
    def deliver_for_the_last_time(self, event: Event) -> None:
        self._deliver(event)

    def settle_all(self) -> None:
        for file_id in self.promised:
            if file_id in self.there:
                self.world.files.settle("acme", file_id)

    def _new_events(self) -> list[Event]:
        created, removed = self.world.blobs.created, self.world.records.stream
        new: list[Event] = []
        for key in created[self.told_created :]:
            new.append(("look at", key))
            found = parse_key(key)
            if isinstance(found, FileKey) and found.direct:
                new.append(("settle", found.file_id))
        new += [("purge", each) for each in removed[self.told_removed :]]
        self.told_created, self.told_removed = len(created), len(removed)
        self.undelivered += new
        return new

    def _deliver(self, event: Event) -> None:
        kind, about = event
        if kind == "settle":
            self.world.files.settle("acme", about)
        elif kind == "look at":
            self.world.sweep.blob_created(about)
        else:
            assert isinstance(about, Removed)
            removal = (
                self.world.purge.promise_removed
                if about.promised
                else self.world.purge.file_removed
            )
            removal(about.project, about.file)

    # --- What always holds

    def is_there(self, file_id: str) -> bool:
        found = self.there.get(file_id)
        return found is not None and not found[0].expired(self.world.clock.now)

    @invariant()
    def what_is_listed_has_its_bytes_and_was_not_deleted(self) -> None:
        listed = self.world.listed()
        assert set(listed) == {
            *self.world.listed(purpose="assistants"),
            *self.world.listed(purpose="batch"),
        }
        assert not self.deleted & set(listed)
        for file_id in listed:
            file, content = self.there[file_id]
            assert self.world.blobs.get(file.key("acme")) == content

    @invariant()
    def the_bytes_of_what_is_there_are_there(self) -> None:
        for file_id, (file, content) in self.there.items():
            if self.is_there(file_id):
                assert self.world.blobs.get(file.key("acme")) == content

    def teardown(self) -> None:
        """In the end, all that is left is what is there."""
        for file_id, (file, content) in self.there.items():
            if self.is_there(file_id):
                assert self.world.downloads.content("acme", file_id) == (file, content)
        for file_id in self.deleted:
            for call in (self.world.files.retrieve, self.world.files.delete):
                try:
                    call("acme", file_id)
                except FileNotFound:
                    continue
                raise AssertionError(f"{file_id} came back")
        self.settle_all()
        self.world.clock.now += 100 * 86_400
        for item in self.world.records.items():
            self.world.records.sweep(item, self.world.clock.now)
        self._new_events()
        while self.undelivered:
            self._deliver(self.undelivered.pop())
            self._new_events()
        left = [file for file, _ in self.there.values() if file.expires_at is None]
        assert set(self.world.listed()) == {file.id for file in left}
        assert self.world.blobs.keys() == {file.key("acme") for file in left}
        assert set(self.world.records.items()) == {
            ("acme", sort_key)
            for file in left
            for sort_key in (f"F#{file.id}", f"P#{file.purpose}#{file.id}")
        }


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
