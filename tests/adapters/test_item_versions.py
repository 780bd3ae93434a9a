"""Items of other versions are read: a later one may add fields, an earlier one may lack some.

Functions are not all replaced at the same moment during an update, and items outlive it.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

import pytest

from files_api.service.ids import new_id
from files_api.service.keys import SCOPES, Key
from files_api.service.model import File, Part, PendingFile, Upload
from tests.adapters.conftest import FILES_TABLE, KEYS_TABLE, Ports
from tests.support.moto_stack import Stack
from tests.support.samples import NOW, a_file

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
    mime_type="text/csv",
)
PENDING = PendingFile(
    a_file(status="uploaded"),
    NOW + 9,
    assembly_started_at=NOW,
    md5_checked=True,
    part_size=5,
    multipart_id="an id of S3",
)
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
    max_files=10,
    max_bytes=-1,
)


@dataclass(frozen=True)
class Kind:
    """A kind of item.

    Attributes:
        value: what is stored; every optional field has another value than its default.
        write: stores it.
        read: reads it.
        document: the attribute with most fields, as JSON; None if each field has its attribute.
        attributes: names of the attributes that hold fields under another name.
    """

    value: Any
    write: Callable[[Ports], object]
    read: Callable[[Ports], Any]
    document: str | None
    attributes: dict[str, str] = field(default_factory=dict)


KINDS = {
    "file": Kind(
        FILE,
        lambda aws: aws.files.add("acme", FILE),
        lambda aws: aws.files.get("acme", FILE.id),
        "public",
        {"direct": "is_direct", "mime_type": "mime_type"},
    ),
    "pending file": Kind(
        PENDING,
        lambda aws: aws.files.add_pending("acme", PENDING),
        lambda aws: aws.files.get_pending("acme", PENDING.file.id),
        "public",
        {
            "assembly_started_at": "assembly_started_at",
            "md5_checked": "is_md5_checked",
            "part_size": "part_size",
            "multipart_id": "multipart_id",
        },
    ),
    "upload": Kind(
        UPLOAD,
        lambda aws: aws.uploads.open("acme", UPLOAD),
        lambda aws: aws.uploads.get("acme", UPLOAD.id),
        "stored",
    ),
    "part": Kind(
        PART,
        lambda aws: aws.uploads.add_part("acme", PART),
        lambda aws: aws.uploads.parts("acme", UPLOAD.id)[0],
        "stored",
    ),
    "key": Kind(KEY, lambda aws: aws.keys.put(KEY), lambda aws: aws.keys.get(KEY.hash), None),
}
OPTIONAL = [
    (kind, each.name, each.default)
    for kind in KINDS.values()
    for each in fields(kind.value)
    if each.default is not MISSING
]

type Edit = Callable[[dict[str, Any], dict[str, Any]], None]


def rewritten(kind: Kind, aws: Ports, stack: Stack, edit: Edit) -> Any:
    """What is read once the stored items are edited: attributes, and fields of the document."""
    kind.write(aws)
    table = KEYS_TABLE if kind.value is KEY else FILES_TABLE
    for item in stack.dynamodb.scan(TableName=table)["Items"]:
        if kind.document and kind.document not in item:
            continue  # a counter
        document = json.loads(item[kind.document]["S"]) if kind.document else {}
        edit(item, document)
        if kind.document:
            item[kind.document] = {"S": json.dumps(document)}
        stack.dynamodb.put_item(TableName=table, Item=item)
    return kind.read(aws)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_item_with_more_fields_is_read_the_same(kind: Kind, aws: Ports, stack: Stack) -> None:
    def add(item: dict[str, Any], document: dict[str, Any]) -> None:
        item |= {"later_text": {"S": "x"}, "later_number": {"N": "1"}, "later_set": {"SS": ["x"]}}
        document |= {"later_text": "x", "later_object": {"a": [1]}}

    assert rewritten(kind, aws, stack, add) == kind.value


@pytest.mark.parametrize(("kind", "name", "default"), OPTIONAL)
def test_an_item_with_a_field_less_is_read_with_the_default(
    kind: Kind, name: str, default: object, aws: Ports, stack: Stack
) -> None:
    def remove(item: dict[str, Any], document: dict[str, Any]) -> None:
        attribute = kind.attributes.get(name)
        if attribute or kind.document is None:
            del item[attribute or name]
        else:
            del document[name]

    read = rewritten(kind, aws, stack, remove)

    assert read == replace(kind.value, **{name: default})
    assert read != kind.value
