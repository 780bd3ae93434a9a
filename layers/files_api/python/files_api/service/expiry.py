"""Expiry: deletes records that have expired before the table's TTL does, which may take days.

Every call treats an expired file as gone, so only lists need this: they would read the records.
"""

import time
from collections.abc import Callable

from files_api.service.ports import FileRecords

# How long a run may take (the function's timeout): no other starts meanwhile.
RUN_SECONDS = 900


class Expiry:
    """Deletes expired files.

    Args:
        records: metadata of files.
        clock: Unix seconds.
    """

    def __init__(self, records: FileRecords, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock

    def delete(self, project: str) -> None:
        """Deletes the project's expired files, as many as there is time for."""
        now = int(self._clock())
        self._records.delete_expired(project, now, now + RUN_SECONDS)
