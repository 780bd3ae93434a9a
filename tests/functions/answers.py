"""What each function answers to each of its sample payloads, and what that changes in the stack."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from files_api.service.lifetimes import DAY
from files_api.service.model import File, Upload
from files_api.service.part_plan import MIN_PART_BYTES
from tests.functions import upload_samples
from tests.functions.samples import (
    ARRIVED,
    EXPIRED,
    FILES,
    FILES_BUCKET,
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
from tests.functions.upload_samples import (
    COMPLETED,
    HELLO,
    HELLO_ID,
    OPEN,
    PENDING_ID,
    WAITING,
    WAITING_FILE,
    WORLD_ID,
)
from tests.support.template import ROOT

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
PURPOSES = "assistants, batch, fine-tune, vision, user_data, evals"


def json_answer(status: int, body: object) -> dict[str, Any]:
    """The answer of a proxy integration, its body still as an object."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "x-request-id": REQUEST_ID},
        "body": body,
        "isBase64Encoded": False,
    }


def decoded(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its JSON body as an object, and its presigned URL, if any, taken apart."""
    headers = dict(answer.get("headers", {}))
    if "?" in headers.get("Location", ""):
        return answer | {"headers": headers | {"Location": signed(headers["Location"])}}
    if headers.get("Content-Type") != "application/json" or answer["isBase64Encoded"]:
        return answer
    body = json.loads(answer["body"])
    for holder in (body, body.get("upload") or {}):
        if "url" in holder:
            holder["url"] = signed(holder["url"])
    return answer | {"body": body}


@dataclass(frozen=True)
class Signed:
    """A presigned URL, less what differs each time."""

    key: str
    seconds: int
    headers: frozenset[str]
    query: dict[str, str] = field(default_factory=dict)


def signed(url: str) -> Signed:
    """The parts of a URL, once it is known to be of the bucket and signed by us just now."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, strict_parsing=True))
    assert (parts.scheme, parts.netloc) == ("https", f"{FILES_BUCKET}.s3.us-east-1.amazonaws.com")
    assert query.pop("X-Amz-Algorithm") == "AWS4-HMAC-SHA256"
    date = datetime.strptime(query.pop("X-Amz-Date"), "%Y%m%dT%H%M%S%z")
    assert abs(date.timestamp() - time.time()) < 60
    scope = f"/{date:%Y%m%d}/us-east-1/s3/aws4_request"
    assert query.pop("X-Amz-Credential").endswith(scope)
    assert len(bytes.fromhex(query.pop("X-Amz-Signature"))) == 32
    headers = frozenset(query.pop("X-Amz-SignedHeaders").split(";"))
    return Signed(parts.path[1:], int(query.pop("X-Amz-Expires")), headers, query)


@dataclass(frozen=True)
class Soon:
    """Equals the Unix time so many seconds from now, give or take what a test takes."""

    seconds: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and 0 <= time.time() + self.seconds - other < 30


# --- Calls that make something --------------------------------------------------------------------

NEW_ID = "new-id"  # stands for the id of what a call makes; its time of creation is 0


@dataclass(frozen=True)
class New:
    """What a call makes.

    Attributes:
        body: of the answer.
        keys: of the items and objects that are stored.
        content: of the object, if any.
        stored: what the item of an upload or a part says besides.
    """

    body: dict[str, Any]
    keys: set[str]
    content: bytes | None = None
    stored: dict[str, Any] = field(default_factory=dict)


def new_file(
    filename: str, purpose: str, size: int, lifetime: int | None, **more: Any
) -> dict[str, Any]:
    expires = {} if lifetime is None else {"expires_at": lifetime}
    return {
        "id": NEW_ID,
        "object": "file",
        "bytes": size,
        "created_at": 0,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        **expires,
        **more,
    }


def form(filename: str, purpose: str, lifetime: int | None, content: bytes) -> New:
    """A file from a form."""
    keys = {f"FILE#{NEW_ID}", f"PURPOSE#{purpose}#{NEW_ID}", f"files/acme/{NEW_ID}"}
    return New(new_file(filename, purpose, len(content), lifetime), keys, content)


def direct(
    filename: str, purpose: str, size: int, lifetime: int | None, sha256: str | None = None
) -> New:
    """A pending file."""
    put = put_to(f"direct/acme/{NEW_ID}", sha256)
    body = new_file(filename, purpose, size, lifetime, status="pending", upload=put)
    return New(body, {f"PENDING#{NEW_ID}"})


def direct_in_parts(filename: str, purpose: str, size: int, parts: int) -> New:
    """A pending file whose bytes come in parts."""
    put = {
        "method": "PUT",
        "part_size": MIN_PART_BYTES,
        "parts": parts,
        "expires_at": Soon(3 * DAY),
    }
    body = new_file(filename, purpose, size, None, status="pending", upload=put)
    return New(body, {f"PENDING#{NEW_ID}"})


def put_to(key: str, sha256: str | None) -> dict[str, Any]:
    """How to PUT the bytes of a key."""
    checksum = {} if sha256 is None else {"x-amz-checksum-sha256": sha256}
    names = {"content-length", "content-type", "host", "if-none-match", *checksum}
    headers = {"Content-Type": "application/octet-stream", "If-None-Match": "*", **checksum}
    url = Signed(key, 900, frozenset(names))
    return {"method": "PUT", "url": url, "headers": headers, "expires_at": Soon(900)}


def upload(
    filename: str, purpose: str, size: int, mime_type: str, lifetime: int | None = None
) -> New:
    """An upload."""
    more = {"object": "upload", "status": "pending", "file": None}
    stored = {"filename": filename, "purpose": purpose, "bytes": size, "mime_type": mime_type}
    return New(
        new_file(filename, purpose, size, 3600, **more),
        {f"UPLOAD#{NEW_ID}"},
        stored=stored | ({} if lifetime is None else {"lifetime": lifetime}),
    )


def noted(new: New) -> New:
    """The same, made with the idempotency key of the sample events."""
    digest = hashlib.sha256(b"a-new-key-for-each-file").hexdigest()
    return replace(new, keys=new.keys | {f"IDEMPOTENCY#{digest}"})


def part(content: bytes, to: Upload = OPEN) -> New:
    """A part from a form."""
    body = {"id": NEW_ID, "object": "upload.part", "created_at": 0, "upload_id": to.id}
    keys = {f"PART#{to.id}#{NEW_ID}", f"parts/acme/{to.id}/{NEW_ID}"}
    return New(body, keys, content, {"bytes": len(content)})


def presigned_part(size: int, sha256: str | None = None) -> New:
    """A part whose bytes are yet to come."""
    item, blob = f"PART#{OPEN.id}#{NEW_ID}", f"parts/acme/{OPEN.id}/{NEW_ID}"
    body = part(b"").body | {"upload": put_to(blob, sha256)}
    return New(body, {item}, stored={"bytes": size})


def base64_sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


BOUNDARY = "d41d8cd98f00b204e9800998ecf8427e"
LIKE_A_FORM = (
    f"a\r\n--{BOUNDARY[:-1]}\r\n\x00\r\n\r\n--{BOUNDARY[:-1]}--\r\nx--{BOUNDARY}--\n--{BOUNDARY}\r"
).encode()

RATES = b"1.09\n"
NEW: dict[str, dict[str, New]] = {
    "create_file": {
        "success": form("handbook.pdf", "assistants", None, PDF),
        "success_with_idempotency_key": noted(form("handbook.pdf", "assistants", None, PDF)),
        "success_within_limits": form("handbook.pdf", "assistants", None, PDF),
        "success_file_first": form("handbook.pdf", "assistants", None, PDF),
        "success_batch": form("requests.jsonl", "batch", 30 * DAY, JSONL),
        "success_batch_with_expiry": form("requests.jsonl", "batch", 3600, JSONL),
        "filename_star": form("€ rates.txt", "assistants", None, RATES),
        "filename_star_alone": form("€ rates.txt", "assistants", None, RATES),
        "filename_quotes": form('the "final" one.txt', "assistants", None, RATES),
        "filename_unicode": form("報告書 — été 🚀.txt", "assistants", None, RATES),
        "filename_hostile": form("passwd", "assistants", None, b"root:x:0:0\n"),
        "filename_empty": form("upload", "assistants", None, RATES),
        "content_like_a_form": form("mail.eml", "assistants", None, LIKE_A_FORM),
        "success_direct": direct("recording.mp4", "user_data", 52_428_800, None),
        "success_direct_sha256": direct(
            "requests.jsonl", "batch", len(JSONL), 30 * DAY, base64_sha256(JSONL)
        ),
        "success_direct_in_parts": direct_in_parts("recording.mp4", "user_data", 15_728_641, 4),
        "success_direct_with_expiry": direct("報告書 — été 🚀.mp4", "user_data", 52_428_800, 3600),
    },
    "create_upload": {
        "success": upload("grüße.txt", "user_data", 14, "text/plain"),
        "success_with_idempotency_key": noted(upload("grüße.txt", "user_data", 14, "text/plain")),
        "success_batch": upload("requests.jsonl", "batch", 14, "application/jsonl"),
        "success_with_expiry": upload("grüße.txt", "user_data", 14, "text/plain", 3600),
    },
    "add_upload_part": {
        "success": part(HELLO),
        "success_binary": part(bytes(range(256)), upload_samples.LARGE),
        "success_direct": presigned_part(7),
        "success_direct_sha256": presigned_part(7, "I0Kb2bqY3VFAMJu5sAlLOq1kJDD/9vs8ph8AjOZE80o="),
    },
}

# --- All other calls and events -------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What a function answers, and what that changes.

    Attributes:
        answer: the whole.
        gone: keys of items and objects that are deleted.
        finalized: a pending file that becomes a processed one.
        queued: work for AssembleUpload.
    """

    answer: Any
    gone: frozenset[str] = frozenset()
    finalized: File | None = None
    queued: tuple[Any, ...] = ()


def item_keys(file: File) -> frozenset[str]:
    """The sort keys that a file can have."""
    return frozenset({f"FILE#{file.id}", f"PURPOSE#{file.purpose}#{file.id}", f"PENDING#{file.id}"})


def all_of(*files: File) -> frozenset[str]:
    """Items and bytes."""
    return frozenset().union(*(item_keys(file) | {file.blob_key("acme")} for file in files))


def error(status: int, message: str, param: str | None = None, code: str | None = None) -> Expected:
    """An error as a caller sees it. It changes nothing."""
    public = {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    return Expected(json_answer(status, {"error": public}))


def served(file: str, media_type: str) -> Expected:
    """A file of the pages, as it is."""
    content = (ROOT / "functions" / "pages" / "site" / file).read_bytes()
    bucket = "https://FilesBucket.RegionalDomainName"
    headers = {
        "Content-Type": media_type,
        "Cache-Control": "no-cache",
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
            f"connect-src 'self' {bucket}; frame-src blob:; object-src 'none'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "x-request-id": REQUEST_ID,
    }
    body = base64.b64encode(content).decode()
    return Expected({"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True})


def lacks(scope: str) -> Expected:
    message = f"This API key lacks the scope '{scope}'."
    return error(403, message, None, "insufficient_permissions")


# Of all files of acme, expired or not.
STORED = sum(file.bytes for project, file, _ in FILES if project == "acme")


def too_much(what: str, limit: int, used: int, more: int) -> Expected:
    message = (
        f"The project can store at most {limit} {what}, and stores {used}: {more} more are too "
        "many. Delete files, or ask the operator for a higher limit."
    )
    return error(403, message, None, "storage_limit_exceeded")


def usage(**limits: int | None) -> Expected:
    mine = [file for project, file, _ in FILES if project == "acme"]
    public = {
        "object": "usage",
        "project": "acme",
        "files": len(mine),
        "bytes": STORED,
        "limits": {"files": None, "bytes": None, "file_bytes": 536_870_912} | limits,
    }
    return Expected(json_answer(200, public))


def missing(param: str, hint: str = "") -> Expected:
    return error(400, f"Missing required parameter: '{param}'.{hint}", param)


def invalid(param: str, reason: str) -> Expected:
    return error(400, f"Invalid '{param}': {reason}", param, "invalid_value")


def too_large(message: str, param: str) -> Expected:
    return error(413, message, param, "file_too_large")


def not_found(id: str, object: str = "File") -> Expected:
    return error(404, f"No such {object} object: {id}", "id")


def page(*files: File, has_more: bool = False) -> Expected:
    """A page of a list."""
    return Expected(
        json_answer(
            200,
            {
                "object": "list",
                "data": [file.public() for file in files],
                "first_id": files[0].id if files else None,
                "last_id": files[-1].id if files else None,
                "has_more": has_more,
            },
        )
    )


def known_file(file: File, finalized: File | None = None) -> Expected:
    """A file's metadata."""
    return Expected(json_answer(200, file.public()), finalized=finalized)


# How a browser is told a file's name.
NAMES = {
    HANDBOOK: "filename=\"handbook.pdf\"; filename*=UTF-8''handbook.pdf",
    SCREENSHOT: 'filename="F_te ____ _.png"; '
    "filename*=UTF-8''F%C3%AAte%20%22%E6%97%A5%E6%9C%AC%22%20%F0%9F%8E%89.png",
    LARGE: "filename=\"recording _.mp4\"; filename*=UTF-8''recording%20%F0%9F%8E%99.mp4",
    ARRIVED: "filename=\"_bersicht.jsonl\"; filename*=UTF-8''%C3%9Cbersicht.jsonl",
}


def content(file: File, content: bytes, finalized: File | None = None) -> Expected:
    """A file's bytes."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; {NAMES[file]}",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"',
        "x-request-id": REQUEST_ID,
    }
    body = base64.b64encode(content).decode()
    answer = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
    return Expected(answer, finalized=finalized)


def get(file: File, seconds: int, media_type: str = "application/octet-stream") -> Signed:
    """A presigned URL of a file."""
    query = {
        "response-cache-control": "private, no-store",
        "response-content-disposition": f"attachment; {NAMES[file]}",
        "response-content-encoding": "identity",
        "response-content-language": "und",
        "response-content-type": media_type,
        "response-expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    }
    return Signed(file.blob_key("acme"), seconds, frozenset({"host"}), query)


MEDIA_TYPES = {
    HANDBOOK: "application/pdf",
    SCREENSHOT: "image/png",
    LARGE: "video/mp4",
    ARRIVED: "application/jsonl",
}


def url(file: File, seconds: int, finalized: File | None = None) -> Expected:
    body = {"url": get(file, seconds, MEDIA_TYPES[file]), "expires_at": Soon(seconds)}
    return Expected(json_answer(200, body), finalized=finalized)


def redirect(file: File) -> Expected:
    return Expected(
        {
            "statusCode": 302,
            "headers": {
                "Location": get(file, 900),
                "Cache-Control": "no-store",
                "x-request-id": REQUEST_ID,
            },
            "body": "",
            "isBase64Encoded": False,
        }
    )


def deleted(file: File) -> Expected:
    body = {"id": file.id, "object": "file", "deleted": True}
    return Expected(json_answer(200, body), gone=all_of(file))


def batch(
    *gone: str, failed: tuple[str, ...] = (), finalized: File | None = None, queued: Any = ()
) -> Expected:
    """A batch of records, those that come again by what Lambda knows them by."""
    failures = [{"itemIdentifier": each} for each in failed]
    return Expected({"batchItemFailures": failures}, frozenset(gone), finalized, queued)


def policy(effect: str, **who: Any) -> Expected:
    """The policy on everything in the sample's stage."""
    resource = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/dev/*"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return Expected(who | {"policyDocument": {"Version": "2012-10-17", "Statement": [statement]}})


def allow(key_id: str, scopes: str) -> Expected:
    context = {"project": "acme", "scopes": scopes}
    return policy("Allow", principalId=key_id, context=context)


NOTHING = Expected({})  # the answer to an event
DENY = policy("Deny", principalId="unknown")
ALLOW = allow("key_f0ed826ee06d28c7", "files:read files:write")
NO_OBJECT = error(400, "The body is not a JSON object.")
NOT_A_FORM = error(400, "The request must be multipart/form-data with a boundary.")
TRUNCATED = error(
    400,
    "The multipart body cannot be read: it is truncated.",
)
AS_A_FORM = " Send it as a form field with a filename."
NO_FILE = missing("file", AS_A_FORM)
NO_NUMBER = "must be a whole number."
TOO_SMALL = "must be at least 1."
NO_SHA256 = invalid("sha256", "must have 64 hexadecimal digits.")
ANY_PURPOSE = invalid("purpose", f"must be one of {PURPOSES}.")
TOO_SOON = invalid("expires_after", "seconds must be from 3600 to 2592000.")
BAD_ANCHOR = invalid("expires_after", "anchor must be 'created_at'.")
MAX_FILE = too_large("The maximum file size is 536870912 bytes.", "bytes")
TOO_LARGE = {
    "create_file": too_large(
        "A file in the request body can have at most 4500000 bytes. Send a larger file by direct "
        "upload (POST /v1/files with a JSON body, in parts with part_size) or with the Uploads API "
        "(POST /v1/uploads).",
        "file",
    ),
    "add_upload_part": too_large(
        "A part in the request body can have at most 4500000 bytes. For a larger part, request a "
        'presigned URL with a JSON body: {"bytes": …}.',
        "data",
    ),
}
NOT_READY = error(400, f"The File object {PENDING.id} has no content yet.", "id", "file_not_ready")
BY_ID = {
    "unknown": not_found(UNKNOWN_ID),
    "foreign": not_found(FOREIGN.id),
    "expired": not_found(EXPIRED.id),
    "malformed_id": not_found("file-abc123"),
}
NO_PARTS = invalid("id", "the file waits for no parts of a direct upload.")
BY_UPLOAD_ID = {
    "unknown": not_found(upload_samples.UNKNOWN_ID, "Upload"),
    "foreign": not_found(upload_samples.FOREIGN.id, "Upload"),
    "malformed_id": not_found("upload_abc123", "Upload"),
    "cancelled": invalid("upload_id", "the upload is cancelled."),
    "expired": invalid("upload_id", "the upload is expired."),
}
CLOSED = invalid("upload_id", "the upload is completed.")
ONCE = "must name 1 to 10000 parts, each once."
RECORDED = event("assemble_upload", "success")
EXPIRED_PARTS = {f"PART#{upload_samples.EXPIRED.id}#{id}" for id in (HELLO_ID, WORLD_ID)}

EXPECTED: dict[str, dict[str, Expected]] = {
    "create_file": {
        "missing_file": NO_FILE,
        "file_as_text": NO_FILE,
        "missing_purpose": missing("purpose"),
        "unknown_purpose": ANY_PURPOSE,
        "bad_expires_after_seconds": TOO_SOON,
        "bad_expires_after_anchor": BAD_ANCHOR,
        "incomplete_expires_after": invalid("expires_after", "anchor is missing."),
        "repeated_field": invalid("purpose", "was sent more than once."),
        "empty_file": error(400, "The file is empty.", "file", "empty_file"),
        "not_multipart": NOT_A_FORM,
        "no_body": NOT_A_FORM,
        "truncated": TRUNCATED,
        "no_scope": lacks("files:write"),
        "no_idempotency_key": invalid("Idempotency-Key", "must have 1 to 255 characters."),
        "too_many_files": too_much("files", 3, 5, 1),
        "direct_too_many_bytes": too_much("bytes", 100_000_000, STORED, 52_428_800),
        "direct_missing_filename": missing("filename"),
        "direct_missing_purpose": missing("purpose"),
        "direct_missing_bytes": missing("bytes"),
        "direct_unknown_purpose": ANY_PURPOSE,
        "direct_no_bytes": invalid("bytes", TOO_SMALL),
        "direct_bytes_as_text": invalid("bytes", "must be a whole number."),
        "direct_bad_sha256": NO_SHA256,
        "direct_part_size_too_small": invalid("part_size", "must be at least 5242880."),
        "direct_part_size_too_large": invalid("part_size", "must be at most 5368709120."),
        "direct_part_size_as_text": invalid("part_size", "must be a whole number."),
        "direct_parts_with_sha256": invalid(
            "sha256", "a direct upload in parts has no SHA-256 of the whole."
        ),
        "direct_bad_expires_after": TOO_SOON,
        "direct_too_large": MAX_FILE,
        "direct_no_object": NO_OBJECT,
        "direct_truncated": NO_OBJECT,
        "direct_no_scope": lacks("files:write"),
    },
    "list_files": {
        "success": page(LARGE, SCREENSHOT, REQUESTS, HANDBOOK),
        "success_purpose": page(REQUESTS),
        "success_first_page": page(HANDBOOK, REQUESTS, has_more=True),
        "success_next_page": page(SCREENSHOT, LARGE),
        "success_after_deleted": page(LARGE, SCREENSHOT, REQUESTS, HANDBOOK),
        "success_empty": page(),
        "unknown_purpose": ANY_PURPOSE,
        "bad_limit": invalid("limit", TOO_SMALL),
        "limit_too_large": invalid("limit", "must be at most 10000."),
        "limit_no_number": invalid("limit", NO_NUMBER),
        "bad_order": invalid("order", "must be 'asc' or 'desc'."),
        "bad_after": invalid("after", "must be an id."),
        "no_scope": lacks("files:read"),
    },
    "retrieve_file": BY_ID
    | {
        "success": known_file(HANDBOOK),
        "success_expiring": known_file(REQUESTS),
        "success_pending": known_file(PENDING),
        "success_uploaded": known_file(replace(ARRIVED, status="processed"), finalized=ARRIVED),
        "success_wrong_size": known_file(MISFIT),
        "late": not_found(LATE.id),
        "no_scope": lacks("files:read"),
    },
    "download_file": BY_ID
    | {
        "success": content(HANDBOOK, PDF),
        "success_unicode_filename": content(SCREENSHOT, PHOTO),
        "success_uploaded": content(ARRIVED, JSONL, finalized=ARRIVED),
        "success_large": redirect(LARGE),
        "success_head": redirect(HANDBOOK),
        "pending": NOT_READY,
        "no_scope": lacks("files:read"),
    },
    "get_usage": {
        "success": usage(),
        "success_limited": usage(files=1_000),
        "no_scope": lacks("files:read"),
    },
    "get_file_url": BY_ID
    | {
        "success": url(HANDBOOK, 900),
        "success_large": url(LARGE, 3600),
        "success_uploaded": url(ARRIVED, 60, finalized=ARRIVED),
        "success_unicode_filename": url(SCREENSHOT, 900),
        "pending": NOT_READY,
        "too_short": invalid("expires_in", "must be at least 60."),
        "too_long": invalid("expires_in", "must be at most 3600."),
        "no_number": invalid("expires_in", NO_NUMBER),
        "no_scope": lacks("files:read"),
    },
    "list_file_parts": BY_ID
    | {
        "processed": NO_PARTS,
        "pending_in_one": NO_PARTS,
        "limit_too_large": invalid("limit", "must be at most 1000."),
        "bad_after": invalid("after", NO_NUMBER),
        "no_scope": lacks("files:write"),
    },
    "delete_file": BY_ID
    | {
        "success": deleted(HANDBOOK),
        "success_large": deleted(LARGE),
        "success_pending": deleted(PENDING),
        "success_uploaded": deleted(ARRIVED),
        "no_scope": lacks("files:write"),
    },
    "create_upload": {
        "too_many_files": too_much("files", 3, 5, 1),
        "missing_filename": missing("filename"),
        "missing_purpose": missing("purpose"),
        "missing_bytes": missing("bytes"),
        "missing_mime_type": missing("mime_type"),
        "unknown_purpose": ANY_PURPOSE,
        "no_bytes": invalid("bytes", TOO_SMALL),
        "bytes_as_text": invalid("bytes", "must be a whole number."),
        "too_large": MAX_FILE,
        "long_mime_type": invalid("mime_type", "must have at most 255 characters."),
        "bad_expires_after": BAD_ANCHOR,
        "no_object": NO_OBJECT,
        "truncated": NO_OBJECT,
        "no_scope": lacks("files:write"),
    },
    "add_upload_part": {
        "missing_data": missing("data", " Send it as a form field."),
        "empty_data": error(400, "The data is empty.", "data", "empty_file"),
        "not_multipart": NOT_A_FORM,
        "truncated": TRUNCATED,
        "direct_missing_bytes": missing("bytes"),
        "direct_no_bytes": invalid("bytes", TOO_SMALL),
        "direct_too_large": too_large("The maximum part size is 5368709120 bytes.", "bytes"),
        "direct_bad_sha256": NO_SHA256,
        "direct_no_object": NO_OBJECT,
        "completed": CLOSED,
        "no_scope": lacks("files:write"),
        **BY_UPLOAD_ID,
        **{f"direct_{case}": known for case, known in BY_UPLOAD_ID.items()},
    },
    "complete_upload": {
        "success_again": Expected(json_answer(200, COMPLETED.public(HANDBOOK))),
        "success_assembled_later": Expected(
            json_answer(200, WAITING.public(WAITING_FILE)), queued=(RECORDED,)
        ),
        "missing_part_ids": missing("part_ids"),
        "no_parts": invalid("part_ids", ONCE),
        "repeated_part": invalid("part_ids", ONCE),
        "unknown_part": invalid(
            "part_ids", f"{upload_samples.UNKNOWN_ID} is not a part of this upload."
        ),
        "part_without_content": invalid("part_ids", f"{PENDING_ID} has no content yet."),
        "too_few_bytes": invalid(
            "part_ids",
            "the parts have 7 bytes in total, but the upload was created for 14 bytes.",
        ),
        "wrong_md5": invalid("md5", "the MD5 does not match the parts in the given order."),
        "bad_md5": invalid("md5", "must have 32 hexadecimal digits."),
        "part_ids_no_list": invalid("part_ids", "must be a list."),
        "no_object": NO_OBJECT,
        "truncated": NO_OBJECT,
        "no_scope": lacks("files:write"),
        **BY_UPLOAD_ID,
    },
    "cancel_upload": {
        "completed": CLOSED,
        "no_scope": lacks("files:write"),
        **BY_UPLOAD_ID,
    },
    "authorize": {
        "success": ALLOW,
        "success_scheme_in_lower_case": ALLOW,
        "success_read_only": allow("key_d69023ef537ccc29", "files:read"),
        **dict.fromkeys(
            ["malformed", "other_scheme", "empty_key", "unknown", "revoked", "expired"], DENY
        ),
    },
    "finalize_file": {
        "success": replace(NOTHING, finalized=ARRIVED),
        "finalized_before": NOTHING,
        "wrong_size": NOTHING,
        "too_late": replace(NOTHING, gone=frozenset({LATE.blob_key("acme")})),
        "not_pending": replace(NOTHING, gone=all_of(STRAY)),
        "gone": NOTHING,
    },
    "pages": {
        "success": served("console.html", "text/html; charset=utf-8"),
        "success_file": served("console/theme.css", "text/css; charset=utf-8"),
        "success_reference": served("reference.html", "text/html; charset=utf-8"),
        "success_reference_file": served("docs/reference.js", "text/javascript; charset=utf-8"),
        "success_openapi": served("openapi.json", "application/json"),
        "unknown_file": error(404, "Invalid URL (GET /console/nothing.js)", code="unknown_url"),
        "without_slash": Expected(
            {
                "statusCode": 308,
                "headers": {"Location": "/dev/", "x-request-id": REQUEST_ID},
                "body": "",
                "isBase64Encoded": False,
            }
        ),
    },
    "purge": {
        "file_deleted": batch(*all_of(LEFTOVER)),
        "file_expired": batch(*all_of(EXPIRED)),
        "pending_finalized": batch(),
        "idempotency_key_expired": batch(),
        "pending_expired": batch(*all_of(STRAY)),
        "pending_in_parts_expired": batch(*all_of(STRAY)),
        "disorder": batch(*all_of(LEFTOVER, STRAY, EXPIRED)),
        "unreadable": batch(*all_of(LEFTOVER, STRAY), failed=("100000000000000000011",)),
        # The bytes of the expired upload's parts follow their items.
        "parts": batch(f"parts/acme/{OPEN.id}/{HELLO_ID}", *EXPIRED_PARTS),
    },
    "check_blob": {
        "orphans": batch(*all_of(LEFTOVER, STRAY)),
        "owned": batch(),
        "gone": batch(),
        "disorder": batch(*all_of(STRAY, LEFTOVER)),
        "unreadable": batch(
            *all_of(LEFTOVER, STRAY), failed=("059f36b4-87a3-44ab-83d2-000000000022",)
        ),
        "not_finalized": batch(finalized=ARRIVED),
        "not_assembled": batch(queued=(RECORDED,)),
        "parts": batch(f"parts/acme/{OPEN.id}/{upload_samples.UNKNOWN_ID}"),
    },
    "assemble_upload": dict.fromkeys(["success_again", "success_open", "success_unknown"], NOTHING),
    "fail_assembly": dict.fromkeys(["success_again", "success_unknown"], NOTHING),
}
