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

from files_api.files import MAX_INLINE_BYTES
from files_api.model import Part, Upload, part_key
from tests.functions import load_app
from tests.integration import samples, upload_samples
from tests.integration.conftest import Handler
from tests.integration.samples import FILES_BUCKET, FILES_TABLE, HANDBOOK, event
from tests.integration.test_functions import (
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
from tests.integration.upload_samples import (
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
    PROMISED_ID,
    UNKNOWN_ID,
    WAITING,
    WAITING_FILE,
    WORLD,
    WORLD_ID,
    WRONG_FILE,
    WRONG_MD5,
)
from tests.moto_stack import Stack

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
        "too_large": too_large("Files may have up to 536870912 bytes here.", "bytes"),
        "long_mime_type": invalid("mime_type", "String should have at most 255 characters."),
        "bad_expires_after": invalid("expires_after", "[anchor] Input should be 'created_at'."),
        "no_object": NO_OBJECT,
        "truncated": NO_OBJECT,
        "no_scope": lacks("files:write"),
    },
    "add_upload_part": {
        "missing_data": missing("data", " Send it as a part with a filename."),
        "empty_data": Failure(400, "The data is empty.", "data", "empty_file"),
        "not_multipart": NOT_A_FORM,
        "truncated": Failure(
            400, f"{UNREADABLE}Unexpected end of multipart stream (parser closed)."
        ),
        "direct_missing_bytes": missing("bytes"),
        "direct_no_bytes": invalid("bytes", TOO_SMALL),
        "direct_too_large": too_large("A part has up to 5368709120 bytes.", "bytes"),
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
        "unknown_part": invalid("part_ids", f"{UNKNOWN_ID} is no part of this upload."),
        "part_without_content": invalid("part_ids", f"{PROMISED_ID} has no content yet."),
        "too_few_bytes": invalid(
            "part_ids", "these parts have 7 bytes, the upload was to have 14."
        ),
        "wrong_md5": invalid("md5", "it is not that of the parts in this order."),
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
PROMISED: dict[str, tuple[int, dict[str, str]]] = {
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
def test_create_upload_answers_with_the_upload_that_it_opened(
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
def test_add_upload_part_answers_with_the_part_that_it_stored(
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
    assert set(parts(stack, OPEN)) == {HELLO_ID, WORLD_ID, PROMISED_ID, part["id"]}
    assert samples.blobs(stack).get(part_key("acme", OPEN.id, part["id"])) == ADDED[case]


def test_a_late_part_puts_off_the_expiry_of_its_upload(invoke: Handler, stack: Stack) -> None:
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


@pytest.mark.parametrize("case", PROMISED)
def test_add_upload_part_answers_with_the_link_to_put_a_part_to(
    case: str, invoke: Handler, stack: Stack
) -> None:
    size, headers = PROMISED[case]
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
    assert url.path.endswith(part_key("acme", OPEN.id, part["id"]))
    signed = parse_qs(url.query)["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "if-none-match"} <= set(signed)
    stored = upload_samples.records(stack).parts("acme", OPEN.id)
    assert [each.bytes for each in stored if each.id == part["id"]] == [size]


@pytest.mark.parametrize("case", ASSEMBLED)
def test_complete_upload_answers_with_the_file_that_it_made(
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
    assert samples.blobs(stack).get(stored.key("acme")) == content
    assert parts(stack, upload) == []
    assert queued == []
    assert upload_samples.records(stack).get("acme", upload.id) == replace(
        upload, status="completed", file_id=file["id"], part_ids=part_ids, md5=md5
    )
    again = decoded(invoke("complete_upload", event("complete_upload", case)))
    assert again == answer


def test_complete_upload_says_again_what_it_said(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = everything(stack)

    answer = decoded(invoke("complete_upload", event("complete_upload", "success_again")))

    assert answer == json_answer(200, COMPLETED.public(HANDBOOK))
    assert everything(stack) == before
    assert queued == []


def test_complete_upload_starts_an_assembly_again_that_may_have_died(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = everything(stack)

    answer = decoded(invoke("complete_upload", event("complete_upload", "success_assembled_later")))

    assert answer == json_answer(200, WAITING.public(WAITING_FILE))
    assert everything(stack) == before
    assert queued == [event("assemble_upload", "success")]


def test_assemble_upload_makes_the_file(invoke: Handler, stack: Stack) -> None:
    for _ in range(2):
        assert invoke("assemble_upload", event("assemble_upload", "success")) == {}

        file = replace(WAITING_FILE, status="processed")
        assert samples.records(stack).get("acme", file.id) == file
        assert samples.blobs(stack).get(file.key("acme")) == HELLO + WORLD
        assert parts(stack, WAITING) == []
    answer = decoded(invoke("complete_upload", event("complete_upload", "success_assembled_later")))
    assert answer == json_answer(200, WAITING.public(file))


def test_assemble_upload_makes_no_file_of_what_has_another_md5(
    invoke: Handler, stack: Stack
) -> None:
    for _ in range(2):
        assert invoke("assemble_upload", event("assemble_upload", "success_wrong_md5")) == {}

        pending = samples.records(stack).pending("acme", WRONG_FILE.id)
        assert pending is not None
        assert pending.file == replace(
            WRONG_FILE, status="error", status_details="The md5 does not match the content."
        )
        assert samples.records(stack).get("acme", WRONG_FILE.id) is None
        assert samples.blobs(stack).size(WRONG_FILE.key("acme")) is None
        assert parts(stack, WRONG_MD5) == []


@pytest.mark.parametrize("case", ["success_again", "success_open", "success_unknown"])
def test_assemble_upload_changes_nothing_where_nothing_is_to_be_done(
    case: str, invoke: Handler, stack: Stack
) -> None:
    before = everything(stack)

    assert invoke("assemble_upload", event("assemble_upload", case)) == {}

    assert everything(stack) == before


def test_purge_file_removes_the_bytes_of_a_part_and_the_parts_of_an_upload_that_is_gone(
    invoke: Handler, stack: Stack
) -> None:
    kept = objects(stack) - {part_key("acme", OPEN.id, HELLO_ID)}
    others = parts(stack, OPEN)

    for _ in range(2):  # a batch may come again
        assert invoke("purge_file", event("purge_file", "parts")) == {"batchItemFailures": []}

        assert objects(stack) == kept  # the others' bytes follow their items
        assert parts(stack, EXPIRED) == []
        assert parts(stack, OPEN) == others != []


def test_remove_orphan_removes_the_bytes_of_no_part_and_no_others(
    invoke: Handler, stack: Stack
) -> None:
    kept = objects(stack)
    orphan = part_key("acme", OPEN.id, UNKNOWN_ID)
    samples.blobs(stack).put(orphan, b"nobody's")

    for _ in range(2):  # a message may come again
        assert invoke("remove_orphan", event("remove_orphan", "parts")) == {"batchItemFailures": []}

        assert objects(stack) == kept


def test_remove_orphan_starts_an_assembly_once_that_may_have_died(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = everything(stack)

    answer = invoke("remove_orphan", event("remove_orphan", "unassembled"))

    assert answer == {"batchItemFailures": []}
    assert queued == [event("assemble_upload", "success")]
    assert everything(stack) == before


def test_remove_orphan_removes_what_outlived_its_upload(
    invoke: Handler, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    before = set(samples.stored(stack)[0])
    for upload, part_id in [(COMPLETED, HELLO_ID), (CANCELLED, WORLD_ID)]:
        upload_samples.records(stack).add_part("acme", Part(part_id, upload.id, 7, 1780301600))
    payload = event("remove_orphan", "parts_of_ended_uploads")

    for _ in range(2):
        assert invoke("remove_orphan", payload) == {"batchItemFailures": []}

        assert set(samples.stored(stack)[0]) == before
        assert queued == []


def test_fail_upload_says_so_in_the_file(invoke: Handler, stack: Stack) -> None:
    samples.blobs(stack)._begin(WAITING_FILE.key("acme"))

    for _ in range(2):
        assert invoke("fail_upload", event("fail_upload", "success")) == {}

        pending = samples.records(stack).pending("acme", WAITING_FILE.id)
        assert pending is not None
        assert pending.file == replace(
            WAITING_FILE, status="error", status_details="It could not be put together."
        )
        assert parts(stack, WAITING) == []
        assert "Uploads" not in stack.s3.list_multipart_uploads(Bucket=FILES_BUCKET)


@pytest.mark.parametrize("case", ["success_again", "success_unknown"])
def test_fail_upload_changes_nothing_where_nothing_has_failed(
    case: str, invoke: Handler, stack: Stack
) -> None:
    before = everything(stack)

    assert invoke("fail_upload", event("fail_upload", case)) == {}

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
def test_what_cannot_be_done_is_said_in_full_and_changes_nothing(
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
def test_add_upload_part_takes_parts_up_to_what_an_event_holds(
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
            "message": "A part sent this way has up to 4500000 bytes. For a larger one, ask for "
            'an upload URL with a JSON body: {"bytes": …}.',
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
            *PROMISED,
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
        "fail_upload": {"success", "success_again", "success_unknown"},
    }
    assert set(tested) == upload_samples.FUNCTIONS
    present = {
        function: {path.stem for path in (samples.EVENTS / function).iterdir()}
        for function in upload_samples.FUNCTIONS
    }
    assert present == tested


@pytest.mark.parametrize("function", FAILURES)
def test_events_are_what_the_gateway_sends_on_the_functions_route(function: str) -> None:
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
