"""What AWS does beside the calls, in memory: it tells of things, and ends functions anywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from files_api.records import Removed
from files_api.triggers import RemovedUpload
from tests.unit.memory_uploads import UploadWorld


class Dies(BaseException):
    """The function died."""


class Fails(Exception):
    """AWS did not answer."""


class Port:
    """A port, with a moment just before and just after each call on it."""

    def __init__(self, port: object, moment: Callable[[], None]) -> None:
        self._port, self._moment = port, moment

    def __getattr__(self, name: str) -> Any:
        return between_moments(getattr(self._port, name), self._moment)


def between_moments(call: Callable[..., Any], moment: Callable[[], None]) -> Callable[..., Any]:
    """The call, with a moment before and after it."""

    def called(*args: Any, **how: Any) -> Any:
        moment()
        answer = call(*args, **how)
        moment()
        return answer

    return called


def with_moments(world: UploadWorld, moment: Callable[[], None]) -> UploadWorld:
    """The same world, but for a moment before and after each call on a port."""
    calls = UploadWorld()
    calls.clock = world.clock
    for name in ("records", "upload_records", "blobs", "later"):
        setattr(calls, name, Port(getattr(world, name), moment))
    one_part = between_moments(world.upload_records.remove_part, moment)
    world.upload_records.remove_part = one_part  # type: ignore[method-assign]
    return calls


@dataclass(frozen=True)
class Assemble:
    """An assembly that was asked for, or one that failed for good."""

    upload_id: str
    given_up: bool = False


type Event = str | Removed | RemovedUpload | Assemble
"""What a function is told; a text is the key of an object that came to be."""


class Events:
    """What is to be told, at least once.

    Args:
        world: where things come and go.
        calls: what is told of them.

    Attributes:
        outstanding: what was not told yet, or not with success.
        told: what was told, and may be told again.
    """

    def __init__(self, world: UploadWorld, calls: UploadWorld) -> None:
        self._world, self._calls = world, calls
        self.outstanding: list[Event] = []
        self.told: list[Event] = []

    def gather(self) -> None:
        """Notes what was removed, and asked for."""
        self.outstanding += self._world.records.stream
        self.outstanding += self._world.upload_records.stream
        self.outstanding += [Assemble(upload_id) for _, upload_id in self._world.later.asked]
        self._world.records.stream.clear()
        self._world.upload_records.stream.clear()
        self._world.later.asked.clear()

    def gather_created(self) -> None:
        """Notes what came to be; of that is told when the call that it came by is long over."""
        self.outstanding += self._world.blobs.created
        self._world.blobs.created.clear()

    def tell(self, event: Event) -> None:
        """Calls what the functions call."""
        purge = self._calls.purge
        match event:
            case Assemble(upload_id, given_up=True):
                purge.assembly_failed("acme", upload_id)
            case Assemble(upload_id):
                self._calls.assembly.run("acme", upload_id)
            case RemovedUpload(project, upload_id, None):
                purge.upload_removed(project, upload_id)
            case RemovedUpload(project, upload_id, str(part_id)):
                purge.part_removed(project, upload_id, part_id)
            case Removed(project, file, promised=True):
                purge.promise_removed(project, file)
            case Removed(project, file):
                purge.file_removed(project, file)
            case str(key):
                self._calls.sweep.blob_created(key)

    def items(self) -> list[tuple[str, str]]:
        """The project and the sort key of each item in the table."""
        return self._world.records.items() + self._world.upload_records.items()

    def expire(self, item: tuple[str, str]) -> None:
        """Removes an item if it is expired, as the table's TTL does."""
        self._world.records.sweep(item, self._world.clock.now)
        self._world.upload_records.sweep(item, self._world.clock.now)
