"""Each function with each of its sample payloads: the whole answer, and what is stored after it."""

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from files_api.service.files import MAX_INLINE_BYTES
from files_api.service.intake import DAY
from files_api.service.model import File
from tests.functions import aws_events, samples, upload_samples
from tests.functions.conftest import Handler
from tests.functions.samples import (
    ARRIVED,
    EXPIRED,
    FOREIGN,
    HANDBOOK,
    JSONL,
    LARGE,
    LATE,
    LEFTOVER,
    MISFIT,
    PDF,
    PENDING,
    PHOTO,
    REQUESTS,
    SCREENSHOT,
    STRAY,
    UNKNOWN_ID,
    event,
)
from tests.support import functions
from tests.support.moto_stack import Stack

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
PURPOSES = "assistants, batch, fine-tune, vision, user_data, evals"


@dataclass(frozen=True)
class Failure:
    """An error as a caller sees it."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None


def not_found(file_id: str) -> Failure:
    return Failure(404, f"No such File object: {file_id}", "id")


def lacks(scope: str) -> Failure:
    return Failure(
        403, f"This API key lacks the scope '{scope}'.", None, "insufficient_permissions"
    )


def missing(param: str) -> Failure:
    return Failure(400, f"Missing required parameter: '{param}'.", param)


def invalid(param: str, reason: str) -> Failure:
    return Failure(400, f"Invalid '{param}': {reason}", param, "invalid_value")


UNREADABLE = "The multipart body cannot be read: "
NO_OBJECT = Failure(400, "The body is not a JSON object.")
NOT_A_FORM = Failure(400, "The request must be multipart/form-data with a boundary.")
NO_FILE = Failure(
    400, "Missing required parameter: 'file'. Send it as a form part with a filename.", "file"
)
BOUNDARY = "d41d8cd98f00b204e9800998ecf8427e"
LIKE_A_FORM = (
    f"a\r\n--{BOUNDARY[:-1]}\r\n\x00\r\n\r\n--{BOUNDARY[:-1]}--\r\nx--{BOUNDARY}--\n--{BOUNDARY}\r"
).encode()

# What is stored: name, purpose, seconds until it expires, content.
CREATED: dict[str, tuple[str, str, int | None, bytes]] = {
    "success": ("handbook.pdf", "assistants", None, PDF),
    "success_file_first": ("handbook.pdf", "assistants", None, PDF),
    "success_batch": ("requests.jsonl", "batch", 30 * DAY, JSONL),
    "success_batch_with_expiry": ("requests.jsonl", "batch", 3600, JSONL),
    "filename_star": ("€ rates.txt", "assistants", None, b"1.09\n"),
    "filename_star_alone": ("€ rates.txt", "assistants", None, b"1.09\n"),
    "filename_quotes": ('the "final" one.txt', "assistants", None, b"1.09\n"),
    "filename_unicode": ("報告書 — été 🚀.txt", "assistants", None, b"1.09\n"),
    "filename_hostile": ("passwd", "assistants", None, b"root:x:0:0\n"),
    "filename_empty": ("upload", "assistants", None, b"1.09\n"),
    "content_like_a_form": ("mail.eml", "assistants", None, LIKE_A_FORM),
}

# Direct uploads: name, purpose, bytes, SHA-256 in base64, seconds until it expires.
DIRECT: dict[str, tuple[str, str, int, str | None, int | None]] = {
    "success_direct": ("recording.mp4", "user_data", 52_428_800, None, None),
    "success_direct_sha256": (
        "requests.jsonl",
        "batch",
        len(JSONL),
        base64.b64encode(hashlib.sha256(JSONL).digest()).decode(),
        30 * DAY,
    ),
    "success_direct_with_expiry": (
        "報告書 — été 🚀.mp4",
        "user_data",
        52_428_800,
        None,
        3600,
    ),
}

LISTED: dict[str, tuple[list[File], bool]] = {
    "success": ([LARGE, SCREENSHOT, REQUESTS, HANDBOOK], False),
    "success_purpose": ([REQUESTS], False),
    "success_first_page": ([HANDBOOK, REQUESTS], True),
    "success_next_page": ([SCREENSHOT, LARGE], False),
    "success_after_deleted": ([LARGE, SCREENSHOT, REQUESTS, HANDBOOK], False),
    "success_empty": ([], False),
}

UPLOADED = replace(ARRIVED, status="processed")

RETRIEVED: dict[str, File] = {
    "success": HANDBOOK,
    "success_expiring": REQUESTS,
    "success_pending": PENDING,
    "success_uploaded": UPLOADED,
    "success_wrong_size": MISFIT,
}

DOWNLOADED: dict[str, tuple[str, bytes]] = {
    "success": ("attachment; filename=\"handbook.pdf\"; filename*=UTF-8''handbook.pdf", PDF),
    "success_unicode_filename": (
        'attachment; filename="F_te ____ _.png"; '
        "filename*=UTF-8''F%C3%AAte%20%22%E6%97%A5%E6%9C%AC%22%20%F0%9F%8E%89.png",
        PHOTO,
    ),
    "success_uploaded": (
        "attachment; filename=\"_bersicht.jsonl\"; filename*=UTF-8''%C3%9Cbersicht.jsonl",
        JSONL,
    ),
}

# The file of a URL, its validity in seconds, and the file name that it offers.
LINKED: dict[str, tuple[File, int, str]] = {
    "success": (HANDBOOK, 900, "filename=\"handbook.pdf\"; filename*=UTF-8''handbook.pdf"),
    "success_large": (
        LARGE,
        3600,
        "filename=\"recording _.mp4\"; filename*=UTF-8''recording%20%F0%9F%8E%99.mp4",
    ),
    "success_uploaded": (
        UPLOADED,
        60,
        "filename=\"_bersicht.jsonl\"; filename*=UTF-8''%C3%9Cbersicht.jsonl",
    ),
    "success_unicode_filename": (
        SCREENSHOT,
        900,
        'filename="F_te ____ _.png"; '
        "filename*=UTF-8''F%C3%AAte%20%22%E6%97%A5%E6%9C%AC%22%20%F0%9F%8E%89.png",
    ),
}

DELETED: dict[str, File] = {
    "success": HANDBOOK,
    "success_large": LARGE,
    "success_pending": PENDING,
    "success_uploaded": ARRIVED,
}

# What is removed, of its bytes alone, and what becomes a file.
FINALIZED: dict[str, tuple[list[File], list[File]]] = {
    "success": ([], [ARRIVED]),
    "finalized_before": ([], []),
    "wrong_size": ([], []),
    "too_late": ([LATE], []),
    "not_pending": ([STRAY], []),
    "gone": ([], []),
}

# What is removed, items and bytes, and which records of the batch come again.
PURGED: dict[str, tuple[list[File], list[int]]] = {
    "file_deleted": ([LEFTOVER], []),
    "file_expired": ([EXPIRED], []),
    "pending_finalized": ([], []),
    "pending_expired": ([STRAY], []),
    "disorder": ([LEFTOVER, STRAY, EXPIRED], []),
    "unreadable": ([LEFTOVER, STRAY], [1]),
}
SWEPT: dict[str, tuple[list[File], list[int]]] = {
    "orphans": ([LEFTOVER, STRAY], []),
    "owned": ([], []),
    "gone": ([], []),
    "disorder": ([STRAY, LEFTOVER], []),
    "unreadable": ([LEFTOVER, STRAY], [1]),
}

# Whose key it is, by its hash, and what it may do.
ALLOWED: dict[str, tuple[str, str]] = {
    "success": ("key_f0ed826ee06d28c7", "files:read files:write"),
    "success_scheme_in_lower_case": ("key_f0ed826ee06d28c7", "files:read files:write"),
    "success_read_only": ("key_d69023ef537ccc29", "files:read"),
}
DENIED = {"malformed", "other_scheme", "empty_key", "unknown", "revoked", "expired"}

NOT_READY = Failure(
    400, f"The File object {PENDING.id} has no content yet.", "id", "file_not_ready"
)
BY_ID = {
    "unknown": not_found(UNKNOWN_ID),
    "foreign": not_found(FOREIGN.id),
    "expired": not_found(EXPIRED.id),
    "malformed_id": not_found("file-abc123"),
}
FAILURES: dict[str, dict[str, Failure]] = {
    "create_file": {
        "missing_file": NO_FILE,
        "file_as_text": NO_FILE,
        "missing_purpose": missing("purpose"),
        "unknown_purpose": invalid("purpose", f"must be one of {PURPOSES}."),
        "bad_expires_after_seconds": invalid(
            "expires_after", "[seconds] Input should be greater than or equal to 3600."
        ),
        "bad_expires_after_anchor": invalid(
            "expires_after", "[anchor] Input should be 'created_at'."
        ),
        "incomplete_expires_after": invalid("expires_after", "[anchor] Field required."),
        "repeated_field": invalid("purpose", "given more than once."),
        "empty_file": Failure(400, "The file is empty.", "file", "empty_file"),
        "not_multipart": NOT_A_FORM,
        "no_body": NOT_A_FORM,
        "truncated": Failure(
            400, f"{UNREADABLE}Unexpected end of multipart stream (parser closed)."
        ),
        "no_scope": lacks("files:write"),
        "direct_missing_filename": missing("filename"),
        "direct_missing_purpose": missing("purpose"),
        "direct_missing_bytes": missing("bytes"),
        "direct_unknown_purpose": invalid("purpose", f"must be one of {PURPOSES}."),
        "direct_no_bytes": invalid("bytes", "Input should be greater than or equal to 1."),
        "direct_bytes_as_text": invalid("bytes", "Input should be a valid integer."),
        "direct_bad_sha256": invalid("sha256", "String should match pattern '^[0-9a-fA-F]{64}$'."),
        "direct_bad_expires_after": invalid(
            "expires_after", "[seconds] Input should be greater than or equal to 3600."
        ),
        "direct_too_large": Failure(
            413, "The maximum file size is 536870912 bytes.", "bytes", "file_too_large"
        ),
        "direct_no_object": NO_OBJECT,
        "direct_truncated": NO_OBJECT,
        "direct_no_scope": lacks("files:write"),
    },
    "list_files": {
        "unknown_purpose": invalid("purpose", f"must be one of {PURPOSES}."),
        "bad_limit": invalid("limit", "Input should be greater than or equal to 1."),
        "limit_too_large": invalid("limit", "Input should be less than or equal to 10000."),
        "limit_no_number": invalid(
            "limit", "Input should be a valid integer, unable to parse string as an integer."
        ),
        "bad_order": invalid("order", "Input should be 'asc' or 'desc'."),
        "bad_after": invalid("after", "must be the id of a file."),
        "no_scope": lacks("files:read"),
    },
    "retrieve_file": BY_ID | {"late": not_found(LATE.id), "no_scope": lacks("files:read")},
    "download_file": BY_ID | {"pending": NOT_READY, "no_scope": lacks("files:read")},
    "get_file_url": BY_ID
    | {
        "pending": NOT_READY,
        "too_short": invalid("expires_in", "Input should be greater than or equal to 60."),
        "too_long": invalid("expires_in", "Input should be less than or equal to 3600."),
        "no_number": invalid(
            "expires_in", "Input should be a valid integer, unable to parse string as an integer."
        ),
        "no_scope": lacks("files:read"),
    },
    "delete_file": BY_ID | {"no_scope": lacks("files:write")},
}


def json_answer(status: int, body: object) -> dict[str, Any]:
    """The answer of a proxy integration, its body still as an object."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "x-request-id": REQUEST_ID},
        "body": body,
        "isBase64Encoded": False,
    }


def decoded(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its JSON body as an object."""
    return answer | {"body": json.loads(answer["body"])}


@pytest.mark.parametrize("case", CREATED)
def test_create_file_answers_with_the_stored_file(case: str, invoke: Handler, stack: Stack) -> None:
    filename, purpose, lifetime, content = CREATED[case]
    before = int(time.time())

    answer = decoded(invoke("create_file", event("create_file", case)))

    file = answer["body"]
    assert uuid.UUID(file["id"]).version == 7
    assert before <= file["created_at"] <= time.time()
    expires = {} if lifetime is None else {"expires_at": file["created_at"] + lifetime}
    assert answer == json_answer(
        200,
        {
            "id": file["id"],
            "object": "file",
            "bytes": len(content),
            "created_at": file["created_at"],
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
            **expires,
        },
    )
    stored = samples.records(stack).get("acme", file["id"])
    assert stored is not None
    assert stored.public() == file
    assert samples.blobs(stack).get(stored.blob_key("acme")) == content


@pytest.mark.parametrize("case", DIRECT)
def test_create_file_answers_with_pending_file_and_put_url(
    case: str, invoke: Handler, stack: Stack
) -> None:
    filename, purpose, size, sha256, lifetime = DIRECT[case]
    before, objects = int(time.time()), samples.objects(stack)

    answer = decoded(invoke("create_file", event("create_file", case)))

    body = answer["body"]
    upload = body.pop("upload")
    checksum = {} if sha256 is None else {"x-amz-checksum-sha256": sha256}
    expires = {} if lifetime is None else {"expires_at": body["created_at"] + lifetime}
    assert before <= body["created_at"] <= time.time()
    assert answer == json_answer(
        200,
        {
            "id": body["id"],
            "object": "file",
            "bytes": size,
            "created_at": body["created_at"],
            "filename": filename,
            "purpose": purpose,
            "status": "pending",
            **expires,
        },
    )
    link = signed(upload.pop("url"))
    assert link == Signed(
        key=f"direct/acme/{body['id']}",
        seconds=900,
        headers={"content-length", "content-type", "host", "if-none-match", *checksum},
    )
    assert before + 900 <= upload.pop("expires_at") <= time.time() + 900
    assert upload == {
        "method": "PUT",
        "headers": {
            "Content-Type": "application/octet-stream",
            "If-None-Match": "*",
            **checksum,
        },
    }
    pending = samples.records(stack).get_pending("acme", body["id"])
    assert pending is not None
    assert pending.file.public() == body
    assert samples.objects(stack) == objects


@dataclass(frozen=True)
class Signed:
    """A presigned URL, less what differs each time."""

    key: str
    seconds: int
    headers: set[str]
    query: dict[str, str] = field(default_factory=dict)


def signed(url: str) -> Signed:
    """The parts of a URL, once it is known to be of the bucket and signed by us just now."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, strict_parsing=True))
    assert (parts.scheme, parts.netloc) == ("https", f"{samples.FILES_BUCKET}.s3.amazonaws.com")
    assert query.pop("X-Amz-Algorithm") == "AWS4-HMAC-SHA256"
    date = datetime.strptime(query.pop("X-Amz-Date"), "%Y%m%dT%H%M%S%z")
    assert abs(date.timestamp() - time.time()) < 60
    scope = f"/{date:%Y%m%d}/us-east-1/s3/aws4_request"
    assert query.pop("X-Amz-Credential").endswith(scope)
    assert len(bytes.fromhex(query.pop("X-Amz-Signature"))) == 32
    headers = set(query.pop("X-Amz-SignedHeaders").split(";"))
    return Signed(parts.path[1:], int(query.pop("X-Amz-Expires")), headers, query)


def signed_download(file: File, seconds: int, disposition: str) -> Signed:
    query = {
        "response-content-type": "application/octet-stream",
        "response-content-disposition": f"attachment; {disposition}",
    }
    return Signed(file.blob_key("acme"), seconds, {"host"}, query)


@pytest.mark.parametrize("case", LISTED)
def test_list_files_answers_with_a_page(case: str, invoke: Handler) -> None:
    files, has_more = LISTED[case]

    answer = decoded(invoke("list_files", event("list_files", case)))

    assert answer == json_answer(
        200,
        {
            "object": "list",
            "data": [file.public() for file in files],
            "first_id": files[0].id if files else None,
            "last_id": files[-1].id if files else None,
            "has_more": has_more,
        },
    )


@pytest.mark.parametrize("case", RETRIEVED)
def test_retrieve_file_answers_with_the_file(case: str, invoke: Handler) -> None:
    answer = decoded(invoke("retrieve_file", event("retrieve_file", case)))

    assert answer == json_answer(200, RETRIEVED[case].public())


@pytest.mark.parametrize("case", DOWNLOADED)
def test_download_file_answers_with_the_bytes(case: str, invoke: Handler) -> None:
    disposition, content = DOWNLOADED[case]

    answer = invoke("download_file", event("download_file", case))

    assert answer == {
        "statusCode": 200,
        "headers": {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": disposition,
            "X-Content-Type-Options": "nosniff",
            "x-request-id": REQUEST_ID,
        },
        "body": base64.b64encode(content).decode(),
        "isBase64Encoded": True,
    }


def test_download_file_redirects_for_a_large_file(invoke: Handler) -> None:
    answer = invoke("download_file", event("download_file", "success_large"))

    link = signed(answer["headers"].pop("Location"))
    assert link == signed_download(LARGE, 900, LINKED["success_large"][2])
    assert answer == {
        "statusCode": 302,
        "headers": {"Cache-Control": "no-store", "x-request-id": REQUEST_ID},
        "body": "",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("case", LINKED)
def test_get_file_url_answers_with_a_url(case: str, invoke: Handler) -> None:
    file, seconds, disposition = LINKED[case]
    before = int(time.time())

    answer = decoded(invoke("get_file_url", event("get_file_url", case)))

    body = answer["body"]
    assert signed(body["url"]) == signed_download(file, seconds, disposition)
    assert before + seconds <= body["expires_at"] <= time.time() + seconds
    assert answer == json_answer(200, {"url": body["url"], "expires_at": body["expires_at"]})


@pytest.mark.parametrize("case", DELETED)
def test_delete_file_leaves_all_other_files_untouched(
    case: str, invoke: Handler, stack: Stack
) -> None:
    file = DELETED[case]
    items, objects = samples.stored(stack)

    answer = decoded(invoke("delete_file", event("delete_file", case)))

    assert answer == json_answer(200, {"id": file.id, "object": "file", "deleted": True})
    assert samples.stored(stack) == without([file], items, objects)
    again = decoded(invoke("delete_file", event("delete_file", case)))
    assert (again["statusCode"], again["body"]["error"]["param"]) == (404, "id")


def without(
    files: list[File], items: dict[tuple[str, str], Any], objects: dict[str, bytes]
) -> tuple[dict[tuple[str, str], Any], dict[str, bytes]]:
    """What was stored, less all of the files."""
    ids = {file.id for file in files}
    return (
        {key: item for key, item in items.items() if key[1].rpartition("#")[2] not in ids},
        {key: content for key, content in objects.items() if key.rpartition("/")[2] not in ids},
    )


@pytest.mark.parametrize("case", FINALIZED)
def test_finalize_file_finalizes_pending_and_deletes_other_bytes(
    case: str, invoke: Handler, stack: Stack
) -> None:
    gone, made = FINALIZED[case]
    items, objects = samples.stored(stack)

    for _ in range(2):  # an event may come again
        assert invoke("finalize_file", event("finalize_file", case)) == {}

        now_items, now_objects = samples.stored(stack)
        assert now_objects == without(gone, {}, objects)[1]
        for file in made:
            processed = replace(file, status="processed")
            assert samples.records(stack).get("acme", file.id) == processed
        assert without(made, now_items, {}) == without(made, items, {})
        for file in made:
            assert {sort_key for _, sort_key in now_items if file.id in sort_key} == {
                f"FILE#{file.id}",
                f"PURPOSE#{file.purpose}#{file.id}",
            }


@pytest.mark.parametrize(
    ("function", "case"),
    [("purge", case) for case in PURGED] + [("check_blob", case) for case in SWEPT],
)
def test_crashed_cleanup_deletes_orphans_and_nothing_else(
    function: str, case: str, invoke: Handler, stack: Stack
) -> None:
    gone, again = (PURGED if function == "purge" else SWEPT)[case]
    items, objects = samples.stored(stack)
    payload = event(function, case)

    for _ in range(2):  # a batch may come again
        answer = invoke(function, payload)

        assert answer == {
            "batchItemFailures": [
                {"itemIdentifier": identifier(payload["Records"][number])} for number in again
            ]
        }
        assert samples.stored(stack) == without(gone, items, objects)


def test_check_blob_finalizes_a_file_whose_event_was_lost(invoke: Handler, stack: Stack) -> None:
    items, objects = samples.stored(stack)

    for _ in range(2):
        answer = invoke("check_blob", event("check_blob", "not_finalized"))

        assert answer == {"batchItemFailures": []}
        processed = replace(ARRIVED, status="processed")
        assert samples.records(stack).get("acme", ARRIVED.id) == processed
        now_items, now_objects = samples.stored(stack)
        assert now_objects == objects
        assert without([ARRIVED], now_items, {}) == without([ARRIVED], items, {})


def identifier(record: dict[str, Any]) -> str:
    """By what Lambda knows a record of a queue, or of a stream."""
    return str(record.get("messageId") or record["dynamodb"]["SequenceNumber"])


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("case", ALLOWED)
def test_authorize_allows_the_whole_stage_to_an_active_key(case: str, invoke: Handler) -> None:
    key_id, scopes = ALLOWED[case]

    policy = invoke("authorize", event("authorize", case))

    assert policy == {
        "principalId": key_id,
        "policyDocument": statement("Allow"),
        "context": {"project": "acme", "scopes": scopes},
    }


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("case", sorted(DENIED))
def test_authorize_denies_the_whole_stage_to_any_other_key(case: str, invoke: Handler) -> None:
    policy = invoke("authorize", event("authorize", case))

    assert policy == {"principalId": "unknown", "policyDocument": statement("Deny")}


def statement(effect: str) -> dict[str, Any]:
    """The policy on everything in the sample's stage."""
    resource = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/dev/*"
    return {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}],
    }


@pytest.mark.parametrize(
    ("function", "case"), [(name, case) for name, cases in FAILURES.items() for case in cases]
)
def test_refused_call_answers_the_whole_error_and_changes_nothing(
    function: str, case: str, invoke: Handler, stack: Stack
) -> None:
    expected, before = FAILURES[function][case], samples.stored(stack)

    answer = decoded(invoke(function, event(function, case)))

    error = {
        "message": expected.message,
        "type": "invalid_request_error",
        "param": expected.param,
        "code": expected.code,
    }
    assert answer == json_answer(expected.status, {"error": error})
    assert samples.stored(stack) == before


@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 413)])
def test_create_file_accepts_what_an_event_can_hold(
    excess: int, status: int, invoke: Handler
) -> None:
    payload = event("create_file", "success")
    content = bytes(MAX_INLINE_BYTES + excess)
    body = base64.b64decode(payload["body"]).replace(PDF, content)
    payload["body"] = base64.b64encode(body).decode()

    answer = decoded(invoke("create_file", payload))

    assert len(json.dumps(payload)) < 6 * 1024 * 1024
    assert answer["statusCode"] == status
    if status == 200:
        assert answer["body"]["bytes"] == MAX_INLINE_BYTES
    else:
        assert answer["body"] == {
            "error": {
                "message": "A file in the request body can have at most 4500000 bytes. Send a "
                "larger file by direct upload (POST /v1/files with a JSON body) or with the "
                "Uploads API (POST /v1/uploads).",
                "type": "invalid_request_error",
                "param": "file",
                "code": "file_too_large",
            }
        }


def test_created_file_can_be_listed_read_and_deleted(invoke: Handler) -> None:
    created = decoded(invoke("create_file", event("create_file", "filename_unicode")))["body"]

    def about(function: str) -> dict[str, Any]:
        payload = event(function, "success")
        payload["pathParameters"] = {"file_id": created["id"]}
        return invoke(function, payload)

    page = decoded(invoke("list_files", event("list_files", "success")))["body"]
    assert page["data"] == [created, *(file.public() for file in LISTED["success"][0])]
    assert decoded(about("retrieve_file"))["body"] == created
    assert base64.b64decode(about("download_file")["body"]) == b"1.09\n"
    assert decoded(about("delete_file"))["body"]["deleted"] is True
    assert about("retrieve_file")["statusCode"] == 404
    assert about("download_file")["statusCode"] == 404
    page = decoded(invoke("list_files", event("list_files", "success")))["body"]
    assert created not in page["data"]


def test_every_function_has_events_and_every_event_a_test() -> None:
    tested = {
        "create_file": {*CREATED, *DIRECT, *FAILURES["create_file"]},
        "list_files": {*LISTED, *FAILURES["list_files"]},
        "retrieve_file": {*RETRIEVED, *FAILURES["retrieve_file"]},
        "download_file": {*DOWNLOADED, "success_large", *FAILURES["download_file"]},
        "get_file_url": {*LINKED, *FAILURES["get_file_url"]},
        "delete_file": {*DELETED, *FAILURES["delete_file"]},
        "authorize": {*ALLOWED, *DENIED},
        "finalize_file": set(FINALIZED),
        "purge": {*PURGED, "parts"},
        "check_blob": {
            *SWEPT,
            "not_finalized",
            "parts",
            "not_assembled",
            "parts_of_ended_uploads",
        },
    }
    present = {
        folder.name: {path.stem for path in folder.iterdir()}
        for folder in samples.EVENTS.iterdir()
        if folder.is_dir() and folder.name not in upload_samples.FUNCTIONS
    }
    assert present == tested
    assert set(present) | upload_samples.FUNCTIONS == set(functions.resources())


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


@pytest.mark.parametrize("function", FAILURES)
def test_sample_events_match_the_route_of_their_function(
    function: str,
) -> None:
    api = functions.load_app(function).api
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


@pytest.mark.parametrize("function", ["purge", "check_blob"])
def test_sample_batches_have_the_form_of_streams_and_queues(function: str) -> None:
    whole = aws_events.removed({"PK": {}, "SK": {}}, expired=True)
    if function == "check_blob":
        whole = aws_events.queued({})
    for path in sorted((samples.EVENTS / function).iterdir()):
        payload = event(function, path.stem)
        assert list(payload) == ["Records"]
        for record in payload["Records"]:
            assert set(whole) - {"userIdentity"} <= set(record) <= set(whole)


def test_sample_storage_events_have_the_form_of_eventbridge() -> None:
    for path in sorted((samples.EVENTS / "finalize_file").iterdir()):
        payload = event("finalize_file", path.stem)
        created = payload["detail"]["object"]
        assert payload == aws_events.object_created(created["key"], created["size"])
