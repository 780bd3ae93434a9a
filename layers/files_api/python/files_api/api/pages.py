"""Web pages: files of a function's own folder, for everybody, without a key."""

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from files_api.api.function import Event
from files_api.api.http import Answering, Response, failure, headers
from files_api.api.openapi import of_deployment
from files_api.service.errors import UnknownUrl
from files_api.service.limits import Limits

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
SETTINGS: Final = "/console/settings.json"
OPENAPI: Final = "/openapi.json"
# A page runs the scripts of this folder and no others. It talks to the API and to the bucket, and
# shows pictures and documents only from bytes that it has fetched.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self' {bucket}; frame-src blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class _File:
    """A file as it is served. It is read when it is first asked for."""

    read: Callable[[], bytes]
    media_type: str

    @cached_property
    def content(self) -> bytes:
        return self.read()

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)


class Pages(Answering[tuple[str, Limits]]):
    """A function that serves the files of a folder.

    It adds `/console/settings.json`, which tells what this deployment accepts, and so does
    `/openapi.json`, if the folder has it.

    Args:
        compose: finds the origin of the bucket, with which pages exchange bytes, and the limits.
        allowed_origin: see `Answering`.
        folder: whose files are served at their paths below it, such as `/console/list.js`.
        routes: the template's routes; those without a parameter, with the file that answers them.

    Attributes:
        routes: as given.
    """

    def __init__(
        self,
        compose: Callable[[], tuple[str, Limits]],
        allowed_origin: Callable[[], str],
        folder: Path,
        routes: Mapping[str, str | None],
    ) -> None:
        super().__init__(compose, allowed_origin)
        self.routes = routes
        found = {f"/{path.relative_to(folder)}": path for path in folder.rglob("*.*")}
        files = {
            url: _File(path.read_bytes, MEDIA_TYPES[path.suffix]) for url, path in found.items()
        }
        named = {route: f"/{name}" for route, name in routes.items() if name}
        self._files = {url: file for url, file in files.items() if url not in named.values()}
        self._files |= {route: files[name] for route, name in named.items()}

    def start(self) -> tuple[str, Limits]:
        """The bucket and the limits; the first call finds them."""
        bucket, limits = super().start()
        if SETTINGS not in self._files:
            made = {SETTINGS: lambda: _settings(limits)}
            if document := self._files.get(OPENAPI):
                made[OPENAPI] = lambda: of_deployment(document.content, limits)
            self._files |= {url: _File(read, MEDIA_TYPES[".json"]) for url, read in made.items()}
        return bucket, limits

    def handle(self, event: Event) -> dict[str, Any]:
        """Answers with the file, or with the API's error for an unknown URL."""
        bucket, _ = self.start()
        url = event["resource"].format(**(event["pathParameters"] or {}))
        file = self._files.get(url)
        if file is None:
            return self.answer(event, failure(UnknownUrl("GET", url)))
        path = event["requestContext"]["path"]
        if url == "/" and not path.endswith("/"):  # relative links begin at the stage
            return self.answer(event, Response("", 308, {"Location": f"{path}/"}))
        return self.answer(event, _page(event, file, bucket))


def _settings(limits: Limits) -> bytes:
    settings = {
        "purposes": limits.purposes,
        "max_file_bytes": limits.max_file_bytes,
        "min_lifetime": limits.lifetimes.least,
        "max_lifetime": limits.lifetimes.most,
    }
    return json.dumps(settings).encode()


def _page(event: Event, file: _File, bucket: str) -> Response:
    asked = headers(event)
    about = {
        "Content-Type": file.media_type,
        "Cache-Control": "no-cache",  # each time asks whether it has changed
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": _POLICY.format(bucket=bucket),
    }
    if file.etag in asked.get("if-none-match", ""):
        return Response("", 304, about)
    if "gzip" in asked.get("accept-encoding", ""):
        return Response(file.compressed, headers=about | {"Content-Encoding": "gzip"})
    return Response(file.content, headers=about)
