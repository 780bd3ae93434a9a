"""Leftovers are deleted: by calls, by the table's stream and by storage events."""

import time

import httpx2
import pytest
from openai import OpenAI

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.service.blob_keys import FileBlob
from files_api.service.ids import new_id
from files_api.service.model import File, PendingFile
from tests.contract.calls import (
    CONTENT,
    create_pending,
    error,
    open_upload,
    presign_part,
    put,
    upload_directly,
)
from tests.contract.conftest import Stored, eventually
from tests.contract.deployed import aws, invoke, queued, resource
from tools.local_stack import LocalStack

CALLS = (("GET", ""), ("GET", "/content"), ("GET", "/url"), ("DELETE", ""))
NOT_FOUND = (404, "invalid_request_error", "id", None)

# --- late bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True])
def test_late_bytes_of_a_deleted_file_are_deleted(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, stored: Stored, again: bool
) -> None:
    file = create_pending(http)
    if again:
        assert put(store, file) == 200
    assert client.files.delete(file["id"]).deleted

    assert put(store, file) == 200

    for method, path in CALLS:
        assert error(http.request(method, f"/files/{file['id']}{path}")) == NOT_FOUND
    assert [*client.files.list()] == []
    eventually(stored.nothing)


def test_an_expired_pending_file_and_its_bytes_are_gone(
    http: httpx2.Client,
    store: httpx2.Client,
    records: DynamoFileRecords,
    blobs: S3Blobs,
    stored: Stored,
) -> None:
    now = int(time.time())
    file = File(new_id(), len(CONTENT), now, "a", "evals", status="pending", direct=True)
    records.add_pending(stored.project, PendingFile(file, expires_at=now))
    for method, path in CALLS:
        assert error(http.request(method, f"/files/{file.id}{path}")) == NOT_FOUND

    url = blobs.presign_put(file.blob_key(stored.project), file.bytes, None, 900)
    assert store.put(url.url, content=CONTENT, headers=url.headers).status_code == 200

    eventually(lambda: not stored.objects())
    assert stored.items() == [f"PENDING#{file.id}"]
    stored.remove(f"PENDING#{file.id}")  # as the table's TTL does some time later
    assert stored.nothing()


# --- deletion and expiry --------------------------------------------------------------------------


def test_a_file_deleted_after_a_direct_upload_leaves_nothing(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, stored: Stored
) -> None:
    file_id = upload_directly(http, store)
    assert stored.objects() == [f"direct/{stored.project}/{file_id}"]

    assert client.files.delete(file_id).deleted  # the first call that looks it up

    assert stored.objects() == []
    for method, path in CALLS:
        assert error(http.request(method, f"/files/{file_id}{path}")) == NOT_FOUND
    assert [*client.files.list()] == []
    eventually(stored.nothing)


@pytest.mark.parametrize("item", ["FILE#{}", "PURPOSE#user_data#{}"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "in body"])
def test_a_file_with_an_expired_item_is_purged(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    stored: Stored,
    item: str,
    direct: bool,
) -> None:
    if direct:
        file_id = upload_directly(http, store)
        assert http.get(f"/files/{file_id}").status_code == 200
    else:
        file_id = client.files.create(file=CONTENT, purpose="user_data").id
    assert (len(stored.items()), len(stored.objects())) == (2, 1)

    stored.remove(item.format(file_id))

    eventually(stored.nothing)


def test_the_bytes_of_an_expired_pending_file_are_purged(
    records: DynamoFileRecords, blobs: S3Blobs, stored: Stored
) -> None:
    now = int(time.time())
    file = File(new_id(), 1000, now, "a", "evals", status="pending", direct=True)
    records.add_pending(stored.project, PendingFile(file, expires_at=now + 100))
    blobs.put(file.blob_key(stored.project), CONTENT)  # of another size, so not finalized

    stored.remove(f"PENDING#{file.id}")

    eventually(stored.nothing)


# --- orphans --------------------------------------------------------------------------------------


def new_blob_key(stored: Stored, file_id: str | None = None, *, direct: bool = False) -> str:
    """A blob key that no record names."""
    return FileBlob(stored.project, file_id or new_id(), direct).key


def test_only_orphans_are_deleted_by_the_blob_check(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    records: DynamoFileRecords,
    stack: LocalStack,
    stored: Stored,
    blobs: S3Blobs,
) -> None:
    in_body = client.files.create(file=CONTENT, purpose="user_data").id
    direct = upload_directly(http, store)
    assert http.get(f"/files/{direct}").status_code == 200
    now = int(time.time())
    pending = File(new_id(), 1000, now, "a", "evals", status="pending", direct=True)
    records.add_pending(stored.project, PendingFile(pending, expires_at=now + 1000))
    blobs.put(pending.blob_key(stored.project), CONTENT)
    owned = sorted(stored.objects())
    assert len(owned) == 3
    upload = open_upload(http, len(CONTENT))
    part = presign_part(http, upload, len(CONTENT))
    assert http.post(f"/uploads/{upload}/cancel").status_code == 200
    assert put(store, part) == 200
    # A key without a record, a key with a record that names another key, late bytes of a part.
    for orphan in (new_blob_key(stored), new_blob_key(stored, pending.id)):
        blobs.put(orphan, CONTENT)
    orphans = sorted(set(stored.objects()) - set(owned))
    assert len(orphans) == 3

    batch = [*owned, "not-a-blob-key", *orphans, *orphans]
    answer = invoke(stack, "CheckBlob", queued(stack, batch))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "not-a-blob-key"}]}
    assert sorted(stored.objects()) == owned
    assert client.files.content(in_body).read() == CONTENT
    assert client.files.content(direct).read() == CONTENT


def test_every_new_object_is_checked_after_15_minutes(
    client: OpenAI, stack: LocalStack, stored: Stored, records: DynamoFileRecords, blobs: S3Blobs
) -> None:
    queues, queue = aws(stack, "sqs"), resource(stack, "BlobChecks")

    def delayed() -> int:
        name = "ApproximateNumberOfMessagesDelayed"
        answer = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def set_delay(seconds: int) -> None:
        queues.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": str(seconds)})

    before = delayed()
    waiting = [new_blob_key(stored, direct=n % 2 == 0) for n in range(6)]
    for key in waiting:
        blobs.put(key, CONTENT)
    eventually(lambda: delayed() >= before + len(waiting))

    set_delay(0)  # of new messages
    try:
        # The record first: the calls write it last, but without a delay that would be too late.
        owned = File(new_id(), len(CONTENT), int(time.time()), "a", "evals")
        records.add(stored.project, owned)
        blobs.put(owned.blob_key(stored.project), CONTENT)
        orphan = new_blob_key(stored)
        blobs.put(orphan, CONTENT)
        eventually(lambda: orphan not in stored.objects())
    finally:
        set_delay(900)

    assert client.files.content(owned.id).read() == CONTENT
