"""Whatever fails, and when: no acknowledged file is lost, no deleted one returns, nothing is left.

Each request to AWS that a function makes fails in turn, for good: once before it takes effect, once
after. Then AWS reports what has really happened: storage events, records of the stream, a check of
every new object. All events go to the real functions, twice and in two orders.
"""

import base64
import json
from collections.abc import Callable

import pytest

from files_api.service.model import PendingFile
from tests.functions import samples
from tests.functions.crashes import Aws
from tests.functions.outcomes import (
    about,
    assert_consistent,
    assert_gone,
    assert_only_files_are_left,
    assert_there,
    created,
    listed,
    status,
)
from tests.functions.samples import HANDBOOK, JSONL, LEFTOVER, PDF, SENDING, STRAY, event

# --- Taking files in ------------------------------------------------------------------------------


def test_crashed_create_is_all_or_nothing(aws: Aws) -> None:
    for answer in aws.crashing("create_file", event("create_file", "success")):
        assert answer["statusCode"] in (200, 500)
        made = {file.id for file in assert_consistent(aws)}
        aws.deliver()
        assert_only_files_are_left(aws, *made)
        if answer["statusCode"] == 200:
            assert_there(aws, json.loads(answer["body"])["id"])
    assert aws.crashes == 2


def test_crashed_direct_upload_leaves_nothing(aws: Aws) -> None:
    for answer in aws.crashing("create_file", event("create_file", "success_direct_sha256")):
        assert answer["statusCode"] in (200, 500)
        aws.deliver()
        assert listed(aws) == []
        aws.expire_pending()
        assert_only_files_are_left(aws)
    assert aws.crashes == 1


def test_crashed_direct_upload_in_parts_leaves_nothing(aws: Aws) -> None:
    for answer in aws.crashing("create_file", event("create_file", "success_direct_in_parts")):
        assert answer["statusCode"] in (200, 500)
        assert listed(aws) == []
        aws.expire_pending()
        if answer["statusCode"] == 500:  # a multipart upload without parts is left to the bucket
            aws.abort_multipart_uploads()
        assert_only_files_are_left(aws)
    assert aws.crashes == 2


@pytest.mark.parametrize("function", ["list_file_parts", "retrieve_file", "download_file"])
def test_file_whose_parts_have_arrived_is_kept_whichever_call_crashes(
    function: str, aws: Aws
) -> None:
    file_id = sent_in_parts(aws)
    for _ in aws.crashing(function, about(function, file_id)):
        assert_consistent(aws)
        aws.deliver()
        assert_there(aws, file_id)
        aws.deliver()
        aws.expire_pending()
        assert_only_files_are_left(aws, file_id)
    assert aws.crashes >= 6


@pytest.mark.parametrize("function", ["finalize_file", "retrieve_file", "download_file"])
def test_acknowledged_put_is_a_file_whichever_call_crashes(function: str, aws: Aws) -> None:
    file_id = uploaded(aws)
    finalize = aws.events[0][1]
    payload = finalize if function == "finalize_file" else about(function, file_id)
    for _ in aws.crashing(function, payload):
        assert_consistent(aws)
        aws.deliver()
        assert_there(aws, file_id)
        aws.expire_pending()
        assert_only_files_are_left(aws, file_id)
    assert aws.crashes >= 4


def test_acknowledged_put_is_a_file_even_without_an_event(aws: Aws) -> None:
    file_id = uploaded(aws)
    for _ in aws.crashing(*aws.events[0]):
        assert_there(aws, file_id)
        assert listed(aws) == [file_id]
    assert aws.crashes == 4


# --- Deleting -------------------------------------------------------------------------------------


def plain(aws: Aws) -> str:
    return str(created(aws, "success")["id"])


def pending(aws: Aws) -> str:
    return str(created(aws, "success_direct_sha256")["id"])


def uploaded(aws: Aws) -> str:
    file = created(aws, "success_direct_sha256")
    assert aws.upload(file["upload"], JSONL)
    return str(file["id"])


def finalized(aws: Aws) -> str:
    file_id = uploaded(aws)
    aws.deliver()
    return file_id


def begun_in_parts(aws: Aws) -> str:
    payload = event("create_file", "success_direct_in_parts")
    new = {"filename": "a.jsonl", "purpose": "batch", "bytes": len(JSONL), "part_size": 5_242_880}
    payload["body"] = base64.b64encode(json.dumps(new).encode()).decode()
    return str(json.loads(aws.call("create_file", payload)["body"])["id"])


def sent_in_parts(aws: Aws) -> str:
    file_id = begun_in_parts(aws)
    answer = aws.call("list_file_parts", about("list_file_parts", file_id))
    (part,) = json.loads(answer["body"])["data"]
    assert aws.upload(part["upload"], JSONL)
    return file_id


WITHOUT_BYTES = (pending, begun_in_parts)


@pytest.mark.parametrize(
    "make", [plain, pending, uploaded, finalized, begun_in_parts, sent_in_parts]
)
@pytest.mark.parametrize("again", [False, True])
def test_crashed_delete_is_all_or_nothing_and_final(
    make: Callable[[Aws], str], again: bool, aws: Aws
) -> None:
    file_id = make(aws)
    for answer in aws.crashing("delete_file", about("delete_file", file_id)):
        deleted = answer["statusCode"] == 200 or status(aws, "retrieve_file", file_id) == 404
        assert answer["statusCode"] in (200, 500)
        assert_consistent(aws)
        if again:
            if answer["statusCode"] == 200:
                continue  # nobody repeats it
            assert status(aws, "delete_file", file_id) == (404 if deleted else 200)
            deleted = True
        aws.deliver()
        if deleted:
            assert_gone(aws, file_id)
            assert_only_files_are_left(aws)
        elif make not in WITHOUT_BYTES:
            assert_there(aws, file_id)
        aws.expire_pending()
        assert_only_files_are_left(aws, *([] if deleted or make in WITHOUT_BYTES else [file_id]))
    assert aws.crashes >= 3


@pytest.mark.parametrize("noticed", [False, True])
def test_bytes_that_arrive_after_the_deletion_restore_nothing(noticed: bool, aws: Aws) -> None:
    file = created(aws, "success_direct_sha256")
    assert status(aws, "delete_file", file["id"]) == 200
    assert aws.upload(file["upload"], JSONL)
    if noticed:
        assert status(aws, "retrieve_file", file["id"]) == 404
    (finalize,) = [each for each in aws.events if each[0] == "finalize_file"]
    for _ in aws.crashing(*finalize):
        assert_gone(aws, file["id"])
        aws.deliver()
        assert_gone(aws, file["id"])
        assert_only_files_are_left(aws)
    assert aws.crashes >= 3


# --- Purging --------------------------------------------------------------------------------------


def half_deleted(aws: Aws) -> None:
    """The record is gone, the bytes are there still."""
    orphan_of_body(aws)
    with aws.watching():
        samples.records(aws.stack).add("acme", LEFTOVER)
    with aws.watching():
        samples.records(aws.stack).delete("acme", LEFTOVER)


def expired(aws: Aws) -> None:
    """TTL has deleted one of the two items of a file; the other has none."""
    with aws.watching():
        samples.blobs(aws.stack).put(HANDBOOK.blob_key("acme"), PDF)
        samples.records(aws.stack).add("acme", HANDBOOK)
    with aws.watching():
        aws.delete_item("acme", f"PURPOSE#{HANDBOOK.purpose}#{HANDBOOK.id}")


def pending_expired(aws: Aws) -> None:
    """A pending file has expired, and no call has noticed its bytes."""
    orphan_of_direct_upload(aws)
    with aws.watching():
        samples.records(aws.stack).add_pending("acme", PendingFile(STRAY, 1))
    with aws.watching():
        aws.delete_item("acme", f"PENDING#{STRAY.id}")


def parts_expired(aws: Aws) -> None:
    """A direct upload in parts has expired, and some of them are there."""
    with aws.watching():
        samples.send_part(aws.stack, SENDING, 2)
    with aws.watching():
        aws.delete_item("acme", f"PENDING#{SENDING.id}")


def orphan_of_body(aws: Aws) -> None:
    """Bytes are there, of which there never was a record."""
    with aws.watching():
        samples.blobs(aws.stack).put(LEFTOVER.blob_key("acme"), JSONL)


def orphan_of_direct_upload(aws: Aws) -> None:
    """Such bytes, too."""
    with aws.watching():
        samples.blobs(aws.stack).put(STRAY.blob_key("acme"), JSONL)


@pytest.mark.parametrize(
    ("function", "happen"),
    [
        ("purge", half_deleted),
        ("purge", expired),
        ("purge", pending_expired),
        ("purge", parts_expired),
        ("check_blob", orphan_of_body),
        ("check_blob", orphan_of_direct_upload),
        ("finalize_file", orphan_of_direct_upload),
    ],
)
def test_crashed_cleanup_is_repeated_and_completes(
    function: str, happen: Callable[[Aws], None], aws: Aws
) -> None:
    happen(aws)
    told = next(payload for name, payload in aws.events if name == function)
    for answer in aws.crashing(function, told):
        assert answer in (None, {}, {"batchItemFailures": []}) or len(
            answer["batchItemFailures"]
        ) == len(told["Records"])
        aws.events = [(function, told)]  # nothing but this helps
        aws.deliver()
        assert_only_files_are_left(aws)
    assert aws.crashes >= 2


@pytest.mark.parametrize("function", ["purge", "check_blob"])
def test_crashed_cleanup_deletes_nothing_that_is_owned(function: str, aws: Aws) -> None:
    file_id = uploaded(aws)
    if function == "purge":
        assert status(aws, "retrieve_file", file_id) == 200  # finalizes it
    told = next(payload for name, payload in aws.events if name == function)
    for _ in aws.crashing(function, told):
        assert_there(aws, file_id)
        aws.deliver()
        assert_only_files_are_left(aws, file_id)
    assert aws.crashes >= 1
