"""What a deletion, an expiry or a crash leaves behind, and its removal. Knows no AWS.

Everything here may be done twice, late and in any order: it removes only what nothing owns.
"""

from files_api.model import File, blob_key, parse_blob_key
from files_api.ports import Blobs, Records


class Purge:
    """Removes what has lost its owner.

    Args:
        records: where the metadata is.
        blobs: where the bytes are.
    """

    def __init__(self, records: Records, blobs: Blobs) -> None:
        self._records = records
        self._blobs = blobs

    def file_removed(self, project: str, file: File) -> None:
        """A file's record is gone, by a call or by its expiry: so goes the rest of it."""
        self._records.remove_rest(project, file)
        self._blobs.delete(file.key(project))

    def promise_removed(self, project: str, file: File) -> None:
        """A promise is gone: kept, and then the file owns the bytes, or off, and nothing does."""
        self._remove_unowned(project, file.id, direct=True)

    def blob_created(self, key: str) -> None:
        """Bytes came to be some minutes ago: they have an owner by now, or never will."""
        project, file_id, direct = parse_blob_key(key)
        self._remove_unowned(project, file_id, direct=direct)

    def _remove_unowned(self, project: str, file_id: str, *, direct: bool) -> None:
        # The promise first: it becomes the file, never the other way round.
        if direct and self._records.pending(project, file_id):
            return
        if self._records.get(project, file_id) is None:
            self._blobs.delete(blob_key(project, file_id, direct=direct))
