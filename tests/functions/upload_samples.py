"""The uploads that `events/` speaks of, and the queue in front of the function that assembles."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.blob_keys import PartBlob
from files_api.service.model import File, Part, PendingFile, Upload
from tests.functions import samples
from tests.functions.samples import FILES_TABLE, HANDBOOK
from tests.support.clients import CLIENTS
from tests.support.moto_stack import Stack, physical_name

YEAR_2100 = 4102444800
HELLO, WORLD = b"Hello, ", b"world!\n"
HELLO_ID = "019e8240-0000-7000-8000-000000000001"
WORLD_ID = "019e8240-0000-7000-8000-000000000002"
PENDING_ID = "019e8240-0000-7000-8000-000000000003"  # its bytes have not arrived
LARGE_ID = "019e8240-0000-7000-8000-000000000004"
LARGE_PART = bytes(5 * 1024**2)  # just so large that S3 copies it
UNKNOWN_ID = "019e8240-0000-7000-8000-00000000000f"


def _upload(number: int, **changes: Any) -> Upload:
    fields: dict[str, Any] = {
        "id": f"019e8240-0000-7000-9000-00000000000{number}",
        "bytes": len(HELLO + WORLD),
        "created_at": 1780301600,
        "filename": "grüße.txt",
        "purpose": "user_data",
        "mime_type": "text/plain",
        "expires_at": YEAR_2100,
    }
    return Upload(**fields | changes)


def _assembling(number: int) -> File:
    return File(
        id=f"019e8240-0000-7000-a000-00000000000{number}",
        bytes=len(HELLO + WORLD),
        created_at=1780301700,
        filename="grüße.txt",
        purpose="user_data",
        status="uploaded",
    )


OPEN = _upload(1)
EXPIRED = _upload(2, expires_at=1780305200)
CANCELLED = _upload(3, status="cancelled")
COMPLETED = _upload(4, status="completed", file_id=HANDBOOK.id, part_ids=(HELLO_ID, WORLD_ID))
FOREIGN = _upload(5)
_COMPLETE = {"status": "completed", "part_ids": (HELLO_ID, WORLD_ID)}
WAITING_FILE, WRONG_FILE = _assembling(6), _assembling(7)
WAITING = _upload(6, file_id=WAITING_FILE.id, **_COMPLETE)
WRONG_MD5 = _upload(7, file_id=WRONG_FILE.id, md5="0" * 32, **_COMPLETE)
LARGE = _upload(8, bytes=len(LARGE_PART + HELLO))
_NOW = int(time.time())
EXPIRING = _upload(9, created_at=_NOW - 3_000, expires_at=_NOW + 1_700)
UPLOADS = (OPEN, EXPIRED, CANCELLED, COMPLETED, FOREIGN, WAITING, WRONG_MD5, LARGE, EXPIRING)
_WITH_PARTS = (OPEN, EXPIRED, FOREIGN, WAITING, WRONG_MD5, LARGE)


def project_of(upload: Upload) -> str:
    """Whose upload it is."""
    return "globex" if upload == FOREIGN else "acme"


def records(stack: Stack) -> DynamoUploadRecords:
    """The stack's uploads."""
    return DynamoUploadRecords(stack.dynamodb, FILES_TABLE)


def store_uploads(stack: Stack) -> None:
    """Puts the uploads into the stack, some with two parts and a presigned one."""
    for upload in UPLOADS:
        project = project_of(upload)
        opened = replace(upload, status="pending", file_id=None, part_ids=(), md5=None)
        records(stack).open(project, opened)
        if upload in _WITH_PARTS:
            contents = {HELLO_ID: HELLO, WORLD_ID: WORLD}
            if upload == LARGE:
                contents[LARGE_ID] = LARGE_PART
            for part_id, content in contents.items():
                part = Part(part_id, upload.id, len(content), upload.created_at)
                records(stack).add_part(project, part)
                samples.blobs(stack).put(PartBlob(project, upload.id, part_id).key, content)
        if upload == OPEN:
            part = Part(PENDING_ID, upload.id, 6, upload.created_at)
            records(stack).add_part(project, part)
        if upload.status != "pending":
            records(stack).close(project, upload)
    for file in (WAITING_FILE, WRONG_FILE):
        samples.records(stack).add_pending("acme", PendingFile(file, YEAR_2100))


@contextmanager
def queue() -> Iterator[list[dict[str, Any]]]:
    """Lambda's queue in front of the function that assembles: what has been put into it."""
    queued: list[dict[str, Any]] = []
    function = physical_name("AssembleUpload")

    def take(**sent: Any) -> Any:
        params = sent["params"]
        assert params["url_path"] == f"/2015-03-31/functions/{function}/invocations"
        assert params["headers"]["X-Amz-Invocation-Type"] == "Event"
        queued.append(json.loads(params["body"]))
        return AWSResponse(params["url"], 202, HTTPHeaders(), None), {
            "StatusCode": 202,
            "Payload": BytesIO(),
        }

    with CLIENTS.hooked("before-call.lambda.Invoke", take):
        yield queued
