"""What always holds for uploads, whatever happens, crashes or intervenes, in any order."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from files_api.service.errors import ApiError
from files_api.service.model import TRANSFER_SECONDS, Part, PresignedUrl, Upload
from tests.fakes.world import World
from tests.histories.upload_claims import Claims
from tests.histories.upload_events import (
    Assemble,
    Crash,
    Created,
    Event,
    Events,
    RequestFailed,
    with_moments,
)

type Interruptions = list[tuple[int, str]]
"""What happens during a call, each after so many further moments of it."""
type Contents = dict[str, bytes | None]
"""Parts, and their bytes if these have arrived."""

UNANSWERED = object()
SAME = -1
INTERRUPTIONS: dict[str, Callable[[Any], None]] = {
    "the function crashes": lambda history: history.end(Crash),
    "a request fails": lambda history: history.end(RequestFailed),
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
    st.tuples(st.integers(0, 12), st.sampled_from(["the function crashes", *INTERRUPTIONS])),
    max_size=2,
)


class UploadHistories(RuleBasedStateMachine):
    """Calls, time and events; during each of them others can happen, or the function can crash."""

    @initialize(at_once=st.booleans())
    def begin(self, at_once: bool) -> None:
        self.world = World()
        if not at_once:
            self.world.at_once_bytes = 0
        self.calls = with_moments(self.world, self.moment)
        self.events = Events(self.world, self.calls)
        self.interruptions: Interruptions = []
        self.subject: Upload
        self.parts: dict[str, Contents] = {}  # by upload
        self.urls: list[tuple[Upload, str, PresignedUrl]] = []
        self.made = 0
        self.claims = Claims(self.world)
        self.open([1], 0, None, "wait", "", [])

    # --- What callers do

    @rule(
        sizes=st.lists(part_sizes, max_size=3),
        missing=st.sampled_from([0, 0, 1]),
        lifetime=lifetimes,
        then=st.sampled_from(["complete", "complete", "wait"]),
        md5=digests,
        during=interruptions,
    )
    def open(
        self,
        sizes: list[int],
        missing: int,
        lifetime: int | None,
        then: str,
        md5: str,
        during: Interruptions,
    ) -> None:
        """Opens an upload and adds parts, perhaps too few; perhaps completes it at once."""
        name = f"{len(self.claims.uploads)}.txt"
        size = sum(sizes) + missing or 1
        upload = self.world.open(size, filename=name, lifetime=lifetime)
        self.claims.uploads.append(upload)
        self.parts[upload.id] = {}
        for size in sizes:
            self.add(0, size, [])
        if then == "complete":
            self.complete(0, (2, 1, 0), True, md5, during)

    @rule(number=numbers, size=part_sizes, during=interruptions)
    def add(self, number: int, size: int, during: Interruptions) -> None:
        upload, content = self.upload(number), self.content(size)
        part = self.attempt(upload, during, lambda: self.calls.add(upload, content))
        if isinstance(part, Part):
            self.parts[upload.id][part.id] = content

    @rule(number=numbers, size=part_sizes, during=interruptions)
    def presign(self, number: int, size: int, during: Interruptions) -> None:
        upload = self.upload(number)
        answer = self.attempt(upload, during, lambda: self.calls.presign(upload, size))
        if isinstance(answer, tuple):
            part, url = answer
            self.parts[upload.id][part.id] = None
            self.urls.append((upload, part.id, url))

    @rule(choice=st.integers(0, 9), size=part_sizes, slow=st.booleans())
    def send(self, choice: int, size: int, slow: bool) -> None:
        for upload, part_id, url in self.urls[choice : choice + 1]:
            now, content = self.world.clock.now, self.content(size)
            if slow and now < url.expires_at + TRANSFER_SECONDS:  # but started in time
                self.world.clock.now = min(now, url.expires_at - 1)
            if self.world.blobs.send(url, content):
                self.parts[upload.id][part_id] = content
            self.world.clock.now = now

    @rule(
        number=numbers,
        order=st.permutations(range(4)),
        fitting=st.sampled_from([True, True, True, False]),
        md5=digests,
        during=interruptions,
    )
    def complete(
        self, number: int, order: Sequence[int], fitting: bool, md5: str, during: Interruptions
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
        request = (upload, list(chosen), digest if md5 else None)
        answer = self.attempt(upload, during, lambda: self.calls.complete(*request))
        if isinstance(answer, ApiError):
            assert not right or md5 == "wrong" or not self.claims.is_open(upload)
        elif answer is not UNANSWERED:
            completed, file = answer
            assert completed.status == "completed"
            assert right or not was_open or not self.calm
            self.claims.hear(upload, file, calm=self.calm)
            if file and file.status == "uploaded":
                self.claims.awaited.add(file.id)
            elif file and was_open:
                self.claims.ended.add(upload.id)

    def chosen(self, upload: Upload, order: Sequence[int], fitting: bool) -> Contents:
        """Some of an upload's parts; if `fitting`, no more bytes than it was created for."""
        parts = list(self.parts[upload.id].items())
        room = upload.bytes
        chosen: Contents = {}
        for part_id, content in [parts[place] for place in order if place < len(parts)]:
            if not fitting or (content and len(content) <= room):
                chosen[part_id] = content
                room -= len(content or b"")
        return chosen

    @rule(number=numbers, during=interruptions)
    def cancel(self, number: int, during: Interruptions) -> None:
        upload = self.upload(number)
        was_open = self.claims.is_open(upload)
        cancel = self.calls.cancellation.cancel
        answer = self.attempt(upload, during, lambda: cancel("acme", upload.id))
        if isinstance(answer, Upload):
            assert answer.status == "cancelled"
            self.claims.cancelled.add(upload.id)
            self.claims.ended.add(upload.id)
        else:
            assert not was_open or not self.calm

    @rule(number=numbers, during=interruptions)
    def delete(self, number: int, during: Interruptions) -> None:
        upload = self.upload(number)
        file_id = self.claims.file_id(upload)
        if file_id:
            self.claims.doomed.add(file_id)
            delete = self.calls.files.delete
            answer = self.attempt(upload, during, lambda: delete("acme", file_id))
            if answer is None:
                self.claims.deleted.add(file_id)
            elif answer is not UNANSWERED:
                assert not self.claims.has_record(upload)
            self.claims.seen.pop(file_id, None)

    @rule(number=numbers, during=interruptions)
    def retrieve(self, number: int, during: Interruptions) -> None:
        upload = self.upload(number)
        file_id = self.claims.file_id(upload)
        if file_id:
            retrieve = self.calls.files.retrieve
            answer = self.attempt(upload, during, lambda: retrieve("acme", file_id))
            if answer is not UNANSWERED:
                file = None if isinstance(answer, ApiError) else answer
                self.claims.hear(upload, file, calm=self.calm)

    # --- What happens by itself

    @rule(seconds=st.sampled_from([1, 700, 1_900, 4_000, 12_000, 90_000]))
    def wait(self, seconds: int) -> None:
        self.world.clock.now += seconds

    @rule(choice=st.integers(0, 9))
    def expire(self, choice: int) -> None:
        for item in self.events.items()[choice:]:
            self.events.expire(item)

    @rule(
        kind=st.sampled_from([Assemble, Created, object]),
        choice=st.integers(0, 9),
        again=st.booleans(),
        last=st.booleans(),
        during=interruptions,
    )
    def deliver(
        self, kind: type, choice: int, again: bool, last: bool, during: Interruptions
    ) -> None:
        known = self.events.delivered if again else self.events.outstanding
        if events := [event for event in known if isinstance(event, kind)]:
            event = events[-1 - choice % len(events)]
            known.remove(event)
            self.handle(event, during, last)

    @rule(backwards=st.booleans())
    def deliver_all(self, backwards: bool) -> None:
        self.events.gather()
        events, self.events.outstanding = self.events.outstanding, []
        for event in reversed(events) if backwards else events:
            self.handle(event, [])

    def handle(self, event: Event, during: Interruptions, last: bool = False) -> None:
        """Delivers an event to its function; if that fails, again later, or never (`last`)."""
        uploads = self.claims.uploads
        upload = next((each for each in uploads if each.id in str(event)), uploads[0])
        was_open = self.claims.is_open(upload)
        if self.attempt(upload, during, lambda: self.events.deliver(event)) is UNANSWERED:
            if isinstance(event, Assemble) and last:
                event = Assemble(event.upload_id, failed=True)
                self.claims.doubtful.add(event.upload_id)
            self.events.outstanding.append(event)
        else:
            self.events.delivered.append(event)
            if isinstance(event, Created) and not was_open:
                self.claims.checked.add(event.key)

    # --- What always holds

    @invariant()
    def claims_hold(self) -> None:
        self.events.gather()
        self.events.gather_created()
        self.claims.check()

    @invariant()
    def files_are_counted_from_their_record_until_it_is_gone(self) -> None:
        assert self.world.records.usage("acme") == self.world.records.counted("acme")

    def teardown(self) -> None:
        """Once all events are delivered, all is done; long after, only listed files are left."""
        self.drain()
        self.claims.check_done()
        self.wait(100 * 86_400)
        for item in self.events.items():
            self.events.expire(item)
        self.drain()
        self.claims.check_left()

    def drain(self) -> None:
        self.claims_hold()
        while self.events.outstanding:
            self.deliver_all(False)
            self.claims_hold()

    # --- What rules share

    def attempt(self, about: Upload, during: Interruptions, call: Callable[[], Any]) -> Any:
        """What a call returns, or the error it raises; UNANSWERED if the caller never heard."""
        self.world.clock.now += 1 / 1024  # so that ids sort by creation
        self.interruptions, self.subject, self.calm = during, about, True
        try:
            return call()
        except ApiError as refused:
            return refused
        except (
            Crash,
            RequestFailed,
            KeyError,
        ):  # KeyError: bytes were deleted while they were read
            if self.calm:
                raise
            self.claims.interrupted.add(about.id)
            return UNANSWERED
        finally:
            self.interruptions = []

    def moment(self) -> None:
        """Something may happen now."""
        if self.interruptions:
            (delay, what), *others = self.interruptions
            if delay:
                self.interruptions = [(delay - 1, what), *others]
                return
            subject = self.subject
            self.interruptions = []
            try:
                INTERRUPTIONS[what](self)
            finally:
                self.interruptions, self.subject, self.calm = others, subject, False

    def end(self, how: type[BaseException]) -> None:
        self.claims.interrupted.add(self.subject.id)
        raise how

    def upload(self, number: int) -> Upload:
        uploads = self.claims.uploads
        return self.subject if number == SAME else uploads[-1 - number % len(uploads)]

    def content(self, size: int) -> bytes:
        """Bytes unlike any others."""
        self.made += 1
        return bytes([self.made % 256]) * size


TestUploadHistories = UploadHistories.TestCase
