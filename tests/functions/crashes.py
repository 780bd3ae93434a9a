"""Functions that lose AWS in the middle of their work, and the events that AWS delivers later."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from io import BytesIO
from itertools import count
from typing import Any, Self

import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from files_api import composition
from files_api.aws.table import Kind, parse_sort_key
from files_api.service.blob_keys import FileBlob, parse_blob_key
from tests.functions import aws_events, samples
from tests.support import functions, moto_stack
from tests.support.clients import CLIENTS

type Payload = dict[str, Any]
type Call = tuple[str, Payload]


class Unreachable(Exception):
    """AWS cannot be reached."""


class Crash:
    """AWS is out of reach from one request of a function on, for all retries too.

    Attributes:
        happened: whether the function came as far as that request.
    """

    def __init__(self, number: int, *, after: bool) -> None:
        """The request is the `number`-th, from 0; if `after`, it still takes effect, unheard."""
        self.happened = False
        self._number = number
        self._after = after
        self._sent = 0

    def __enter__(self) -> Self:
        self._hooks = ExitStack()
        for event, handler in (
            ("before-send", self._before_send),
            ("before-parse", self._before_parse),
        ):
            self._hooks.enter_context(CLIENTS.hooked(event, handler, first=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._hooks.close()

    def _before_send(self, **_: object) -> None:
        """Before moto answers."""
        self._sent += 1
        if self._sent > self._number + self._after:
            self._lose()

    def _before_parse(self, **_: object) -> None:
        """Moto has answered."""
        if self._after and self._sent == self._number + 1:
            self._lose()

    def _lose(self) -> None:
        self.happened = True
        raise Unreachable


class Aws:
    """A stack without files, its functions, and what AWS has to tell them.

    Attributes:
        stack: its stores.
        events: what is to be told, as (function, payload), the oldest first.
        crashes: how many requests a function was found to make, by `crashing`.
    """

    def __init__(self, stack: moto_stack.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stack = stack
        self.events: list[Call] = []
        self.crashes = 0
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(composition, "client", CLIENTS)
        self._apps: dict[str, Any] = {}
        self._known = self._look()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Notes what comes and goes meanwhile: there will be events of it.

        Nothing may come or go unwatched.
        """
        try:
            yield
        finally:
            items, objects = self._known
            self._known = now_items, now_objects = self._look()
            for key in now_objects.keys() - objects.keys():
                created = aws_events.object_created(key, len(now_objects[key]))
                found = parse_blob_key(key)
                if isinstance(found, FileBlob) and found.direct:
                    self.events.append(("finalize_file", created))
                self.events.append(("check_blob", aws_events.batch([aws_events.queued(created)])))
            for item_key in items.keys() - now_items.keys():
                gone = aws_events.removed(items[item_key])
                self.events.append(("purge", aws_events.batch([gone])))

    def _look(self) -> tuple[dict[tuple[str, str], Any], dict[str, bytes]]:
        return samples.stored(self.stack)

    def call(self, function: str, payload: Payload, crash: Crash | None = None) -> Any:
        """What the function answers; None where it raises for AWS's failing."""
        watching = nullcontext() if function == "list_files" else self.watching()
        with watching, crash or nullcontext(), self._queue():
            try:
                return self._handler(function)(payload, None)
            except Unreachable:
                return None

    def _handler(self, function: str) -> Any:
        """The function in its sandbox, which is warm from the second call on."""
        if function not in self._apps:
            for name, value in moto_stack.environment(function).items():
                self._monkeypatch.setenv(name, value)
            self._apps[function] = functions.load_app(function).lambda_handler
            self._apps[function].start()
        return self._apps[function]

    @contextmanager
    def _queue(self) -> Iterator[None]:
        """Takes what Lambda would, when a function has another called later."""

        def take(request: Any, **_: object) -> AWSResponse:
            self.events.append(("assemble_upload", json.loads(request.body)))
            nothing = HTTPResponse(BytesIO(), preload_content=False)
            return AWSResponse(request.url, 202, HTTPHeaders(), nothing)

        with CLIENTS.hooked("before-send.lambda.Invoke", take):
            yield

    def upload(self, upload: dict[str, Any], content: bytes) -> bool:
        """PUTs to a presigned URL as a client does; returns whether that was acknowledged."""
        with self.watching():
            answer = requests.put(upload["url"], content, headers=upload["headers"], timeout=1)
        return answer.ok

    def deliver(self) -> None:
        """Tells the functions all there is to tell, and again in another order."""
        while self.events:
            events, self.events = self.events, []
            for function, payload in [*events, *reversed(events)]:
                assert self.call(function, payload) in ({}, {"batchItemFailures": []})

    def expire_pending(self) -> None:
        """Deletes pending files and uploads, as the table's TTL does, and delivers the events."""
        with self.watching():
            for (project, sort_key), item in samples.items(self.stack).items():
                kind, _ = parse_sort_key(sort_key)
                if "expires_at" in item and kind in (Kind.PENDING, Kind.UPLOAD):
                    self.delete_item(project, sort_key)
        self.deliver()

    def abort_multipart_uploads(self) -> None:
        """Ends unfinished multipart uploads, as the bucket's lifecycle does after some days."""
        bucket = samples.FILES_BUCKET
        for each in self.stack.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            self.stack.s3.abort_multipart_upload(
                Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"]
            )

    def delete_item(self, project: str, sort_key: str) -> None:
        """Removes one item, as the table's TTL does."""
        key = {"PK": {"S": project}, "SK": {"S": sort_key}}
        self.stack.dynamodb.delete_item(TableName=samples.FILES_TABLE, Key=key)

    def crashing(self, function: str, payload: Payload) -> Iterator[Any]:
        """Makes each request of a function fail in turn, before it takes effect and after.

        Yields what the function answers each time, to what is stored now. Then there must have been
        `crashes` such requests.
        """
        contents, events, known = self.stack.contents(), self.events, self._known
        for after in (False, True):
            for number in count():
                self.stack.restore(contents)
                self.events, self._known = list(events), known
                crash = Crash(number, after=after)
                yield self.call(function, payload, crash)
                if not crash.happened:
                    self.crashes = number
                    break
