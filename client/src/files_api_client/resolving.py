"""A model's input with the files themselves in the place of their ids. Independent of sockets,
threads and tasks.
"""

import base64
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import quote

MAX_BYTES = 50_000_000  # what OpenAI takes in one request: "File inputs"

Into = Literal["data", "link", "text"]
T = TypeVar("T")
# A call to make with the SDK's clients for the API and the storage; its result goes back.
Ask: TypeAlias = Callable[[Any, Any], Any]
Asking: TypeAlias = Generator[Ask, Any, T]

# Where an item of an input has a list of parts, or a screenshot: messages and what tools returned.
_FIELDS = ("content", "output")
_IMAGES = ("input_image", "computer_screenshot")


class Unresolvable(ValueError):
    """A file cannot be put into an input in the way that was asked for.

    Attributes:
        file_id: of the file.
    """

    def __init__(self, file_id: str, reason: str) -> None:
        super().__init__(f"File {file_id} {reason}")
        self.file_id = file_id


@dataclass(frozen=True)
class _Fetched:
    """A file, with the media type that it was sent with, or that of its name."""

    filename: str
    media_type: str
    content: bytes


def resolved(input: T, into: Into, max_bytes: int) -> Asking[T]:
    """Returns a copy of the input of a Responses or Chat Completions request, without file ids.

    Args:
        input: a text, or a list of items or messages.
        into: what the place of an id takes.
        max_bytes: of all files that the input then contains, one that occurs twice counted twice.

    Raises Unresolvable, and the SDK's errors.
    """
    if into not in ("data", "link", "text"):
        raise ValueError("into must be 'data', 'link' or 'text'.")
    copy: T = yield from _Resolving(into, max_bytes).each(input)
    return copy


class _Resolving:
    def __init__(self, into: Into, max_bytes: int) -> None:
        self._into = into
        self._max_bytes = max_bytes
        self._inlined = 0
        self._files: dict[str, Any] = {}
        self._links: dict[str, str] = {}
        self._contents: dict[str, _Fetched] = {}

    def each(self, items: Any) -> Asking[Any]:
        """A list of items or parts, or what stands in the place of one."""
        if not isinstance(items, list):
            return (yield from self._one(items))
        copies = []
        for item in items:
            copies.append((yield from self._one(item)))  # noqa: PERF401 - no comprehension yields
        return copies

    def _one(self, item: Any) -> Asking[Any]:
        match item:
            case {"type": "input_file", "file_id": str(file_id)} if file_id:
                return (yield from self._file(item, file_id))
            case {"type": kind, "file_id": str(file_id)} if file_id and kind in _IMAGES:
                return (yield from self._image(item, file_id))
            case {"type": "file", "file": {"file_id": str(file_id)}} if file_id:
                return (yield from self._chat_file(item, file_id))
            case {}:
                copy = dict(item)
                for field in _FIELDS:
                    if isinstance(item.get(field), list | dict):
                        copy[field] = yield from self.each(item[field])
                return copy
        return item

    def _file(self, part: Mapping[str, Any], file_id: str) -> Asking[dict[str, Any]]:
        if self._into == "text":
            return {"type": "input_text", "text": (yield from self._text(file_id))}
        if self._into == "link":
            return _without_id(part) | {"file_url": (yield from self._link(file_id))}
        return _without_id(part) | (yield from self._data(file_id))

    def _image(self, part: Mapping[str, Any], file_id: str) -> Asking[dict[str, Any]]:
        if self._into == "text":
            return {"type": "input_text", "text": (yield from self._text(file_id))}
        if self._into == "link":
            return _without_id(part) | {"image_url": (yield from self._link(file_id))}
        data = yield from self._data(file_id)
        return _without_id(part) | {"image_url": data["file_data"]}

    def _chat_file(self, part: Mapping[str, Any], file_id: str) -> Asking[dict[str, Any]]:
        if self._into == "text":
            return {"type": "text", "text": (yield from self._text(file_id))}
        if self._into == "link":
            raise Unresolvable(file_id, "cannot be a link: Chat Completions has no such field.")
        data = yield from self._data(file_id)
        return {**part, "file": _without_id(part["file"]) | data}

    def _data(self, file_id: str) -> Asking[dict[str, str]]:
        file = yield from self._fetch(file_id)
        content = base64.b64encode(file.content).decode()
        return {
            "filename": file.filename,
            "file_data": f"data:{file.media_type};base64,{content}",
        }

    def _text(self, file_id: str) -> Asking[str]:
        file = yield from self._fetch(file_id)
        try:
            text = file.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        # A PDF may consist of ASCII alone, and still it is not what its reader sees.
        if "\0" in text or file.content.startswith(b"%PDF-"):
            raise Unresolvable(file_id, f"is not text in UTF-8, but {file.media_type}.")
        return text

    def _fetch(self, file_id: str) -> Asking[_Fetched]:
        file = self._files.get(file_id)
        if file is None:
            file = yield lambda api, _: api.files.retrieve(file_id)
            self._files[file_id] = file
        self._inlined += file.bytes
        if self._inlined > self._max_bytes:
            raise Unresolvable(
                file_id, f"makes this input larger than the {self._max_bytes} bytes allowed."
            )
        if file_id not in self._contents:
            # Only a link tells the media type; `…/content` is application/octet-stream.
            link = yield from self._link(file_id)
            content = yield lambda _, storage: _download(storage, link)
            media_type = content.response.headers.get("content-type", "").partition(";")[0].strip()
            self._contents[file_id] = _Fetched(file.filename, media_type, content.content)
        return self._contents[file_id]

    def _link(self, file_id: str) -> Asking[str]:
        if file_id not in self._links:
            path = f"/files/{quote(file_id, safe='')}/url"
            link = yield lambda api, _: api.get(path, cast_to=object)
            self._links[file_id] = link["url"]
        return self._links[file_id]


def _without_id(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "file_id"}


def _download(storage: Any, url: str) -> Any:
    from openai import HttpxBinaryResponseContent, Omit

    # Amazon S3: "Only one auth mechanism allowed". The URL is signed.
    unsigned = {"headers": {"Authorization": Omit()}}
    return storage.get(url, cast_to=HttpxBinaryResponseContent, options=unsigned)
