"""The call that the SDK lacks: to go on with an upload in parts."""

from collections.abc import Awaitable
from typing import IO, TYPE_CHECKING, overload

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI
    from openai.types import FileObject


@overload
def resume(client: "OpenAI", file_id: str, file: IO[bytes]) -> "FileObject": ...
@overload
def resume(client: "AsyncOpenAI", file_id: str, file: IO[bytes]) -> Awaitable["FileObject"]: ...
def resume(
    client: "OpenAI | AsyncOpenAI", file_id: str, file: IO[bytes]
) -> "FileObject | Awaitable[FileObject]":
    """Sends the parts of a pending file that the storage does not have, and returns the file.

    Args:
        client: of the SDK, with one of this package's HTTP clients.
        file_id: of the file, as `on_pending` was told.
        file: what `files.create` was given, open and with the same content.

    Raises the SDK's errors, such as `openai.NotFoundError` if the service has given the file up,
    FileChanged if the size is not the one that was announced, and ValueError if the file cannot
    seek.
    """
    if not file.seekable():
        raise ValueError("To resume an upload, its file must be able to seek.")
    from openai.types import FileObject

    # The HTTP client takes this request for what it means; the service never sees it.
    return client.post(
        f"/files/{file_id}/parts",
        cast_to=FileObject,
        files={"file": file},
        options={"headers": {"Content-Type": "multipart/form-data"}},
    )
