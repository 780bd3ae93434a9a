"""Leftovers are deleted: by calls, by the table's stream and by storage events."""

import time

import pytest

from files_api.service.blob_keys import FileBlob
from files_api.service.ids import new_id
from files_api.service.model import File, PendingFile
from tests.contract.calls import (
    CONTENT,
    error,
)
from tests.contract.conftest import eventually
from tests.contract.deployed import aws, invoke, queued, resource
from tests.contract.project import Project

CALLS = (("GET", ""), ("GET", "/content"), ("GET", "/url"), ("DELETE", ""))
NOT_FOUND = (404, "invalid_request_error", "id", None)

# --- late bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True])
def test_late_bytes_of_a_deleted_file_are_deleted(project: Project, again: bool) -> None:
    file = project.create_pending()
    if again:
        assert project.put(file) == 200
    assert project.client.files.delete(file["id"]).deleted

    assert project.put(file) == 200

    for method, path in CALLS:
        assert error(project.http.request(method, f"/files/{file['id']}{path}")) == NOT_FOUND
    assert [*project.client.files.list()] == []
    eventually(project.nothing)


def test_an_expired_pending_file_and_its_bytes_are_gone(project: Project) -> None:
    now = int(time.time())
    file = File(new_id(), len(CONTENT), now, "a", "evals", status="pending", direct=True)
    project.records.add_pending(project.name, PendingFile(file, expires_at=now))
    for method, path in CALLS:
        assert error(project.http.request(method, f"/files/{file.id}{path}")) == NOT_FOUND

    url = project.blobs.presign_put(file.blob_key(project.name), file.bytes, None, 900)
    assert project.store.put(url.url, content=CONTENT, headers=url.headers).status_code == 200

    eventually(lambda: not project.objects())
    assert project.items() == [f"PENDING#{file.id}"]
    project.remove(f"PENDING#{file.id}")  # as the table's TTL does some time later
    assert project.nothing()


# --- deletion and expiry --------------------------------------------------------------------------


def test_a_file_deleted_after_a_direct_upload_leaves_nothing(project: Project) -> None:
    file_id = project.upload_directly()
    assert project.objects() == [f"direct/{project.name}/{file_id}"]

    assert project.client.files.delete(file_id).deleted  # the first call that looks it up

    assert project.objects() == []
    for method, path in CALLS:
        assert error(project.http.request(method, f"/files/{file_id}{path}")) == NOT_FOUND
    assert [*project.client.files.list()] == []
    eventually(project.nothing)


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "in body"])
def test_a_file_with_an_expired_item_is_purged(project: Project, direct: bool) -> None:
    if direct:
        file_id = project.upload_directly()
        assert project.http.get(f"/files/{file_id}").status_code == 200
    else:
        file_id = project.client.files.create(file=CONTENT, purpose="user_data").id
    assert (len(project.items()), len(project.objects())) == (2, 1)

    project.remove(f"PURPOSE#user_data#{file_id}")

    eventually(project.nothing)


def test_the_bytes_of_an_expired_pending_file_are_purged(project: Project) -> None:
    now = int(time.time())
    file = File(new_id(), 1000, now, "a", "evals", status="pending", direct=True)
    project.records.add_pending(project.name, PendingFile(file, expires_at=now + 100))
    project.blobs.put(file.blob_key(project.name), CONTENT)  # of another size, so not finalized

    project.remove(f"PENDING#{file.id}")

    eventually(project.nothing)


# --- orphans --------------------------------------------------------------------------------------


def new_blob_key(project: Project, file_id: str | None = None, *, direct: bool = False) -> str:
    """A blob key that no record names."""
    return FileBlob(project.name, file_id or new_id(), direct).key


def test_only_orphans_are_deleted_by_the_blob_check(project: Project) -> None:
    in_body = project.client.files.create(file=CONTENT, purpose="user_data").id
    direct = project.upload_directly()
    assert project.http.get(f"/files/{direct}").status_code == 200
    now = int(time.time())
    pending = File(new_id(), 1000, now, "a", "evals", status="pending", direct=True)
    project.records.add_pending(project.name, PendingFile(pending, expires_at=now + 1000))
    project.blobs.put(pending.blob_key(project.name), CONTENT)
    owned = sorted(project.objects())
    assert len(owned) == 3
    upload = project.open_upload(len(CONTENT))
    part = project.presign_part(upload, len(CONTENT))
    assert project.http.post(f"/uploads/{upload}/cancel").status_code == 200
    assert project.put(part) == 200
    # A key without a record, a key with a record that names another key, late bytes of a part.
    for orphan in (new_blob_key(project), new_blob_key(project, pending.id)):
        project.blobs.put(orphan, CONTENT)
    orphans = sorted(set(project.objects()) - set(owned))
    assert len(orphans) == 3

    batch = [*owned, "not-a-blob-key", *orphans, *orphans]
    answer = invoke(project.stack, "CheckBlob", queued(project.stack, batch))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "not-a-blob-key"}]}
    assert sorted(project.objects()) == owned
    assert project.client.files.content(in_body).read() == CONTENT
    assert project.client.files.content(direct).read() == CONTENT


def test_every_new_object_is_checked_after_15_minutes(project: Project) -> None:
    queues, queue = aws(project.stack, "sqs"), resource(project.stack, "BlobChecks")

    def delayed() -> int:
        name = "ApproximateNumberOfMessagesDelayed"
        answer = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def set_delay(seconds: int) -> None:
        queues.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": str(seconds)})

    before = delayed()
    waiting = [new_blob_key(project, direct=n % 2 == 0) for n in range(6)]
    for key in waiting:
        project.blobs.put(key, CONTENT)
    eventually(lambda: delayed() >= before + len(waiting))

    set_delay(0)  # of new messages
    try:
        # The record first: the calls write it last, but without a delay that would be too late.
        owned = File(new_id(), len(CONTENT), int(time.time()), "a", "evals")
        project.records.add(project.name, owned)
        project.blobs.put(owned.blob_key(project.name), CONTENT)
        orphan = new_blob_key(project)
        project.blobs.put(orphan, CONTENT)
        eventually(lambda: orphan not in project.objects())
    finally:
        set_delay(900)

    assert project.client.files.content(owned.id).read() == CONTENT
