"""What nobody owns any more is removed: by calls, by the table's stream, by storage events."""

import time

import httpx2
import openai
import pytest
from openai import OpenAI

from files_api.blobs import S3Blobs
from files_api.ids import new_file_id
from files_api.model import File, Pending, blob_key
from files_api.records import DynamoRecords
from tests.contract.calls import CONTENT, error, open_upload, promise, promise_part, put, uploaded
from tests.contract.conftest import Kept, eventually
from tests.contract.deployed import aws, invoke, queued, resource
from tools.local_stack import LocalStack

# --- late bytes -----------------------------------------------------------------------------------


def test_late_bytes_of_a_deleted_promise_are_removed(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, kept: Kept
) -> None:
    file = promise(http)
    assert client.files.delete(file["id"]).deleted
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file["id"]):
            call(file["id"])

    assert put(store, file) == 200

    eventually(kept.nothing)
    assert http.get(f"/files/{file['id']}").status_code == 404
    assert [*client.files.list()] == []


def test_bytes_put_again_after_a_deletion_are_removed(
    http: httpx2.Client, store: httpx2.Client, kept: Kept
) -> None:
    file = promise(http)
    assert put(store, file) == 200
    assert http.delete(f"/files/{file['id']}").status_code == 200

    assert put(store, file) == 200

    assert http.get(f"/files/{file['id']}").status_code == 404
    eventually(kept.nothing)


def test_a_promise_that_is_off_is_gone_and_so_are_its_bytes(
    http: httpx2.Client,
    store: httpx2.Client,
    records: DynamoRecords,
    blobs: S3Blobs,
    kept: Kept,
) -> None:
    now = int(time.time())
    file = File(new_file_id(), len(CONTENT), now, "a", "evals", status="pending", direct=True)
    records.promise(kept.project, Pending(file, expires_at=now))
    for method, path in (("GET", ""), ("GET", "/content"), ("GET", "/url"), ("DELETE", "")):
        answer = http.request(method, f"/files/{file.id}{path}")
        assert error(answer) == (404, "invalid_request_error", "id", None)

    link = blobs.put_link(file.key(kept.project), file.bytes, None, 900)
    assert store.put(link.url, content=CONTENT, headers=link.headers).status_code == 200

    eventually(lambda: not kept.objects())
    assert kept.items() == [f"U#{file.id}"]
    kept.remove(f"U#{file.id}")  # as the table's TTL does some time later
    assert kept.nothing()


# --- deletion and expiry --------------------------------------------------------------------------


def test_a_deleted_direct_upload_leaves_nothing(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, kept: Kept
) -> None:
    file_id = uploaded(http, store)
    assert kept.objects() == [f"direct/{kept.project}/{file_id}"]

    assert client.files.delete(file_id).deleted  # which nobody had asked for before

    assert kept.objects() == []
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file_id):
            call(file_id)
    assert error(http.get(f"/files/{file_id}/url"))[0] == 404
    assert [*client.files.list()] == []
    eventually(kept.nothing)


@pytest.mark.parametrize("item", ["F#{}", "P#user_data#{}"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "plain"])
def test_an_item_that_expires_takes_all_with_it(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    kept: Kept,
    item: str,
    direct: bool,
) -> None:
    if direct:
        file_id = uploaded(http, store)
        assert http.get(f"/files/{file_id}").status_code == 200
    else:
        file_id = client.files.create(file=CONTENT, purpose="user_data").id
    assert (len(kept.items()), len(kept.objects())) == (2, 1)

    kept.remove(item.format(file_id))

    eventually(kept.nothing)


def test_a_promise_that_expires_takes_its_bytes_with_it(
    records: DynamoRecords, blobs: S3Blobs, kept: Kept
) -> None:
    now = int(time.time())
    file = File(new_file_id(), 1000, now, "a", "evals", status="pending", direct=True)
    records.promise(kept.project, Pending(file, expires_at=now + 100))
    blobs.put(file.key(kept.project), CONTENT)  # not what was promised: nothing becomes of it

    kept.remove(f"U#{file.id}")

    eventually(kept.nothing)


# --- orphans --------------------------------------------------------------------------------------


def test_an_object_without_an_owner_is_removed_and_no_other(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    records: DynamoRecords,
    stack: LocalStack,
    kept: Kept,
    blobs: S3Blobs,
) -> None:
    plain = client.files.create(file=CONTENT, purpose="user_data").id
    direct = uploaded(http, store)
    assert http.get(f"/files/{direct}").status_code == 200
    now = int(time.time())
    pending = File(new_file_id(), 1000, now, "a", "evals", status="pending", direct=True)
    records.promise(kept.project, Pending(pending, expires_at=now + 1000))
    blobs.put(pending.key(kept.project), CONTENT)
    owned = sorted(kept.objects())
    assert len(owned) == 3
    # Not owned: a key without a record, and a key beside the one that the record names.
    orphans = [
        blob_key(kept.project, file_id, direct=False) for file_id in (new_file_id(), pending.id)
    ]
    for orphan in orphans:
        blobs.put(orphan, CONTENT)

    answer = invoke(stack, "RemoveOrphan", queued(stack, [*owned, *orphans, *orphans]))

    assert answer == {"batchItemFailures": []}
    assert sorted(kept.objects()) == owned
    assert client.files.content(plain).read() == CONTENT
    assert client.files.content(direct).read() == CONTENT


def test_late_bytes_of_a_cancelled_part_are_removed(
    http: httpx2.Client, store: httpx2.Client, stack: LocalStack, kept: Kept
) -> None:
    upload = open_upload(http, len(CONTENT))
    part = promise_part(http, upload, len(CONTENT))
    assert http.post(f"/uploads/{upload}/cancel").status_code == 200
    assert put(store, part) == 200
    late = kept.objects()
    assert len(late) == 1

    answer = invoke(stack, "RemoveOrphan", queued(stack, late))

    assert answer == {"batchItemFailures": []}
    assert kept.objects() == []


def test_a_record_that_cannot_be_read_comes_again_alone(
    stack: LocalStack, kept: Kept, blobs: S3Blobs
) -> None:
    orphan = blob_key(kept.project, new_file_id(), direct=False)
    blobs.put(orphan, CONTENT)

    answer = invoke(stack, "RemoveOrphan", queued(stack, ["no-key-of-ours", orphan]))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "no-key-of-ours"}]}
    assert kept.nothing()


def test_every_new_object_is_looked_at_some_minutes_later(
    client: OpenAI, stack: LocalStack, kept: Kept, records: DynamoRecords, blobs: S3Blobs
) -> None:
    queues, queue = aws(stack, "sqs"), resource(stack, "CreatedBlobs")

    def delayed() -> int:
        name = "ApproximateNumberOfMessagesDelayed"
        answer = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def set_delay(seconds: int) -> None:
        queues.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": str(seconds)})

    before = delayed()
    waiting = [blob_key(kept.project, new_file_id(), direct=n % 2 == 0) for n in range(6)]
    for key in waiting:
        blobs.put(key, CONTENT)
    eventually(lambda: delayed() >= before + len(waiting))

    set_delay(0)  # for what comes from now on
    try:
        # The record first: a call writes it last, and without the minutes that would be too late.
        owned = File(new_file_id(), len(CONTENT), int(time.time()), "a", "evals")
        records.add(kept.project, owned)
        blobs.put(owned.key(kept.project), CONTENT)
        orphan = blob_key(kept.project, new_file_id(), direct=False)
        blobs.put(orphan, CONTENT)
        eventually(lambda: orphan not in kept.objects())
    finally:
        set_delay(900)

    assert client.files.content(owned.id).read() == CONTENT
