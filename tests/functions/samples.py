"""The files and keys that `events/` speaks of."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords, file_of
from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from files_api.service.model import File, PendingFile
from files_api.service.part_plan import MIN_PART_BYTES
from tests.support.moto_stack import Stack, physical_name
from tests.support.template import ROOT

EVENTS = ROOT / "events"
FILES_TABLE = physical_name("FilesTable")
FILES_BUCKET = physical_name("FilesBucket")
KEYS_TABLE = physical_name("KeysTable")

PDF = (
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R >>\n%%EOF\n"
)
JSONL = b'{"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {}}\n'
PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

HANDBOOK = File(
    id="019e8232-6000-7a10-8d3c-5b1f6e2a9c01",
    bytes=len(PDF),
    created_at=1780300800,
    filename="handbook.pdf",
    purpose="assistants",
)
REQUESTS = File(
    id="019e8233-4a60-704b-9f27-0c84d1e6b302",
    bytes=len(JSONL),
    created_at=1780300860,
    filename="requests.jsonl",
    purpose="batch",
    expires_at=4102444800,  # in the year 2100
)
# In the same second as the one before.
SCREENSHOT = File(
    id="019e8233-4a60-79c2-b1e5-7a3f90c2d403",
    bytes=len(PHOTO),
    created_at=1780300860,
    filename='Fête "日本" 🎉.png',
    purpose="vision",
)
EXPIRED = File(
    id="019db434-0000-73f7-a6d0-e19b4c5f8204",
    bytes=len(JSONL),
    created_at=1776844800,
    filename="expired.jsonl",
    purpose="batch",
    expires_at=1779436800,
)
FOREIGN = File(
    id="019e8234-34c0-75d8-8e41-2f6ab7c09d05",
    bytes=len(PDF),
    created_at=1780300920,
    filename="foreign.pdf",
    purpose="assistants",
)
# As large as nothing that is answered at once; of its bytes the tests need no more than a few.
LARGE = File(
    id="019e8233-c078-7c15-9d38-64e0b2f7a106",
    bytes=5_000_000_000,
    created_at=1780300890,
    filename="recording 🎙.mp4",
    purpose="user_data",
    direct=True,
)
# Pending: the bytes of the first have not arrived; those of the second have, unnoticed so far;
# those of the third have another size; those of the fourth arrived too late.
PENDING, ARRIVED, MISFIT, LATE = (
    File(
        id=file_id,
        bytes=len(JSONL),
        created_at=1780300900,
        filename="Übersicht.jsonl",
        purpose="batch",
        status="pending",
        expires_at=4102444800,
        direct=True,
    )
    for file_id in (
        "019e8233-e4a0-7d26-8b49-75f1c308b207",
        "019e8233-e4a0-7e37-a95a-8602d419c308",
        "019e8233-e4a0-7f48-b66b-9713e52ad409",
        "019e8233-e4a0-7059-877c-a824f63be510",
    )
)
# Direct uploads in parts: of the first, the second of two has arrived; of the second, the only
# part.
SENDING = replace(
    PENDING, id="019e8233-e4a0-716a-985d-b93507500611", bytes=MIN_PART_BYTES + len(JSONL)
)
SENT = replace(PENDING, id="019e8233-e4a0-727b-8a6e-ca4618611712")
UNKNOWN_ID = "019e8235-1f20-7b33-9a72-c3d8e4f10b06"

FILES: list[tuple[str, File, bytes]] = [
    ("acme", HANDBOOK, PDF),
    ("acme", REQUESTS, JSONL),
    ("acme", SCREENSHOT, PHOTO),
    ("acme", LARGE, PHOTO),
    ("acme", EXPIRED, JSONL),
    ("globex", FOREIGN, PDF),
]
PENDING_FILES: list[tuple[PendingFile, bytes | None]] = [
    (PendingFile(PENDING, 4102444800), None),
    (PendingFile(ARRIVED, 4102444800), JSONL),
    (PendingFile(MISFIT, 4102444800), JSONL + b"\n"),
    (PendingFile(LATE, 1780312600), JSONL),
]
# Bytes whose record was deleted or never written: from a request body, and by direct upload.
LEFTOVER = replace(HANDBOOK, id="019e8234-0bb0-716a-a88d-b935074cf611")
STRAY = replace(ARRIVED, id="019e8234-0bb0-727b-999e-ca46185d0712")


def event(function: str, case: str) -> dict[str, Any]:
    """The sample payload `events/<function>/<case>.json`."""
    payload: dict[str, Any] = json.loads((EVENTS / function / f"{case}.json").read_text())
    return payload


def records(stack: Stack) -> DynamoFileRecords:
    """The stack's records."""
    return DynamoFileRecords(stack.dynamodb, FILES_TABLE)


def blobs(stack: Stack) -> S3Blobs:
    """The stack's blobs."""
    return S3Blobs(stack.s3, FILES_BUCKET)


def store_files(stack: Stack) -> None:
    """Puts the files into the stack."""
    for project, file, content in FILES:
        blobs(stack).put(file.blob_key(project), content)
        records(stack).add(project, file)
    for pending, arrived in PENDING_FILES:
        records(stack).add_pending("acme", pending)
        if arrived is not None:
            blobs(stack).put(pending.file.blob_key("acme"), arrived)
    for file, number in ((SENDING, 2), (SENT, 1)):
        send_part(stack, file, number)
    for orphan in (LEFTOVER, STRAY):
        blobs(stack).put(orphan.blob_key("acme"), JSONL)


def send_part(stack: Stack, file: File, number: int) -> None:
    """Makes a file a direct upload in parts, of which one has arrived."""
    names: Any = {"Bucket": FILES_BUCKET, "Key": file.blob_key("acme")}
    names["UploadId"] = stack.s3.create_multipart_upload(**names)["UploadId"]
    stack.s3.upload_part(**names, PartNumber=number, Body=JSONL)
    pending = PendingFile(
        file, 4102444800, part_size=MIN_PART_BYTES, multipart_id=names["UploadId"]
    )
    records(stack).add_pending("acme", pending)


def store_keys(stack: Stack) -> None:
    """Puts the keys into the stack: a full one, a reader, a revoked one, an expired one."""
    keys = Keys(DynamoKeyStore(stack.dynamodb, KEYS_TABLE))
    keys.create("acme", secret="sk-example-full-access")
    keys.create("acme", secret="sk-example-read-only", scopes=("files:read",))
    keys.create("acme", secret="sk-example-expired", lifetime=0)
    revoked, _ = keys.create("acme", secret="sk-example-revoked")
    keys.revoke(revoked.id)


def objects(stack: Stack) -> dict[str, bytes]:
    """All bytes in the stack, by their key."""
    return stack.objects(FILES_BUCKET)


def items(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    """All items in the stack, by their key, but the counters, which must be right."""
    found = {(item["PK"]["S"], item["SK"]["S"]): item for item in stack.items(FILES_TABLE)}
    counted, there = (defaultdict[str, Counter[str]](Counter) for _ in range(2))
    for (project, sort_key), item in found.items():
        if sort_key.startswith("USAGE#"):
            counted[project].update({name: int(item[name]["N"]) for name in ("files", "bytes")})
        elif sort_key.startswith("FILE#"):
            there[project].update(files=1, bytes=file_of(item).bytes)
    assert all(counted[project] == there[project] for project in counted | there)
    return {key: item for key, item in found.items() if not key[1].startswith("USAGE#")}


def stored(stack: Stack) -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, bytes]]:
    """All that is in the stack: to be compared before and after a call."""
    return items(stack), objects(stack)
