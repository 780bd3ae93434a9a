"""Events of AWS services: what a storage event, a queue's message or a stream's record says."""

import json
from collections.abc import Mapping
from typing import Any

from files_api.aws.file_records import file_of, pending_of
from files_api.aws.table import Kind, parse_sort_key
from files_api.service.blob_keys import FileBlob, PartBlob, parse_blob_key
from files_api.service.purge import (
    Removed,
    RemovedFile,
    RemovedNote,
    RemovedPart,
    RemovedPendingFile,
    RemovedUpload,
)

type Event = Mapping[str, Any]


def created_blob(event: Event) -> FileBlob | PartBlob:
    """The blob of an "Object Created" event. Raises ValueError for an unknown key.

    Source: Amazon S3, "EventBridge event message structure".
    """
    return parse_blob_key(event["detail"]["object"]["key"])


def queued_blob(record: Event) -> FileBlob | PartBlob:
    """The blob of an "Object Created" event that waited in a queue."""
    return created_blob(json.loads(record["body"]))


def removed_record(record: Event) -> Removed:
    """What a REMOVE record of the table's stream says is gone."""
    image = record["dynamodb"]["OldImage"]
    project = image["PK"]["S"]
    kind, ids = parse_sort_key(image["SK"]["S"])
    match kind:
        case Kind.UPLOAD:
            return RemovedUpload(project, *ids)
        case Kind.PART:
            return RemovedPart(project, *ids)
        case Kind.PENDING:
            pending = pending_of(image)
            return RemovedPendingFile(project, pending.file, pending.multipart_id)
        case Kind.FILE | Kind.PURPOSE:
            return RemovedFile(project, file_of(image))
        case Kind.IDEMPOTENCY:
            return RemovedNote(project, *ids)
        case Kind.EXPIRY | Kind.USAGE:
            raise ValueError("nothing deletes such an item")


def failed_event(event: Event) -> Event:
    """The event that a function has failed to handle, from Lambda's on-failure message.

    Source: AWS Lambda, "Capturing records of Lambda asynchronous invocations".
    """
    payload: Event = event["requestPayload"]
    return payload
