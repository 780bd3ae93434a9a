"""Each function with each of its sample payloads: the whole answer, and what is stored after it."""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from files_api.files import MAX_INLINE_BYTES
from files_api.intake import DAY
from files_api.model import File
from tests import functions
from tests.integration import samples
from tests.integration.conftest import Handler
from tests.integration.samples import (
    EXPIRED,
    FOREIGN,
    HANDBOOK,
    JSONL,
    PDF,
    PHOTO,
    REQUESTS,
    SCREENSHOT,
    UNKNOWN_ID,
    event,
)
from tests.moto_stack import Stack

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


def invalid(param: str, reason: str) -> Failure:
    return Failure(400, f"Invalid '{param}': {reason}", param, "invalid_value")


ALL_IDS = {file.id for _, file, _ in samples.FILES}
UNREADABLE = "The multipart body cannot be read: "
NOT_A_FORM = Failure(400, "The request must be multipart/form-data with a boundary.")
NO_FILE = Failure(
    400, "Missing required parameter: 'file'. Send it as a part with a filename.", "file"
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

LISTED: dict[str, tuple[list[File], bool]] = {
    "success": ([SCREENSHOT, REQUESTS, HANDBOOK], False),
    "success_purpose": ([REQUESTS], False),
    "success_first_page": ([HANDBOOK, REQUESTS], True),
    "success_next_page": ([SCREENSHOT], False),
    "success_after_deleted": ([SCREENSHOT, REQUESTS, HANDBOOK], False),
    "success_empty": ([], False),
}

RETRIEVED: dict[str, File] = {"success": HANDBOOK, "success_expiring": REQUESTS}

DOWNLOADED: dict[str, tuple[str, bytes]] = {
    "success": ("attachment; filename=\"handbook.pdf\"; filename*=UTF-8''handbook.pdf", PDF),
    "success_unicode_filename": (
        'attachment; filename="F_te ____ _.png"; '
        "filename*=UTF-8''F%C3%AAte%20%22%E6%97%A5%E6%9C%AC%22%20%F0%9F%8E%89.png",
        PHOTO,
    ),
}

DELETED: dict[str, File] = {"success": HANDBOOK}

# Whose key it is, by its hash, and what it may do.
ALLOWED: dict[str, tuple[str, str]] = {
    "success": ("key_f0ed826ee06d28c7", "files:read files:write"),
    "success_scheme_in_lower_case": ("key_f0ed826ee06d28c7", "files:read files:write"),
    "success_read_only": ("key_d69023ef537ccc29", "files:read"),
}
DENIED = {"malformed", "other_scheme", "empty_key", "unknown", "revoked", "expired"}

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
        "missing_purpose": Failure(400, "Missing required parameter: 'purpose'.", "purpose"),
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
    "retrieve_file": BY_ID | {"no_scope": lacks("files:read")},
    "download_file": BY_ID | {"no_scope": lacks("files:read")},
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
def test_create_file_answers_with_the_file_that_it_stored(
    case: str, invoke: Handler, stack: Stack
) -> None:
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
    assert samples.blobs(stack).get(stored.key("acme")) == content


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


@pytest.mark.parametrize("case", DELETED)
def test_delete_file_leaves_nothing_of_the_file_and_all_of_the_others(
    case: str, invoke: Handler, stack: Stack
) -> None:
    file = DELETED[case]

    answer = decoded(invoke("delete_file", event("delete_file", case)))

    assert answer == json_answer(200, {"id": file.id, "object": "file", "deleted": True})
    assert samples.stored_ids(stack) == ALL_IDS - {file.id}
    again = decoded(invoke("delete_file", event("delete_file", case)))
    assert (again["statusCode"], again["body"]["error"]["param"]) == (404, "id")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("case", ALLOWED)
def test_authorize_allows_the_whole_stage_to_a_good_key(case: str, invoke: Handler) -> None:
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
def test_what_cannot_be_done_is_said_in_full_and_changes_nothing(
    function: str, case: str, invoke: Handler, stack: Stack
) -> None:
    expected = FAILURES[function][case]

    answer = decoded(invoke(function, event(function, case)))

    error = {
        "message": expected.message,
        "type": "invalid_request_error",
        "param": expected.param,
        "code": expected.code,
    }
    assert answer == json_answer(expected.status, {"error": error})
    assert samples.stored_ids(stack) == ALL_IDS


@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 413)])
def test_create_file_takes_files_up_to_what_an_event_holds(
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
                "message": "A plain upload takes files of up to 4500000 bytes. Send larger ones "
                "by direct upload (POST /v1/files with a JSON body) or with the Uploads API "
                "(POST /v1/uploads).",
                "type": "invalid_request_error",
                "param": "file",
                "code": "file_too_large",
            }
        }


def test_a_file_that_was_created_can_be_listed_read_and_deleted(invoke: Handler) -> None:
    created = decoded(invoke("create_file", event("create_file", "filename_unicode")))["body"]

    def about(function: str) -> dict[str, Any]:
        payload = event(function, "success")
        payload["pathParameters"] = {"file_id": created["id"]}
        return invoke(function, payload)

    page = decoded(invoke("list_files", event("list_files", "success")))["body"]
    assert page["data"] == [created, *(f.public() for f in (SCREENSHOT, REQUESTS, HANDBOOK))]
    assert decoded(about("retrieve_file"))["body"] == created
    assert base64.b64decode(about("download_file")["body"]) == b"1.09\n"
    assert decoded(about("delete_file"))["body"]["deleted"] is True
    assert about("retrieve_file")["statusCode"] == 404
    assert about("download_file")["statusCode"] == 404
    page = decoded(invoke("list_files", event("list_files", "success")))["body"]
    assert created not in page["data"]


def test_every_function_has_events_and_every_event_a_test() -> None:
    tested = {
        "create_file": {*CREATED, *FAILURES["create_file"]},
        "list_files": {*LISTED, *FAILURES["list_files"]},
        "retrieve_file": {*RETRIEVED, *FAILURES["retrieve_file"]},
        "download_file": {*DOWNLOADED, *FAILURES["download_file"]},
        "delete_file": {*DELETED, *FAILURES["delete_file"]},
        "authorize": {*ALLOWED, *DENIED},
    }
    present = {
        folder.name: {path.stem for path in folder.iterdir()}
        for folder in samples.EVENTS.iterdir()
        if folder.is_dir()
    }
    assert present == tested
    assert set(present) == set(functions.resources())


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
def test_events_are_what_the_gateway_sends_on_the_functions_route(
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
