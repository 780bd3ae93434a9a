"""What AWS does beside the calls, in memory: it sends events, and ends functions anywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from files_api.service.blob_keys import parse_blob_key
from files_api.service.purge import Removed
from tests.fakes.world import World


class Crash(BaseException):
    """The function has crashed."""


class RequestFailed(Exception):
    """AWS did not answer."""


class Port:
    """A port, with a moment just before and just after each call on it."""

    def __init__(self, port: object, moment: Callable[[], None]) -> None:
        self._port, self._moment = port, moment

    def __getattr__(self, name: str) -> Any:
        return between_moments(getattr(self._port, name), self._moment)


def between_moments(call: Callable[..., Any], moment: Callable[[], None]) -> Callable[..., Any]:
    """The call, with a moment before and after it."""

    def called(*args: Any, **options: Any) -> Any:
        moment()
        answer = call(*args, **options)
        moment()
        return answer

    return called


def with_moments(world: World, moment: Callable[[], None]) -> World:
    """The same world, with a moment before and after each call on a port."""
    calls = World()
    calls.clock, calls.at_once_bytes = world.clock, world.at_once_bytes
    for name in ("records", "upload_records", "blobs", "assembler", "queue"):
        setattr(calls, name, Port(getattr(world, name), moment))
    delete_part = between_moments(world.upload_records.delete_part, moment)
    world.upload_records.delete_part = delete_part  # type: ignore[method-assign]
    return calls


@dataclass(frozen=True)
class Assemble:
    """An assembly that was requested, or one that failed for good.

    Attributes:
        upload_id: which.
        failed: whether Lambda has given up on it.
    """

    upload_id: str
    failed: bool = False


@dataclass(frozen=True)
class Created:
    """A storage event that waited: some minutes ago a blob was created."""

    key: str


type Event = Created | Removed | Assemble


class Events:
    """Events, each delivered at least once.

    Args:
        world: where they come from.
        calls: the services that handle them.

    Attributes:
        outstanding: not yet delivered, or not yet handled with success.
        delivered: handled with success; they may be delivered again.
    """

    def __init__(self, world: World, calls: World) -> None:
        self._world, self._calls = world, calls
        self.outstanding: list[Event] = []
        self.delivered: list[Event] = []

    def gather(self) -> None:
        """Collects what was removed, and which assemblies were requested."""
        self.outstanding += self._world.records.stream
        self.outstanding += self._world.upload_records.stream
        self.outstanding += [Assemble(upload_id) for _, upload_id in self._world.queue.sent]
        self._world.records.stream.clear()
        self._world.upload_records.stream.clear()
        self._world.queue.sent.clear()

    def gather_created(self) -> None:
        """Collects which blobs were created; these events come long after the call has ended."""
        self.outstanding += map(Created, self._world.blobs.created)
        self._world.blobs.created.clear()

    def deliver(self, event: Event) -> None:
        """Makes the call that the event's function makes."""
        match event:
            case Assemble(upload_id, failed=True):
                self._calls.failed_assembly.record("acme", upload_id)
            case Assemble(upload_id):
                self._calls.assembly.run("acme", upload_id)
            case Created(key):
                self._calls.blob_check.check(parse_blob_key(key))
            case _:
                self._calls.purge.removed([event])

    def items(self) -> list[tuple[str, str]]:
        """The project and the sort key of each item in the table."""
        return self._world.records.items() + self._world.upload_records.items()

    def expire(self, item: tuple[str, str]) -> None:
        """Deletes an item if it has expired, as the table's TTL does."""
        self._world.records.expire(item, self._world.clock.now)
        self._world.upload_records.expire(item, self._world.clock.now)
