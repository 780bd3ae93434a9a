"""Blob keys: where the bytes of files and parts are stored.

files/<project>/<file id>               bytes that a function wrote
direct/<project>/<file id>              bytes that a client PUT by presigned URL
parts/<project>/<upload id>/<part id>   a part of an upload
"""

from collections.abc import Iterable
from dataclasses import dataclass

_FILES, _DIRECT, _PARTS = "files", "direct", "parts"


@dataclass(frozen=True, slots=True)
class FileBlob:
    """The bytes of a file.

    Attributes:
        project: owner of the file.
        file_id: id of the file.
        direct: whether the client PUT them by presigned URL.
    """

    project: str
    file_id: str
    direct: bool

    @property
    def key(self) -> str:
        """The blob key."""
        return f"{_DIRECT if self.direct else _FILES}/{self.project}/{self.file_id}"


@dataclass(frozen=True, slots=True)
class PartBlob:
    """The bytes of a part of an upload.

    Attributes:
        project: owner of the upload.
        upload_id: id of the upload.
        part_id: id of the part.
    """

    project: str
    upload_id: str
    part_id: str

    @property
    def key(self) -> str:
        """The blob key."""
        return part_prefix(self.project, self.upload_id) + self.part_id


def part_prefix(project: str, upload_id: str) -> str:
    """The start of the blob keys of all parts of an upload."""
    return f"{_PARTS}/{project}/{upload_id}/"


def part_keys(project: str, upload_id: str, part_ids: Iterable[str]) -> list[str]:
    """The blob keys of several parts, in the given order."""
    return [PartBlob(project, upload_id, part_id).key for part_id in part_ids]


def parse_blob_key(key: str) -> FileBlob | PartBlob:
    """The file or part whose bytes are under a blob key. Raises ValueError for any other key."""
    prefix, project, *ids = key.split("/")
    if prefix == _PARTS and len(ids) == 2:
        return PartBlob(project, *ids)
    if prefix in (_FILES, _DIRECT) and len(ids) == 1:
        return FileBlob(project, ids[0], prefix == _DIRECT)
    raise ValueError("not the key of a file's or a part's bytes")
