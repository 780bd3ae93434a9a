"""The functions of the Uploads API with each of their sample payloads: the whole answer, and what
is stored after it."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from files_api.service.blob_keys import PartBlob
from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.model import Part, Upload
from tests.functions import samples, upload_samples
from tests.functions.conftest import Handler
from tests.functions.samples import FILES_BUCKET, FILES_TABLE, HANDBOOK, event
from tests.functions.test_functions import (
    NOT_A_FORM,
    PROXY_EVENT,
    PURPOSES,
    REQUEST_ID,
    UNREADABLE,
    Failure,
    decoded,
    invalid,
    json_answer,
    lacks,
)
from tests.functions.upload_samples import (
    CANCELLED,
    COMPLETED,
    EXPIRED,
    EXPIRING,
    FOREIGN,
    HELLO,
    HELLO_ID,
    LARGE,
    LARGE_ID,
    LARGE_PART,
    OPEN,
    PENDING_ID,
    UNKNOWN_ID,
    WAITING,
    WAITING_FILE,
    WORLD,
    WORLD_ID,
    WRONG_FILE,
    WRONG_MD5,
)
from tests.support.functions import load_app
from tests.support.moto_stack import Stack

NO_OBJECT = Failure(400, "The body is not a JSON object.")
TOO_SMALL = "Input should be greater than or equal to 1."


def missing(param: str, hint: str = "") -> Failure:
    return Failure(400, f"Missing required parameter: '{param}'.{hint}", param)


def too_large(message: str, param: str) -> Failure:
    return Failure(413, message, param, "file_too_large")


def not_found(upload_id: str) -> Failure:
    return Failure(404, f"No such Upload object: {upload_id}", "id")


NOT_TO_BE_FOUND = {
    "unknown": not_found(UNKNOWN_ID),
    "foreign": not_found(FOREIGN.id),
    "malformed_id": not_found("upload_abc123"),
}
CLOSED = {
    "cancelled": invalid("upload_id", "the upload is cancelled."),
    "expired": invalid("upload_id", "the upload is expired."),
}
ONCE = "must name 1 to 10000 parts, each once."

FAILURES: dict[str, dict[str, Failure]] = {
    "create_upload": {
        "missing_filename": missing("filename"),
        "missing_purpose": missing("purpose"),
        "missing_bytes": missing("bytes"),
        "missing_mime_type": missing("mime_type"),
        "unknown_purpose": invalid("purpose", f"must be one of {PURPOSES}."),
        "no_bytes": invalid("bytes", TOO_SMALL),
        "bytes_as_text": invalid("bytes", "Input should be a valid integer."),
        "too_large": too_large("The maximum file size is 536870912 bytes.", "bytes"),
        "long_mime_type": invalid("mime_type", "String should have at most 255 characters."),
        "bad_expires_after": invalid("expires_after", "[anchor] Input should be 'created_at'."),
        "no_object": NO_OBJECT,
        "truncated": NO_OBJECT,
        "no_scope": lacks("files:write"),
    },
    "add_upload_part": {
        "missing_data": missing("data", " Send it as a form part with a filename."),
        "empty_data": Failure(400, "The data is empty.", "data", "empty_file"),
        "not_multipart": NOT_A_FORM,
        "truncated": Failure(
            400, f"{UNREADABLE}Unexpected end of multipart stream (parser closed)."
        ),
        "direct_missing_bytes": missing("bytes"),
        "direct_no_bytes": invalid("bytes", TOO_SMALL),
        "direct_too_large": too_large("The maximum part size is 5368709120 bytes.", "bytes"),
        "direct_bad_sha256": invalid("sha256", "String should match pattern '^[0-9a-fA-F]{64}$'."),
        "direct_no_object": NO_OBJECT,
        "completed": invalid("upload_id", "the upload is completed."),
        "no_scope": lacks("files:write"),
        **NOT_TO_BE_FOUND,
        **CLOSED,
        **{f"direct_{case}": failure for case, failure in (NOT_TO_BE_FOUND | CLOSED).items()},
    },
    "complete_upload": {
        "missing_part_ids": missing("part_ids"),
        "no_parts": invalid("part_ids", ONCE),
        "repeated_part": invalid("part_ids", ONCE),
        "unknown_part": invalid("part_ids", f"{UNKNOWN_ID} is not a part of this upload."),
        "part_without_content": invalid("part_ids", f"{PENDING_ID} has no content yet."),
        "too_few_bytes": invalid(
            "part_ids",
            "the parts have 7 bytes in total, but the upload was created for 14 bytes.",
        ),
        "wrong_md5": invalid("md5", "the MD5 does not match the parts in the given order."),
        "bad_md5": invalid("md5", "String should match pattern '^[0-9a-fA-F]{32}$'."),
        "part_ids_no_list": invalid("part_ids", "Input should be a valid tuple."),
        "no_object": NO_OBJECT,
        "truncated": NO_OBJECT,
        "no_scope": lacks("files:write"),
        **NOT_TO_BE_FOUND,
        **CLOSED,
    },
    "cancel_upload": {
        "completed": invalid("upload_id", "the upload is completed."),
        "no_scope": lacks("files:write"),
        **NOT_TO_BE_FOUND,
        **CLOSED,
    },
}

# Name, purpose, type, seconds that the file will live.
CREATED: dict[str, tuple[str, str, str, int | None]] = {
    "success": ("grüße.txt", "user_data", "text/plain", None),
    "success_batch": ("requests.jsonl", "batch", "application/jsonl", None),
    "success_with_expiry": ("grüße.txt", "user_data", "text/plain", 3600),
}
ADDED = {"success": HELLO, "success_binary": bytes(range(256))}
# Size, and the headers that the checksum asks for.
PRESIGNED: dict[str, tuple[int, dict[str, str]]] = {
    "success_direct": (5 * 1024**3, {}),
    "success_direct_sha256": (
        7,
        {"x-amz-checksum-sha256": "I0Kb2bqY3VFAMJu5sAlLOq1kJDD/9vs8ph8AjOZE80o="},
    ),
}
# The upload, its parts in order, their content, the MD5.
ASSEMBLED: dict[str, tuple[Upload, tuple[str, ...], bytes, str | None]] = {
    "success": (OPEN, (HELLO_ID, WORLD_ID), HELLO + WORLD, None),
    "success_large": (LARGE, (LARGE_ID, HELLO_ID), LARGE_PART + HELLO, None),
    "success_other_order": (
        OPEN,
        (WORLD_ID, HELLO_ID),
        WORLD + HELLO,
        "e91f1860d5e5049477eb937d8a1db4e1",
    ),
}


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """The stack with the uploads that `events/` speaks of, too."""
    upload_samples.store_uploads(stack)
    return stack


@pytest.fixture(autouse=True)
def queued(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """What is to be assembled later."""
    with upload_samples.queue() as queued:
        yield queued


def everything(stack: Stack) -> tuple[list[Any], list[Any]]:
    """All that is stored."""
    items = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    objects = stack.s3.list_objects_v2(Bucket=FILES_BUCKET)["Contents"]
    return items, [(each["Key"], each["ETag"]) for each in objects]


def parts(stack: Stack, upload: Upload) -> list[str]:
    found = upload_samples.records(stack).parts(upload_samples.project_of(upload), upload.id)
    return [part.id for part in found]


@pytest.mark.parametrize("case", CREATED)
def test_create_upload_answers_with_the_new_upload(
    case: str, invoke: Handler, stack: Stack
) -> None:
    filename, purpose, mime_type, lifetime = CREATED[case]
    size = json.loads(base64.b64decode(event("create_upload", case)["body"]))["bytes"]
    before = int(time.time())

    answer = decoded(invoke("create_upload", event("create_upload", case)))

    upload = answer["body"]
    assert uuid.UUID(upload["id"]).version == 7
    assert before <= upload["created_at"] <= time.time()
    assert answer == json_answer(
        200,
        {
            "id": upload["id"],
            "object": "upload",
            "bytes": size,
            "created_at": upload["created_at"],
            "filename": filename,
            "purpose": purpose,
            "status": "pending",
            "expires_at": upload["created_at"] + 3600,
            "file": None,
        },
    )
    stored = upload_samples.records(stack).get("acme", upload["id"])
    assert stored is not None
    assert stored.public() == upload
    assert (stored.mime_type, stored.lifetime) == (mime_type, lifetime)


@pytest.mark.parametrize("case", ADDED)
def test_add_upload_part_answers_with_the_stored_part(
    case: str, invoke: Handler, stack: Stack
) -> None:
    before = int(time.time())

    answer = decoded(invoke("add_upload_part", event("add_upload_part", case)))

    part = answer["body"]
    assert before <= part["created_at"] <= time.time()
    assert answer == json_answer(200, part)
    assert part == {
        "id": part["id"],
        "object": "upload.part",
        "created_at": part["created_at"],
        "upload_id": OPEN.id,
    }
    assert set(parts(stack, OPEN)) == {HELLO_ID, WORLD_ID, PENDING_ID, part["id"]}
    assert samples.blobs(stack).get(PartBlob("acme", OPEN.id, part["id"]).key) == ADDED[case]


def test_late_part_extends_its_upload(invoke: Handler, stack: Stack) -> None:
    before = int(time.time())

    answer = decoded(invoke("add_upload_part", event("add_upload_part", "success_late")))

    assert answer["statusCode"] == 200
    assert answer["body"]["id"] in {
        part.id for part in upload_samples.records(stack).parts("acme", EXPIRING.id)
    }
    known = upload_samples.records(stack).get("acme", EXPIRING.id)
    assert known is not None
    assert before + 1800 <= known.expires_at <= time.time() + 1800
    assert known == replace(EXPIRING, expires_at=known.expires_at)


@pytest.mark.parametrize("case", PRESIGNED)
def test_add_upload_part_answers_with_a_put_url(case: str, invoke: Handler, stack: Stack) -> None:
    size, headers = PRESIGNED[case]
    before = int(time.time())

    answer = decoded(invoke("add_upload_part", event("add_upload_part", case)))

    part = answer["body"]
    link = part["upload"]
    assert answer == json_answer(200, part)
    assert part == {
        "id": part["id"],
        "object": "upload.part",
        "created_at": part["created_at"],
        "upload_id": OPEN.id,
        "upload": {
            "method": "PUT",
            "url": link["url"],
            "headers": {
                "Content-Type": "application/octet-stream",
                "If-None-Match": "*",
                **headers,
            },
            "expires_at": link["expires_at"],
        },
    }
    assert before + 900 <= link["expires_at"] <= time.time() + 900
    url = urlsplit(link["url"])
    assert url.path.endswith(PartBlob("acme", OPEN.id, part["id"]).key)
    signed = parse_qs(url.query)["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "if-none-match"} <= set(signed)
    stored = upload_samples.records(stack).parts("acme", OPEN.id)
    assert [each.bytes for each in stored if each.id == part["id"]] == [size]


@pytest.mark.parametrize("case", ASSEMBLED)
def test_complete_upload_answers_with_the_assembled_file(
    case: str, invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    upload, part_ids, content, md5 = ASSEMBLED[case]
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
    stored = samples.records(stack).get("acme", file["id"])
    assert stored is not None
    assert stored.public() == file
    assert samples.blobs(stack).get(stored.blob_key("acme")) == content
    assert parts(stack, upload) == []
    assert queued == []
    assert upload_samples.records(stack).get("acme", upload.id) == replace(
        upload, status="completed", file_id=file["id"], part_ids=part_ids, md5=md5
    )
    again = decoded(invoke("complete_upload", event("complete_upload", case)))
    assert again == answer


def test_repeated_complete_upload_answers_the_same(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = everything(stack)

    answer = decoded(invoke("complete_upload", event("complete_upload", "success_again")))

    assert answer == json_answer(200, COMPLETED.public(HANDBOOK))
    assert everything(stack) == before
    assert queued == []


def test_complete_upload_restarts_a_stalled_assembly(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = everything(stack)

    answer = decoded(invoke("complete_upload", event("complete_upload", "success_assembled_later")))

    assert answer == json_answer(200, WAITING.public(WAITING_FILE))
    assert everything(stack) == before
    assert queued == [event("assemble_upload", "success")]


def test_assemble_upload_finalizes_the_file(invoke: Handler, stack: Stack) -> None:
    for _ in range(2):
        assert invoke("assemble_upload", event("assemble_upload", "success")) == {}

        file = replace(WAITING_FILE, status="processed")
        assert samples.records(stack).get("acme", file.id) == file
        assert samples.blobs(stack).get(file.blob_key("acme")) == HELLO + WORLD
        assert parts(stack, WAITING) == []
    answer = decoded(invoke("complete_upload", event("complete_upload", "success_assembled_later")))
    assert answer == json_answer(200, WAITING.public(file))


def test_assemble_upload_fails_on_another_md5(invoke: Handler, stack: Stack) -> None:
    for _ in range(2):
        assert invoke("assemble_upload", event("assemble_upload", "success_wrong_md5")) == {}

        pending = samples.records(stack).get_pending("acme", WRONG_FILE.id)
        assert pending is not None
        assert pending.file == replace(
            WRONG_FILE, status="error", status_details="The MD5 does not match the content."
        )
        assert samples.records(stack).get("acme", WRONG_FILE.id) is None
        assert samples.blobs(stack).size(WRONG_FILE.blob_key("acme")) is None
        assert parts(stack, WRONG_MD5) == []


@pytest.mark.parametrize("case", ["success_again", "success_open", "success_unknown"])
def test_assemble_upload_without_work_changes_nothing(
    case: str, invoke: Handler, stack: Stack
) -> None:
    before = everything(stack)

    assert invoke("assemble_upload", event("assemble_upload", case)) == {}

    assert everything(stack) == before


def test_purge_deletes_bytes_of_parts_and_parts_of_uploads(invoke: Handler, stack: Stack) -> None:
    kept = objects(stack) - {PartBlob("acme", OPEN.id, HELLO_ID).key}
    others = parts(stack, OPEN)

    for _ in range(2):  # a batch may come again
        assert invoke("purge", event("purge", "parts")) == {"batchItemFailures": []}

        assert objects(stack) == kept  # the others' bytes follow their items
        assert parts(stack, EXPIRED) == []
        assert parts(stack, OPEN) == others != []


def test_check_blob_deletes_only_bytes_without_a_part(invoke: Handler, stack: Stack) -> None:
    kept = objects(stack)
    orphan = PartBlob("acme", OPEN.id, UNKNOWN_ID).key
    samples.blobs(stack).put(orphan, b"nobody's")

    for _ in range(2):  # a message may come again
        assert invoke("check_blob", event("check_blob", "parts")) == {"batchItemFailures": []}

        assert objects(stack) == kept


def test_check_blob_restarts_a_stalled_assembly_once(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = everything(stack)

    answer = invoke("check_blob", event("check_blob", "not_assembled"))

    assert answer == {"batchItemFailures": []}
    assert queued == [event("assemble_upload", "success")]
    assert everything(stack) == before


def test_check_blob_deletes_parts_of_ended_uploads(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = set(samples.stored(stack)[0])
    for upload, part_id in [(COMPLETED, HELLO_ID), (CANCELLED, WORLD_ID)]:
        upload_samples.records(stack).add_part("acme", Part(part_id, upload.id, 7, 1780301600))
    payload = event("check_blob", "parts_of_ended_uploads")

    for _ in range(2):
        assert invoke("check_blob", payload) == {"batchItemFailures": []}

        assert set(samples.stored(stack)[0]) == before
        assert queued == []


def test_fail_assembly_records_the_error_in_the_file(invoke: Handler, stack: Stack) -> None:
    stack.s3.create_multipart_upload(Bucket=samples.FILES_BUCKET, Key=WAITING_FILE.blob_key("acme"))

    for _ in range(2):
        assert invoke("fail_assembly", event("fail_assembly", "success")) == {}

        pending = samples.records(stack).get_pending("acme", WAITING_FILE.id)
        assert pending is not None
        assert pending.file == replace(
            WAITING_FILE, status="error", status_details="The parts could not be assembled."
        )
        assert parts(stack, WAITING) == []
        assert "Uploads" not in stack.s3.list_multipart_uploads(Bucket=FILES_BUCKET)


@pytest.mark.parametrize("case", ["success_again", "success_unknown"])
def test_fail_assembly_without_a_failure_changes_nothing(
    case: str, invoke: Handler, stack: Stack
) -> None:
    before = everything(stack)

    assert invoke("fail_assembly", event("fail_assembly", case)) == {}

    assert everything(stack) == before


def objects(stack: Stack) -> set[str]:
    return set(samples.stored(stack)[1])


def test_cancel_upload_leaves_no_parts(invoke: Handler, stack: Stack) -> None:
    answer = decoded(invoke("cancel_upload", event("cancel_upload", "success")))

    cancelled = replace(OPEN, status="cancelled")
    assert answer == json_answer(200, cancelled.public())
    assert upload_samples.records(stack).get("acme", OPEN.id) == cancelled
    assert parts(stack, OPEN) == []
    assert CANCELLED.public() == cancelled.public() | {"id": CANCELLED.id}


@pytest.mark.parametrize(
    ("function", "case"), [(name, case) for name, cases in FAILURES.items() for case in cases]
)
def test_refused_call_answers_the_whole_error_and_changes_nothing(
    function: str, case: str, invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    expected = FAILURES[function][case]
    before = everything(stack)

    answer = decoded(invoke(function, event(function, case)))

    error = {
        "message": expected.message,
        "type": "invalid_request_error",
        "param": expected.param,
        "code": expected.code,
    }
    assert answer == json_answer(expected.status, {"error": error})
    assert everything(stack) == before
    assert queued == []


@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 413)])
def test_add_upload_part_accepts_what_an_event_can_hold(
    excess: int, status: int, invoke: Handler
) -> None:
    payload = event("add_upload_part", "success")
    body = base64.b64decode(payload["body"]).replace(HELLO, bytes(MAX_INLINE_BYTES + excess))
    payload["body"] = base64.b64encode(body).decode()

    answer = decoded(invoke("add_upload_part", payload))

    assert len(json.dumps(payload)) < 6 * 1024 * 1024
    assert answer["statusCode"] == status
    if status == 413:
        assert answer["body"]["error"] == {
            "message": "A part in the request body can have at most 4500000 bytes. For a larger "
            'part, request a presigned URL with a JSON body: {"bytes": …}.',
            "type": "invalid_request_error",
            "param": "data",
            "code": "file_too_large",
        }


def test_every_event_of_an_upload_has_a_test() -> None:
    tested = {
        "create_upload": {*CREATED, *FAILURES["create_upload"]},
        "add_upload_part": {
            "success_late",
            *ADDED,
            *PRESIGNED,
            *FAILURES["add_upload_part"],
        },
        "complete_upload": {
            *ASSEMBLED,
            "success_again",
            "success_assembled_later",
            *FAILURES["complete_upload"],
        },
        "cancel_upload": {"success", *FAILURES["cancel_upload"]},
        "assemble_upload": {
            "success",
            "success_wrong_md5",
            "success_again",
            "success_open",
            "success_unknown",
        },
        "fail_assembly": {"success", "success_again", "success_unknown"},
    }
    assert set(tested) == upload_samples.FUNCTIONS
    present = {
        function: {path.stem for path in (samples.EVENTS / function).iterdir()}
        for function in upload_samples.FUNCTIONS
    }
    assert present == tested


@pytest.mark.parametrize("function", FAILURES)
def test_sample_events_match_the_route_of_their_function(function: str) -> None:
    api = load_app(function).api
    for path in sorted((samples.EVENTS / function).iterdir()):
        payload = event(function, path.stem)
        context = payload["requestContext"]
        assert set(payload) == PROXY_EVENT
        assert (payload["httpMethod"], payload["resource"]) == (api.method, api.path)
        assert payload["path"] == api.path.format(**payload["pathParameters"] or {})
        assert (context["resourcePath"], context["path"]) == (api.path, f"/dev{payload['path']}")
        assert payload["multiValueHeaders"] == {k: [v] for k, v in payload["headers"].items()}
        assert set(context["authorizer"]) >= {"principalId", "project", "scopes"}
        assert context["requestId"] == REQUEST_ID
