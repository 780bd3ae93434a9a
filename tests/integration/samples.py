"""The files and keys that `events/` speaks of."""

import json
from typing import Any

from files_api.blobs import S3Blobs
from files_api.keys import DynamoKeyStore, Keys
from files_api.model import File
from files_api.records import DynamoRecords
from tests.moto_stack import Stack, physical_name
from tests.template import ROOT

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
UNKNOWN_ID = "019e8235-1f20-7b33-9a72-c3d8e4f10b06"

FILES: list[tuple[str, File, bytes]] = [
    ("acme", HANDBOOK, PDF),
    ("acme", REQUESTS, JSONL),
    ("acme", SCREENSHOT, PHOTO),
    ("acme", EXPIRED, JSONL),
    ("globex", FOREIGN, PDF),
]


def event(function: str, case: str) -> dict[str, Any]:
    """The sample payload `events/<function>/<case>.json`."""
    payload: dict[str, Any] = json.loads((EVENTS / function / f"{case}.json").read_text())
    return payload


def records(stack: Stack) -> DynamoRecords:
    """The stack's records."""
    return DynamoRecords(stack.dynamodb, FILES_TABLE)


def blobs(stack: Stack) -> S3Blobs:
    """The stack's blobs."""
    return S3Blobs(stack.s3, FILES_BUCKET)


def store_files(stack: Stack) -> None:
    """Puts the files into the stack."""
    for project, file, content in FILES:
        blobs(stack).put(file.key(project), content)
        records(stack).add(project, file)


def store_keys(stack: Stack) -> None:
    """Puts the keys into the stack: a full one, a reader, a revoked one, an expired one."""
    keys = Keys(DynamoKeyStore(stack.dynamodb, KEYS_TABLE))
    keys.create("acme", secret="sk-example-full-access")
    keys.create("acme", secret="sk-example-read-only", scopes=("files:read",))
    keys.create("acme", secret="sk-example-expired", lifetime=0)
    revoked, _ = keys.create("acme", secret="sk-example-revoked")
    keys.revoke(revoked.id)


def stored_ids(stack: Stack) -> set[str]:
    """The ids of all files that have an item or an object in the stack."""
    items = stack.dynamodb.scan(TableName=FILES_TABLE)["Items"]
    objects = stack.s3.list_objects_v2(Bucket=FILES_BUCKET).get("Contents", [])
    return {item["SK"]["S"].rpartition("#")[2] for item in items} | {
        each["Key"].rpartition("/")[2] for each in objects
    }
