"""A project of the deployed stack: calls with its key, and what is stored of it."""

from dataclasses import dataclass
from typing import Any

import httpx2
from openai import OpenAI

from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.model import Usage
from tests.contract.calls import CONTENT, NEW_FILE, Json
from tools.local.stack import LocalStack


@dataclass(frozen=True)
class Stores:
    """Table and bucket of the stack, with all permissions."""

    dynamodb: Any
    table: str
    records: DynamoFileRecords
    upload_records: DynamoUploadRecords
    blobs: S3Blobs


@dataclass(frozen=True)
class Project:
    """A project of a test's own.

    Attributes:
        name: of the project.
        stack: the stack.
        http: raw HTTP with a key of the project.
        client: an unmodified OpenAI client with the same key.
        store: a client for presigned URLs, without a key.
        stores: table and bucket.
    """

    name: str
    stack: LocalStack
    http: httpx2.Client
    client: OpenAI
    store: httpx2.Client
    stores: Stores

    # --- direct uploads ---------------------------------------------------------------------------

    def create_pending(self, **fields: object) -> Json:
        """A pending file, with the presigned URL for its bytes."""
        return _answered(self.http.post("/files", json=NEW_FILE | fields))

    def put(self, pending: Json, content: Any = CONTENT) -> int:
        """PUTs the bytes of a pending file, or of a part, to its URL; returns the status."""
        url = pending["upload"]
        answer = self.store.request(
            url["method"], url["url"], content=content, headers=url["headers"]
        )
        return answer.status_code

    def upload_directly(self, **fields: object) -> str:
        """Creates a file by direct upload; returns its id. No call has looked it up yet."""
        file = self.create_pending(**fields)
        assert self.put(file) == 200
        return str(file["id"])

    # --- uploads in parts -------------------------------------------------------------------------

    def open_upload(self, size: int) -> str:
        """Opens an upload; returns its id."""
        new = {"filename": "é 日本.bin", "purpose": "user_data", "mime_type": "text/plain"}
        return str(_answered(self.http.post("/uploads", json=new | {"bytes": size}))["id"])

    def send_part(self, upload_id: str, content: bytes) -> str:
        """Adds a part in the request body; returns its id."""
        form = {"data": ("blob", content)}
        return str(_answered(self.http.post(f"/uploads/{upload_id}/parts", files=form))["id"])

    def presign_part(self, upload_id: str, size: int, sha256: str | None = None) -> Json:
        """A part, with the presigned URL for its bytes."""
        fields = {"bytes": size, "sha256": sha256}
        return _answered(self.http.post(f"/uploads/{upload_id}/parts", json=fields))

    def put_part(self, upload_id: str, content: bytes, sha256: str | None = None) -> str:
        """Adds a part by presigned URL; returns its id."""
        part = self.presign_part(upload_id, len(content), sha256)
        assert self.put(part, content) == 200
        return str(part["id"])

    def complete(self, upload_id: str, ids: list[str], **more: str) -> httpx2.Response:
        fields = {"part_ids": ids, **more}
        return self.http.post(f"/uploads/{upload_id}/complete", json=fields)

    # --- what is stored ---------------------------------------------------------------------------

    @property
    def records(self) -> DynamoFileRecords:
        return self.stores.records

    @property
    def upload_records(self) -> DynamoUploadRecords:
        return self.stores.upload_records

    @property
    def blobs(self) -> S3Blobs:
        return self.stores.blobs

    def items(self) -> list[str]:
        """The sort keys of the project's items, but its counters."""
        answer = self.stores.dynamodb.query(
            TableName=self.stores.table,
            KeyConditionExpression="PK = :project",
            ExpressionAttributeValues={":project": {"S": self.name}},
            ConsistentRead=True,
        )
        keys = [item["SK"]["S"] for item in answer["Items"]]
        return [key for key in keys if not key.startswith("USAGE#")]

    def objects(self) -> list[str]:
        """The keys of the project's objects."""
        return [
            key
            for prefix in ("direct", "files", "parts")
            for key in self.blobs.sizes(f"{prefix}/{self.name}/")
        ]

    def nothing(self) -> bool:
        """Whether the project has neither items nor objects, and counts none."""
        counted = self.records.usage(self.name)
        return not self.items() and not self.objects() and counted == Usage(0, 0)

    def remove(self, sort_key: str) -> None:
        """Deletes one item from the table, as its TTL does."""
        key = {"PK": {"S": self.name}, "SK": {"S": sort_key}}
        self.stores.dynamodb.delete_item(TableName=self.stores.table, Key=key)


def _answered(answer: httpx2.Response) -> Json:
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found
