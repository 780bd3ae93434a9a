"""Items of other versions are read: a later one may add fields, an earlier one may lack some.

Functions are not all replaced at the same moment during an update, and items outlive it.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any

import pytest

from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.ids import new_id
from files_api.service.keys import SCOPES, Key
from files_api.service.model import File, Part, PendingFile, Upload
from tests.support.moto_stack import Stack, physical_name
from tests.support.samples import NOW, a_file

FILES_TABLE = physical_name("FilesTable")
KEYS_TABLE = physical_name("KeysTable")

FILE = File(
    id=new_id(),
    bytes=3,
    created_at=NOW,
    filename="notes.txt",
    purpose="batch",
    status="error",
    expires_at=NOW + 60,
    status_details="The parts could not be assembled.",
    direct=True,
)
PENDING = PendingFile(a_file(status="uploaded"), NOW + 9, assembly_started_at=NOW, md5_checked=True)
UPLOAD = Upload(
    id=new_id(),
    bytes=3,
    created_at=NOW,
    filename="notes.txt",
    purpose="batch",
    mime_type="text/plain",
    expires_at=NOW + 60,
    lifetime=3600,
    status="completed",
    file_id=new_id(),
    part_ids=(new_id(), new_id()),
    md5="0" * 32,
)
PART = Part(new_id(), UPLOAD.id, 3, NOW)
KEY = Key(
    hash="ab" * 32,
    project="acme",
    name="ci",
    scopes=SCOPES,
    last_four="wxyz",
    created_at=NOW,
    changed_at=NOW,
    expires_at=NOW + 60,
    revoked_at=NOW + 30,
    replaced_by="key_0",
)


@dataclass(frozen=True)
class Kind:
    """A kind of item.

    Attributes:
        value: what is stored; every optional field has another value than its default.
        table: where.
        write: stores it.
        read: reads it.
        document: the attribute with most fields, as JSON; None if each field has its attribute.
        attributes: names of the attributes that hold fields under another name.
    """

    value: Any
    table: str
    write: Callable[[Any], object]
    read: Callable[[Any], Any]
    document: str | None
    attributes: dict[str, str]


def _files(client: Any) -> DynamoFileRecords:
    return DynamoFileRecords(client, FILES_TABLE)


def _uploads(client: Any) -> DynamoUploadRecords:
    return DynamoUploadRecords(client, FILES_TABLE)


def _keys(client: Any) -> DynamoKeyStore:
    return DynamoKeyStore(client, KEYS_TABLE)


KINDS = {
    "file": Kind(
        FILE,
        FILES_TABLE,
        write=lambda client: _files(client).add("acme", FILE),
        read=lambda client: _files(client).get("acme", FILE.id),
        document="public",
        attributes={"direct": "is_direct"},
    ),
    "pending file": Kind(
        PENDING,
        FILES_TABLE,
        write=lambda client: _files(client).add_pending("acme", PENDING),
        read=lambda client: _files(client).get_pending("acme", PENDING.file.id),
        document="public",
        attributes={
            "assembly_started_at": "assembly_started_at",
            "md5_checked": "is_md5_checked",
        },
    ),
    "upload": Kind(
        UPLOAD,
        FILES_TABLE,
        write=lambda client: _uploads(client).open("acme", UPLOAD),
        read=lambda client: _uploads(client).get("acme", UPLOAD.id),
        document="stored",
        attributes={},
    ),
    "part": Kind(
        PART,
        FILES_TABLE,
        write=lambda client: _uploads(client).add_part("acme", PART),
        read=lambda client: _uploads(client).parts("acme", UPLOAD.id)[0],
        document="stored",
        attributes={},
    ),
    "key": Kind(
        KEY,
        KEYS_TABLE,
        write=lambda client: _keys(client).put(KEY),
        read=lambda client: _keys(client).get(KEY.hash),
        document=None,
        attributes={},
    ),
}
OPTIONAL = [
    (kind, field.name, field.default)
    for kind, item in KINDS.items()
    for field in fields(item.value)
    if field.default is not MISSING
]


def change(
    stack: Stack, kind: Kind, edit: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    """Edits the stored items: their attributes, and the fields of their document."""
    for item in stack.dynamodb.scan(TableName=kind.table)["Items"]:
        document = json.loads(item[kind.document]["S"]) if kind.document else {}
        edit(item, document)
        if kind.document:
            item[kind.document] = {"S": json.dumps(document)}
        stack.dynamodb.put_item(TableName=kind.table, Item=item)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_item_with_more_fields_is_read_the_same(stack: Stack, kind: Kind) -> None:
    def add(item: dict[str, Any], document: dict[str, Any]) -> None:
        for name, value in (("text", {"S": "x"}), ("number", {"N": "1"}), ("set", {"SS": ["x"]})):
            item[f"later_{name}"] = value
        document |= {"later_text": "x", "later_object": {"a": [1]}}

    kind.write(stack.dynamodb)
    change(stack, kind, add)

    assert kind.read(stack.dynamodb) == kind.value


@pytest.mark.parametrize(("kind", "field", "default"), OPTIONAL)
def test_an_item_with_a_field_less_is_read_with_the_default(
    stack: Stack, kind: str, field: str, default: object
) -> None:
    item_kind = KINDS[kind]

    def remove(item: dict[str, Any], document: dict[str, Any]) -> None:
        attribute = item_kind.attributes.get(field)
        if attribute or item_kind.document is None:
            del item[attribute or field]
        else:
            del document[field]

    item_kind.write(stack.dynamodb)
    change(stack, item_kind, remove)

    read = item_kind.read(stack.dynamodb)
    for each in fields(read):
        expected = default if each.name == field else getattr(item_kind.value, each.name)
        assert getattr(read, each.name) == expected
    assert getattr(item_kind.value, field) != default
