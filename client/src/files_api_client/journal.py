"""What the command remembers of uploads that have not ended, to go on with them."""

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import platformdirs

# The service keeps a pending file for three days.
_LONGEST = 4 * 24 * 3600.0


class Journal:
    """Notes, one file each: the name is a hash of what is uploaded where, the text a file's id.

    Args:
        folder: where they are; by default in the user's folder for caches.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or platformdirs.user_cache_path("files-api-client") / "uploads"

    def note(self, path: Path, *destination: Any) -> "Note":
        """The note of one upload.

        Args:
            path: of the file. Its size and its modification time count, too.
            destination: what else must be equal to go on: base URL, key, purpose, expiry. It is
                hashed together with the path, so that nothing of it can be read from the note.
        """
        stat = path.stat()
        what = [str(path.resolve()), stat.st_size, stat.st_mtime_ns, *destination]
        name = hashlib.sha256(json.dumps(what).encode()).hexdigest()
        return Note(self._folder / name)

    def forget_old(self) -> None:
        """Removes the notes of uploads that the service has given up."""
        with contextlib.suppress(OSError):
            for note in self._folder.iterdir():
                if note.stat().st_mtime < time.time() - _LONGEST:
                    note.unlink()


class Note:
    """The id of a pending file, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """The id, if there is one."""
        with contextlib.suppress(OSError):
            return self._path.read_text() or None
        return None

    def write(self, file_id: str) -> None:
        """Notes an id."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.write_text(file_id)

    def forget(self) -> None:
        """Removes the note."""
        self._path.unlink(missing_ok=True)
