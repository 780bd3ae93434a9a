"""Lists of files, page by page. Knows neither HTTP nor AWS."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from files_api.intake import check_purpose
from files_api.ports import Query, Records

# AWS: a function's answer holds 6 MB (AWS Lambda, "Lambda quotas"), less room for what is around
# the body.
_MAX_PAGE_BYTES = 6_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, its files still as JSON texts.

    Attributes:
        docs: the public objects, in order.
        has_more: whether another page follows.
    """

    docs: list[str]
    has_more: bool

    def json(self) -> str:
        """The answer's body. Joined, not decoded: a list of 10,000 costs no more than its bytes."""
        first, last = (json.loads(self.docs[i])["id"] if self.docs else None for i in (0, -1))
        ends = json.dumps({"first_id": first, "last_id": last, "has_more": self.has_more})
        return f'{{"object": "list", "data": [{",".join(self.docs)}], {ends[1:]}'


class Listing:
    """Files, page by page.

    Args:
        records: where they are.
        purposes: what the stack knows as purposes.
        clock: Unix seconds.
    """

    def __init__(
        self,
        records: Records,
        purposes: tuple[str, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._purposes = purposes
        self._clock = clock

    def page(
        self,
        project: str,
        *,
        purpose: str | None = None,
        limit: int,
        newest_first: bool = True,
        after: str | None = None,
    ) -> Page:
        """One page of the project's files, by creation.

        A page ends early, with `has_more`, where it would not fit an answer.

        Args:
            project: whose files.
            purpose: only files of this purpose, if given.
            limit: at most so many.
            newest_first: the latest first, or the earliest.
            after: start behind this id, whether or not such a file is (still) there.

        Raises:
            InvalidValue: for an unknown purpose.
        """
        if purpose is not None:
            check_purpose(purpose, self._purposes)
        # One more than asked for tells whether there is more.
        query = Query(project, purpose, limit + 1, newest_first, after, int(self._clock()))
        docs = self._records.docs(query)
        fitting = _fitting(docs[:limit])
        return Page(docs[:fitting], has_more=len(docs) > fitting)


def _fitting(docs: list[str]) -> int:
    """How many of the docs fit an answer, which is sent as JSON inside JSON."""
    size = 0
    for count, doc in enumerate(docs):
        size += len(doc.encode()) + doc.count('"') + doc.count("\\") + 1
        if size > _MAX_PAGE_BYTES:
            return count
    return len(docs)
