"""Each function with each of its sample payloads: the whole answer, and what is stored after it."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from files_api.aws.file_records import file_of
from files_api.service.blob_keys import PartBlob
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.model import File, Part, Upload
from files_api.service.part_plan import MIN_PART_BYTES
from tests.functions import aws_events, samples, upload_samples
from tests.functions.answers import (
    EXPECTED,
    NEW,
    NEW_ID,
    NO_PARTS,
    REQUEST_ID,
    TOO_LARGE,
    Expected,
    New,
    Signed,
    Soon,
    decoded,
    item_keys,
    json_answer,
    signed,
)
from tests.functions.conftest import Handler
from tests.functions.outcomes import about
from tests.functions.samples import FILES_BUCKET, JSONL, PDF, SENDING, SENT, event
from tests.functions.upload_samples import (
    CANCELLED,
    COMPLETED,
    EXPIRING,
    HELLO,
    HELLO_ID,
    LARGE,
    LARGE_ID,
    LARGE_PART,
    OPEN,
    WAITING,
    WAITING_FILE,
    WORLD,
    WORLD_ID,
    WRONG_FILE,
    WRONG_MD5,
)
from tests.support import functions
from tests.support.moto_stack import Stack

ROUTED = [name for name in functions.FOLDERS if functions.routes(name)]
NO_MATCH = "The MD5 does not match the content."
GIVEN_UP = "The parts could not be assembled."
# Their events have tests of their own, below.
SPECIAL = {
    "add_upload_part": {"success_late"},
    "complete_upload": {"success", "success_large", "success_other_order"},
    "cancel_upload": {"success"},
    "check_blob": {"parts_of_ended_uploads"},
    "assemble_upload": {"success", "success_wrong_md5"},
    "fail_assembly": {"success"},
    "delete_expired": {"success", "success_nothing_expired"},
    "list_file_parts": {"success", "all_arrived"},
}


@pytest.fixture(autouse=True)
def queued(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """What is to be assembled later."""
    with upload_samples.queue() as queued:
        yield queued


def stored(stack: Stack) -> dict[str, Any]:
    """All items and objects, by their key."""
    items, objects = samples.stored(stack)
    return {sort_key: item for (_, sort_key), item in items.items()} | objects


def parts(stack: Stack, upload: Upload) -> set[str]:
    return {part.id for part in upload_samples.records(stack).parts("acme", upload.id)}


def every[Row](table: dict[str, dict[str, Row]]) -> pytest.MarkDecorator:
    rows = [(name, case, row) for name, cases in table.items() for case, row in cases.items()]
    ids = [f"{name}-{case}" for name, case, _ in rows]
    return pytest.mark.parametrize(("function", "case", "expected"), rows, ids=ids)


@every(NEW)
def test_call_answers_with_what_it_makes(
    function: str, case: str, expected: New, invoke: Handler, stack: Stack
) -> None:
    before, now = stored(stack), int(time.time())

    raw = invoke(function, event(function, case))

    made = json.loads(raw["body"])
    assert uuid.UUID(made["id"]).version == 7
    assert now <= made["created_at"] <= time.time()
    answer = decoded(raw | {"body": raw["body"].replace(made["id"], NEW_ID)})
    for name in {"created_at", "expires_at"} & set(made):
        answer["body"][name] -= made["created_at"]
    assert answer == json_answer(200, expected.body)
    after = stored(stack)
    if function == "add_upload_part":
        size = int(expected.stored["bytes"])
        before = counted(before, expected.body["upload_id"], made["id"], size)
    new = {key.replace(made["id"], NEW_ID): after.pop(key) for key in after.keys() - before.keys()}
    assert after == before
    assert set(new) == expected.keys
    for value in new.values():
        if isinstance(value, bytes):
            assert value == expected.content
        elif "public" in value:
            made.pop("upload", None)
            assert json.loads(value["public"]["S"]) == made
        else:
            assert json.loads(value["stored"]["S"]).items() >= expected.stored.items()


def counted(items: dict[str, Any], upload_id: str, part_id: str, size: int) -> dict[str, Any]:
    """The same, after the upload has counted a part of so many bytes."""
    key = f"UPLOAD#{upload_id}"
    upload = items[key]
    left = {
        "parts_left": {"N": str(int(upload["parts_left"]["N"]) - 1)},
        "bytes_left": {"N": str(int(upload["bytes_left"]["N"]) - size)},
        "last_change": {"S": part_id},
    }
    return items | {key: upload | left}


@every(EXPECTED)
def test_function_answers_its_event_and_changes_just_that(
    function: str,
    case: str,
    expected: Expected,
    invoke: Handler,
    stack: Stack,
    queued: list[dict[str, Any]],
) -> None:
    if (function, case) == ("check_blob", "parts"):
        orphan = PartBlob("acme", OPEN.id, upload_samples.UNKNOWN_ID).key
        samples.blobs(stack).put(orphan, b"nobody's")
    left = {key: value for key, value in stored(stack).items() if key not in expected.gone}
    if file := expected.finalized:
        left.pop(f"PENDING#{file.id}")

    for times in range(1 if function in ROUTED else 2):  # an event may come again
        answer = decoded(invoke(function, event(function, case)))

        assert answer == expected.answer
        assert queued == [*expected.queued] * (times + 1)
        now = stored(stack)
        if file:
            made = {key: file_of(now.pop(key)) for key in item_keys(file) & set(now)}
            processed = replace(file, status="processed")
            assert made == dict.fromkeys(
                (f"FILE#{file.id}", f"PURPOSE#{file.purpose}#{file.id}"), processed
            )
        assert now == left


def test_late_part_extends_its_upload(invoke: Handler, stack: Stack) -> None:
    before = int(time.time())

    answer = decoded(invoke("add_upload_part", event("add_upload_part", "success_late")))

    assert answer["statusCode"] == 200
    assert answer["body"]["id"] in parts(stack, EXPIRING)
    known = upload_samples.records(stack).get("acme", EXPIRING.id)
    assert known is not None
    assert before + 1800 <= known.expires_at <= time.time() + 1800
    assert known == replace(EXPIRING, expires_at=known.expires_at)


@pytest.mark.parametrize(
    ("case", "upload", "part_ids", "content", "md5"),
    [
        ("success", OPEN, (HELLO_ID, WORLD_ID), HELLO + WORLD, None),
        ("success_large", LARGE, (LARGE_ID, HELLO_ID), LARGE_PART + HELLO, None),
        (
            "success_other_order",
            OPEN,
            (WORLD_ID, HELLO_ID),
            WORLD + HELLO,
            "e91f1860d5e5049477eb937d8a1db4e1",
        ),
    ],
)
def test_complete_upload_answers_with_the_assembled_file(
    case: str,
    upload: Upload,
    part_ids: tuple[str, ...],
    content: bytes,
    md5: str | None,
    invoke: Handler,
    stack: Stack,
    queued: list[dict[str, Any]],
) -> None:
    before = int(time.time())

    answer = decoded(invoke("complete_upload", event("complete_upload", case)))

    file = answer["body"]["file"]
    assert before <= file["created_at"] <= time.time()
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": len(content),
        "created_at": file["created_at"],
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": "processed",
    }
    assert answer == json_answer(200, upload.public() | {"status": "completed", "file": file})
    found = samples.records(stack).get("acme", file["id"])
    assert found is not None
    assert found.public() == file
    assert samples.objects(stack)[found.blob_key("acme")] == content
    assert parts(stack, upload) == set()
    assert queued == []
    assert upload_samples.records(stack).get("acme", upload.id) == replace(
        upload, status="completed", file_id=file["id"], part_ids=part_ids, md5=md5
    )
    again = decoded(invoke("complete_upload", event("complete_upload", case)))
    assert again == answer


def test_assemble_upload_finalizes_the_file(invoke: Handler, stack: Stack) -> None:
    file = replace(WAITING_FILE, status="processed")
    for _ in range(2):
        assert invoke("assemble_upload", event("assemble_upload", "success")) == {}

        assert samples.records(stack).get("acme", file.id) == file
        assert samples.objects(stack)[file.blob_key("acme")] == HELLO + WORLD
        assert parts(stack, WAITING) == set()
    answer = decoded(invoke("complete_upload", event("complete_upload", "success_assembled_later")))
    assert answer == json_answer(200, WAITING.public(file))


@pytest.mark.parametrize(
    ("function", "case", "upload", "file", "why"),
    [
        ("assemble_upload", "success_wrong_md5", WRONG_MD5, WRONG_FILE, NO_MATCH),
        ("fail_assembly", "success", WAITING, WAITING_FILE, GIVEN_UP),
    ],
)
def test_failed_assembly_leaves_an_error_and_no_parts(
    function: str,
    case: str,
    upload: Upload,
    file: File,
    why: str,
    invoke: Handler,
    stack: Stack,
) -> None:
    if function == "fail_assembly":
        stack.s3.create_multipart_upload(Bucket=FILES_BUCKET, Key=file.blob_key("acme"))

    for _ in range(2):
        assert invoke(function, event(function, case)) == {}

        pending = samples.records(stack).get_pending("acme", file.id)
        assert pending is not None
        assert pending.file == replace(file, status="error", status_details=why)
        assert samples.records(stack).get("acme", file.id) is None
        assert file.blob_key("acme") not in samples.objects(stack)
        assert parts(stack, upload) == set()
        assert file.blob_key("acme") not in stack.multipart_uploads(FILES_BUCKET)


def test_list_file_parts_links_those_that_have_not_arrived(invoke: Handler, stack: Stack) -> None:
    before = stored(stack)
    pending = samples.records(stack).get_pending("acme", SENDING.id)
    assert pending is not None

    answer = decoded(invoke("list_file_parts", event("list_file_parts", "success")))

    link = {
        "method": "PUT",
        "url": Signed(
            SENDING.blob_key("acme"),
            900,
            frozenset({"content-length", "host"}),
            {"uploadId": str(pending.multipart_id), "partNumber": "1"},
        ),
        "headers": {},
        "expires_at": Soon(900),
    }
    missing = {"part_number": 1, "bytes": MIN_PART_BYTES, "uploaded": False, "upload": link}
    arrived = {"part_number": 2, "bytes": len(JSONL), "uploaded": True}
    parts = [{"object": "file.part"} | each for each in (missing, arrived)]
    for part in answer["body"]["data"]:
        if "upload" in part:
            part["upload"]["url"] = signed(part["upload"]["url"])
    body = {"object": "list", "data": parts, "has_more": False}
    assert answer == json_answer(200, body)
    assert stored(stack) == before


@pytest.mark.parametrize("function", ["retrieve_file", "list_file_parts", "finalize_file"])
def test_first_look_after_the_last_part_finalizes_the_file(
    function: str, invoke: Handler, stack: Stack
) -> None:
    payload = {
        "retrieve_file": about("retrieve_file", SENT.id),
        "list_file_parts": event("list_file_parts", "all_arrived"),
        "finalize_file": aws_events.object_created(SENT.blob_key("acme"), SENT.bytes),
    }[function]

    for _ in range(2):
        answer = decoded(invoke(function, payload))

    assert samples.objects(stack)[SENT.blob_key("acme")] == JSONL
    assert samples.records(stack).get("acme", SENT.id) == replace(SENT, status="processed")
    assert samples.records(stack).get_pending("acme", SENT.id) is None
    if function == "list_file_parts":
        assert answer == NO_PARTS.answer


def test_delete_expired_deletes_expired_records_and_no_others(
    invoke: Handler, stack: Stack
) -> None:
    before = stored(stack)
    expired = {key for key in before if samples.EXPIRED.id in key and "#" in key}
    assert len(expired) == 2

    for case, gone in [("success_nothing_expired", set()), ("success", expired)]:
        assert invoke("delete_expired", event("delete_expired", case)) == {}
        after = stored(stack)
        after.pop("EXPIRY")
        assert after == {key: item for key, item in before.items() if key not in gone}


def test_check_blob_deletes_parts_of_ended_uploads(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = stored(stack).keys()
    for upload, part_id in [(COMPLETED, HELLO_ID), (CANCELLED, WORLD_ID)]:
        upload_samples.records(stack).add_part("acme", Part(part_id, upload.id, 7, 1780301600))

    for _ in range(2):
        answer = invoke("check_blob", event("check_blob", "parts_of_ended_uploads"))

        assert answer == {"batchItemFailures": []}
        assert stored(stack).keys() == before
        assert queued == []


def test_cancel_upload_leaves_no_parts(invoke: Handler, stack: Stack) -> None:
    answer = decoded(invoke("cancel_upload", event("cancel_upload", "success")))

    cancelled = replace(OPEN, status="cancelled")
    assert answer == json_answer(200, cancelled.public())
    assert upload_samples.records(stack).get("acme", OPEN.id) == cancelled
    assert parts(stack, OPEN) == set()
    assert CANCELLED.public() == cancelled.public() | {"id": CANCELLED.id}


@pytest.mark.parametrize(
    ("function", "content"), [("create_file", PDF), ("add_upload_part", HELLO)]
)
def test_body_may_be_as_large_as_an_event_can_hold(
    function: str, content: bytes, invoke: Handler
) -> None:
    payload = event(function, "success")
    if function == "add_upload_part":
        payload["pathParameters"] = {"upload_id": LARGE.id}
    form = base64.b64decode(payload["body"])
    for excess in (0, 1):
        large = bytes(MAX_INLINE_BYTES + excess)
        payload["body"] = base64.b64encode(form.replace(content, large)).decode()
        assert len(json.dumps(payload)) < 6 * 1024 * 1024

        answer = decoded(invoke(function, payload))

        if excess:
            assert answer == TOO_LARGE[function].answer
        else:
            assert answer["statusCode"] == 200
            assert answer["body"].get("bytes", len(large)) == len(large)


def test_created_file_can_be_listed_read_and_deleted(invoke: Handler) -> None:
    created = decoded(invoke("create_file", event("create_file", "filename_unicode")))["body"]

    def about(function: str) -> dict[str, Any]:
        payload = event(function, "success")
        payload["pathParameters"] = {"file_id": created["id"]}
        return invoke(function, payload)

    def listed() -> list[dict[str, Any]]:
        page = decoded(invoke("list_files", event("list_files", "success")))
        return list(page["body"]["data"])

    others = EXPECTED["list_files"]["success"].answer["body"]["data"]
    assert listed() == [created, *others]
    assert decoded(about("retrieve_file"))["body"] == created
    assert base64.b64decode(about("download_file")["body"]) == b"1.09\n"
    assert decoded(about("delete_file"))["body"]["deleted"] is True
    assert about("retrieve_file")["statusCode"] == 404
    assert about("download_file")["statusCode"] == 404
    assert listed() == others


# --- The payloads themselves ----------------------------------------------------------------------


def test_every_function_has_events_and_every_event_a_test() -> None:
    tested = {
        name: {*NEW.get(name, {}), *EXPECTED.get(name, {}), *SPECIAL.get(name, set())}
        for name in functions.resources()
    }
    present = {
        folder.name: {path.stem for path in folder.iterdir()}
        for folder in samples.EVENTS.iterdir()
        if folder.is_dir()
    }
    for folder, cases in present.items():
        new = cases - tested.get(folder, set())
        assert not new, f"tests/functions/answers.py has no answer to events/{folder}/{new}"
    assert present == tested


# Amazon API Gateway, "Input format of a Lambda function for proxy integration".
PROXY_EVENT = {
    "resource",
    "path",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "requestContext",
    "body",
    "isBase64Encoded",
}


def payloads(function: str) -> list[dict[str, Any]]:
    return [event(function, path.stem) for path in sorted((samples.EVENTS / function).iterdir())]


@pytest.mark.parametrize("function", ROUTED)
def test_sample_events_match_the_route_of_their_function(function: str) -> None:
    routes = functions.routes(function)
    for payload in payloads(function):
        context, route = payload["requestContext"], payload["resource"]
        assert set(payload) == PROXY_EVENT
        assert (payload["httpMethod"], route) in routes
        assert payload["path"] == route.format(**payload["pathParameters"] or {})
        # The address of the stage itself may have no slash at its end.
        assert context["resourcePath"] == route
        assert context["path"] in (f"/dev{payload['path']}", f"/dev{payload['path']}".rstrip("/"))
        assert payload["multiValueHeaders"] == {k: [v] for k, v in payload["headers"].items()}
        if function != "pages":  # which need no key
            assert set(context["authorizer"]) >= {"principalId", "project", "scopes"}
        assert context["requestId"] == REQUEST_ID


@pytest.mark.parametrize("function", ["purge", "check_blob"])
def test_sample_batches_have_the_form_of_streams_and_queues(function: str) -> None:
    whole = aws_events.removed({"PK": {}, "SK": {}}, expired=True)
    if function == "check_blob":
        whole = aws_events.queued({})
    for payload in payloads(function):
        assert list(payload) == ["Records"]
        for record in payload["Records"]:
            assert set(whole) - {"userIdentity"} <= set(record) <= set(whole)


def test_sample_storage_events_have_the_form_of_eventbridge() -> None:
    for payload in payloads("finalize_file"):
        created = payload["detail"]["object"]
        assert payload == aws_events.object_created(created["key"], created["size"])
