"""What always holds of files in parts, whatever happens, dies or comes between, in any order."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from files_api import completion
from files_api.errors import ApiError
from files_api.files import Files
from files_api.model import TRANSFER_SECONDS, Link, Part, Upload
from tests.unit.memory_uploads import UploadWorld
from tests.unit.upload_claims import Claims
from tests.unit.upload_events import Assemble, Dies, Event, Events, Fails, with_moments

type Amid = list[tuple[int, str]]
"""What comes between, each after so many moments more of a call."""
type Contents = dict[str, bytes | None]
"""Parts, and their bytes if these have come."""

DIED = object()
SAME = -1
BETWEEN: dict[str, Callable[[Any], None]] = {
    "the function dies": lambda history: history.end(Dies),
    "a request fails": lambda history: history.end(Fails),
    "it takes long": lambda history: history.wait(700),
    "add": lambda history: history.add(SAME, 1, []),
    "cancel": lambda history: history.cancel(SAME, []),
    "complete": lambda history: history.complete(SAME, range(4), True, "", []),
    "delete": lambda history: history.delete(SAME, []),
    "events": lambda history: history.deliver_all(False),
}
numbers = st.integers(0, 2)
part_sizes = st.integers(1, 2)
lifetimes = st.sampled_from([None, None, 3600, 100_000])
digests = st.sampled_from(["", "", "right", "wrong"])
interruptions = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["the function dies", *BETWEEN])), max_size=2
)


class UploadHistories(RuleBasedStateMachine):
    """Calls, time and events; amid each of them others may come, or the function may die."""

    @initialize(at_once=st.booleans())
    def begin(self, at_once: bool) -> None:
        self.patch = pytest.MonkeyPatch()
        if not at_once:
            self.patch.setattr(completion, "_AT_ONCE_BYTES", 0)
        self.world = UploadWorld()
        self.calls = with_moments(self.world, self.moment)
        self.events = Events(self.world, self.calls)
        self.files = Files(self.calls.records, self.calls.blobs, self.calls.clock)
        self.amid: Amid = []
        self.subject: Upload
        self.parts: dict[str, Contents] = {}  # by upload
        self.links: list[tuple[Upload, str, Link]] = []
        self.made = 0
        self.claims = Claims(self.world)
        self.create([1], 0, None, "wait", "", [])

    # --- What callers do

    @rule(
        sizes=st.lists(part_sizes, max_size=3),
        missing=st.sampled_from([0, 0, 1]),
        lifetime=lifetimes,
        then=st.sampled_from(["complete", "complete", "wait"]),
        md5=digests,
        amid=interruptions,
    )
    def create(
        self,
        sizes: list[int],
        missing: int,
        lifetime: int | None,
        then: str,
        md5: str,
        amid: Amid,
    ) -> None:
        """An upload with its parts, or some of them; it may be completed at once."""
        name = f"{len(self.claims.uploads)}.txt"
        size = sum(sizes) + missing or 1
        upload = self.world.create(size, filename=name, lifetime=lifetime)
        self.claims.uploads.append(upload)
        self.parts[upload.id] = {}
        for size in sizes:
            self.add(0, size, [])
        if then == "complete":
            self.complete(0, (2, 1, 0), True, md5, amid)

    @rule(number=numbers, size=part_sizes, amid=interruptions)
    def add(self, number: int, size: int, amid: Amid) -> None:
        upload, content = self.upload(number), self.content(size)
        part = self.attempt(upload, amid, lambda: self.calls.add(upload, content))
        if isinstance(part, Part):
            self.parts[upload.id][part.id] = content

    @rule(number=numbers, size=part_sizes, amid=interruptions)
    def promise(self, number: int, size: int, amid: Amid) -> None:
        upload = self.upload(number)
        answer = self.attempt(upload, amid, lambda: self.calls.promise(upload, size))
        if isinstance(answer, tuple):
            part, link = answer
            self.parts[upload.id][part.id] = None
            self.links.append((upload, part.id, link))

    @rule(choice=st.integers(0, 9), size=part_sizes, slow=st.booleans())
    def put(self, choice: int, size: int, slow: bool) -> None:
        for upload, part_id, link in self.links[choice : choice + 1]:
            now, content = self.world.clock.now, self.content(size)
            if slow and now < link.expires_at + TRANSFER_SECONDS:  # but begun in time
                self.world.clock.now = min(now, link.expires_at - 1)
            if self.world.blobs.upload(link, content):
                self.parts[upload.id][part_id] = content
            self.world.clock.now = now

    @rule(
        number=numbers,
        order=st.permutations(range(4)),
        fitting=st.sampled_from([True, True, True, False]),
        md5=digests,
        amid=interruptions,
    )
    def complete(
        self, number: int, order: Sequence[int], fitting: bool, md5: str, amid: Amid
    ) -> None:
        upload = self.upload(number)
        chosen = self.chosen(upload, order, fitting)
        content = b"".join(each or b"" for each in chosen.values())
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        right = None not in chosen.values() and len(content) == upload.bytes
        if right and md5 == "wrong":
            self.claims.doubtful.add(upload.id)
            digest = "0" * 32
        elif right:
            self.claims.possible[upload.id].append(content)
        was_open = self.claims.is_open(upload)
        asked = (upload, list(chosen), digest if md5 else None)
        answer = self.attempt(upload, amid, lambda: self.calls.complete(*asked))
        if isinstance(answer, ApiError):
            assert not right or md5 == "wrong" or not self.claims.is_open(upload)
        elif answer is not DIED:
            completed, file = answer
            assert completed.status == "completed"
            assert right or not was_open or not self.calm
            self.claims.hear(upload, file, calm=self.calm)
            if file and file.status == "uploaded":
                self.claims.awaited.add(file.id)
            elif file and was_open:
                self.claims.ended.add(upload.id)

    def chosen(self, upload: Upload, order: Sequence[int], fitting: bool) -> Contents:
        """Some of an upload's parts; `fitting`, such as its size has room for."""
        parts = list(self.parts[upload.id].items())
        room = upload.bytes
        chosen: Contents = {}
        for part_id, content in [parts[place] for place in order if place < len(parts)]:
            if not fitting or (content and len(content) <= room):
                chosen[part_id] = content
                room -= len(content or b"")
        return chosen

    @rule(number=numbers, amid=interruptions)
    def cancel(self, number: int, amid: Amid) -> None:
        upload = self.upload(number)
        was_open = self.claims.is_open(upload)
        cancel = self.calls.uploads.cancel
        answer = self.attempt(upload, amid, lambda: cancel("acme", upload.id))
        if isinstance(answer, Upload):
            assert answer.status == "cancelled"
            self.claims.cancelled.add(upload.id)
            self.claims.ended.add(upload.id)
        else:
            assert not was_open or not self.calm

    @rule(number=numbers, amid=interruptions)
    def delete(self, number: int, amid: Amid) -> None:
        upload = self.upload(number)
        file_id = self.claims.file_id(upload)
        if file_id:
            self.claims.doomed.add(file_id)
            delete = self.files.delete
            answer = self.attempt(upload, amid, lambda: delete("acme", file_id))
            if answer is None:
                self.claims.deleted.add(file_id)
            elif answer is not DIED:
                assert not self.claims.is_kept(upload)
            self.claims.there.pop(file_id, None)

    @rule(number=numbers, amid=interruptions)
    def retrieve(self, number: int, amid: Amid) -> None:
        upload = self.upload(number)
        file_id = self.claims.file_id(upload)
        if file_id:
            retrieve = self.files.retrieve
            answer = self.attempt(upload, amid, lambda: retrieve("acme", file_id))
            if answer is not DIED:
                file = None if isinstance(answer, ApiError) else answer
                self.claims.hear(upload, file, calm=self.calm)

    # --- What comes by itself

    @rule(seconds=st.sampled_from([1, 700, 1_900, 4_000, 12_000, 90_000]))
    def wait(self, seconds: int) -> None:
        self.world.clock.now += seconds

    @rule(choice=st.integers(0, 9))
    def expire(self, choice: int) -> None:
        for item in self.events.items()[choice:]:
            self.events.expire(item)

    @rule(
        kind=st.sampled_from([Assemble, str, object]),
        choice=st.integers(0, 9),
        again=st.booleans(),
        last=st.booleans(),
        amid=interruptions,
    )
    def deliver(self, kind: type, choice: int, again: bool, last: bool, amid: Amid) -> None:
        known = self.events.told if again else self.events.outstanding
        if events := [event for event in known if isinstance(event, kind)]:
            event = events[-1 - choice % len(events)]
            known.remove(event)
            self.tell(event, amid, last)

    @rule(backwards=st.booleans())
    def deliver_all(self, backwards: bool) -> None:
        self.events.gather()
        events, self.events.outstanding = self.events.outstanding, []
        for event in reversed(events) if backwards else events:
            self.tell(event, [])

    def tell(self, event: Event, amid: Amid, last: bool = False) -> None:
        """Has a function do what an event asks for; if it dies, later again, or never."""
        uploads = self.claims.uploads
        upload = next((each for each in uploads if each.id in str(event)), uploads[0])
        was_open = self.claims.is_open(upload)
        if self.attempt(upload, amid, lambda: self.events.tell(event)) is DIED:
            if isinstance(event, Assemble) and last:
                event = Assemble(event.upload_id, given_up=True)
                self.claims.doubtful.add(event.upload_id)
            self.events.outstanding.append(event)
        else:
            self.events.told.append(event)
            if isinstance(event, str) and not was_open:
                self.claims.looked_at.add(event)

    # --- What always holds

    @invariant()
    def what_was_told_holds(self) -> None:
        self.events.gather()
        self.events.gather_created()
        self.claims.check()

    def teardown(self) -> None:
        """When all is told, all is done; long after, nothing is left but what is listed."""
        try:
            self.drain()
            self.claims.check_done()
            self.wait(100 * 86_400)
            for item in self.events.items():
                self.events.expire(item)
            self.drain()
            self.claims.check_left()
        finally:
            self.patch.undo()

    def drain(self) -> None:
        self.what_was_told_holds()
        while self.events.outstanding:
            self.deliver_all(False)
            self.what_was_told_holds()

    # --- What rules share

    def attempt(self, about: Upload, amid: Amid, call: Callable[[], Any]) -> Any:
        """What a call answers, or how it is refused; DIED if that was not heard."""
        self.world.clock.now += 1 / 1024  # so that ids are in the order of their making
        self.amid, self.subject, self.calm = amid, about, True
        try:
            return call()
        except ApiError as refused:
            return refused
        except (Dies, Fails, KeyError):  # of a KeyError: bytes that went while they were read
            if self.calm:
                raise
            self.claims.broken_off.add(about.id)
            return DIED
        finally:
            self.amid = []

    def moment(self) -> None:
        """Something may come between."""
        if self.amid:
            (more, what), *others = self.amid
            if more:
                self.amid = [(more - 1, what), *others]
                return
            subject = self.subject
            self.amid = []
            try:
                BETWEEN[what](self)
            finally:
                self.amid, self.subject, self.calm = others, subject, False

    def end(self, how: type[BaseException]) -> None:
        self.claims.broken_off.add(self.subject.id)
        raise how

    def upload(self, number: int) -> Upload:
        uploads = self.claims.uploads
        return self.subject if number == SAME else uploads[-1 - number % len(uploads)]

    def content(self, size: int) -> bytes:
        """Bytes unlike any others."""
        self.made += 1
        return bytes([self.made % 256]) * size


TestUploadHistories = UploadHistories.TestCase
TestUploadHistories.settings = settings(max_examples=700, stateful_step_count=40, deadline=None)
