"""Lists of files, page by page."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from files_api.observability import logger
from files_api.service.limits import check_purpose
from files_api.service.ports import ExpiryQueue, FileRecords, PageRequest

# AWS: a function's answer can have 6 MB (AWS Lambda, "Lambda quotas"), including what surrounds the
# body.
_MAX_PAGE_BYTES = 6_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        files: the `public_json()` of each file, in order.
        has_more: whether another page follows.
    """

    files: list[str]
    has_more: bool

    def json(self) -> str:
        """The answer's body, joined without decoding the files: it takes 0.4 of the CPU."""
        first, last = (json.loads(self.files[i])["id"] if self.files else None for i in (0, -1))
        ends = json.dumps({"first_id": first, "last_id": last, "has_more": self.has_more})
        return f'{{"object": "list", "data": [{",".join(self.files)}], {ends[1:]}'


class Listing:
    """Files, page by page.

    Args:
        records: metadata of files.
        purposes: the purposes that a file can have.
        queue: starts the deletion of expired files.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: FileRecords,
        purposes: tuple[str, ...],
        queue: ExpiryQueue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._purposes = purposes
        self._queue = queue
        self._clock = clock

    def page(self, project: str, request: PageRequest) -> Page:
        """One page of the project's files.

        A page that would not fit into an answer is cut short, with `has_more`.

        Raises:
            InvalidValue: for an unknown purpose.
        """
        if request.purpose is not None:
            check_purpose(request.purpose, self._purposes)
        # One more than requested tells whether there is more.
        one_more = replace(request, limit=request.limit + 1)
        now = int(self._clock())
        files = self._records.page(project, one_more, now, lambda: self._delete_expired(project))
        fitting = _fitting(files[: request.limit])
        return Page(files[:fitting], has_more=len(files) > fitting)

    def _delete_expired(self, project: str) -> None:
        """Has expired records deleted that the table's TTL has not taken yet."""
        try:
            self._queue.send(project)
        except Exception:  # a later list does it
            logger().exception("Deletion of expired files could not start")


def _fitting(files: list[str]) -> int:
    """How many of the files fit into an answer, which is sent as JSON inside JSON."""
    size = 0
    for count, file in enumerate(files):
        size += len(file.encode()) + file.count('"') + file.count("\\") + 1
        if size > _MAX_PAGE_BYTES:
            return count
    return len(files)
