"""What events of AWS services say: storage events, queued ones, stream records, failures."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.aws.events import created_blob, failed_event, queued_blob, removed_record
from files_api.aws.file_records import pending_item
from files_api.service.blob_keys import FileBlob, PartBlob
from files_api.service.model import File, PendingFile
from files_api.service.purge import (
    Removed,
    RemovedFile,
    RemovedPart,
    RemovedPendingFile,
    RemovedUpload,
)
from tests.support.samples import NOW

ID = "019e8232-6000-7a10-8d3c-5b1f6e2a9c01"

any_files = st.builds(
    File,
    id=st.uuids().map(str),
    bytes=st.integers(min_value=0),
    created_at=st.integers(min_value=0),
    filename=st.text(),
    purpose=st.text(),
    status=st.sampled_from(["processed", "pending", "uploaded", "error"]),
    expires_at=st.none() | st.integers(min_value=0),
    status_details=st.none() | st.text(),
    direct=st.booleans(),
)


def storage_event(key: str) -> dict[str, Any]:
    return {"detail-type": "Object Created", "detail": {"object": {"key": key, "size": 3}}}


@pytest.mark.parametrize(
    "blob", [FileBlob("acme", ID, direct=True), PartBlob("acme", "1", ID)], ids=["file", "part"]
)
def test_storage_event_names_the_created_blob(blob: FileBlob | PartBlob) -> None:
    event = storage_event(blob.key)

    assert created_blob(event) == blob
    assert queued_blob({"messageId": "1", "body": json.dumps(event)}) == blob


def test_storage_event_of_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="not the key of"):
        created_blob(storage_event("elsewhere/acme/1"))


def removal(image: dict[str, Any]) -> dict[str, Any]:
    """A record of the table's stream."""
    return {"eventName": "REMOVE", "dynamodb": {"OldImage": image, "SequenceNumber": "1"}}


FILE = File("1", 3, NOW, "é.txt", "batch", expires_at=NOW + 60)
DIRECT_FILE = File("1", 3, NOW, "é.txt", "batch", expires_at=NOW + 60, direct=True)


@pytest.mark.parametrize(
    ("sort_key", "marks", "removed"),
    [
        ("FILE#1", {}, RemovedFile("acme", FILE)),
        ("PURPOSE#batch#1", {"is_direct": {"BOOL": True}}, RemovedFile("acme", DIRECT_FILE)),
        (
            "PENDING#1",
            {"is_direct": {"BOOL": True}, "expires_at": {"N": "1"}},
            RemovedPendingFile("acme", DIRECT_FILE),
        ),
        ("UPLOAD#1", {}, RemovedUpload("acme", "1")),
        ("PART#1#2", {}, RemovedPart("acme", "1", "2")),
    ],
)
def test_stream_record_tells_what_was_removed(
    sort_key: str, marks: dict[str, Any], removed: Removed
) -> None:
    image = {
        "PK": {"S": "acme"},
        "SK": {"S": sort_key},
        "public": {"S": FILE.public_json()},
        **marks,
    }

    assert removed_record(removal(image)) == removed


def test_stream_record_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="ELSE"):
        removed_record(removal({"PK": {"S": "acme"}, "SK": {"S": "ELSE#1"}}))


@given(any_files)
def test_removed_file_is_read_as_it_was_written(file: File) -> None:
    image = pending_item("acme", PendingFile(file, NOW))

    assert removed_record(removal(image)) == RemovedPendingFile("acme", file)


def test_failure_message_holds_the_event_that_failed() -> None:
    work = {"project": "acme", "upload_id": ID}
    message = {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": work,
        "responsePayload": {"errorType": "ConnectionError"},
    }

    assert failed_event(message) == work
