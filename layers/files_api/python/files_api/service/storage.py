"""What a project stores, and whether it may store more."""

from files_api.service.errors import StorageLimitExceeded
from files_api.service.objects import UsageObject
from files_api.service.ports import FileRecords
from files_api.service.quota import UNLIMITED, Quota


class Storage:
    """The projects' storage.

    Args:
        records: metadata of files, which counts them.
        default: the quota of projects without one of their own.
    """

    def __init__(self, records: FileRecords, default: Quota = UNLIMITED) -> None:
        self._records = records
        self._default = default

    def check(self, project: str, own: Quota, size: int) -> None:
        """Rejects a further file of `size` bytes, unless there is room for it.

        What is pending is not counted: it has been promised, and may still come in. A project
        without a limit costs no read.

        Args:
            project: owner of the file.
            own: the project's own quota.
            size: bytes of the file.

        Raises:
            StorageLimitExceeded.
        """
        quota = own.or_default(self._default)
        if quota == UNLIMITED:
            return
        usage = self._records.usage(project)
        for name, limit, used, more in (
            ("files", quota.files, usage.files, 1),
            ("bytes", quota.bytes, usage.bytes, size),
        ):
            if limit is not None and limit >= 0 and used + more > limit:
                raise StorageLimitExceeded(name, limit=limit, used=used, more=more)

    def public(self, project: str, own: Quota, max_file_bytes: int) -> UsageObject:
        """The project's usage and limits, as callers see them."""
        usage = self._records.usage(project)
        limits = own.or_default(self._default).public()
        return {
            "object": "usage",
            "project": project,
            "files": usage.files,
            "bytes": usage.bytes,
            "limits": {**limits, "file_bytes": max_file_bytes},
        }
