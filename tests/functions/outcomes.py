"""What holds after a crash, whoever crashed: seen by calls, and from below."""

import base64
import json
from typing import Any

from files_api.aws.file_records import file_of
from files_api.aws.table import Kind, parse_sort_key
from files_api.service.model import File
from tests.functions import samples
from tests.functions.crashes import Aws, Payload
from tests.functions.samples import FILES_BUCKET, JSONL, PDF, event
from tests.functions.upload_samples import HELLO, WORLD

ASSEMBLED = WORLD + HELLO  # parts, in another order than they came
# The content of each file that a test makes, by its purpose.
CONTENTS = {"assistants": PDF, "batch": JSONL, "user_data": ASSEMBLED}


def about(function: str, file_id: str) -> Payload:
    """A call on the file."""
    payload = event(function, "success")
    payload["pathParameters"] = {"file_id": file_id}
    return payload


def created(aws: Aws, case: str) -> Any:
    answer = aws.call("create_file", event("create_file", case))
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


def status(aws: Aws, function: str, file_id: str) -> int:
    return int(aws.call(function, about(function, file_id))["statusCode"])


def listed(aws: Aws) -> list[str]:
    answer = aws.call("list_files", event("list_files", "success"))
    assert answer["statusCode"] == 200
    return [file["id"] for file in json.loads(answer["body"])["data"]]


def assert_there(aws: Aws, file_id: str) -> None:
    """The file is processed and listed, and its bytes are exact."""
    file = json.loads(aws.call("retrieve_file", about("retrieve_file", file_id))["body"])
    content = CONTENTS[file["purpose"]]
    assert (file["status"], file["bytes"]) == ("processed", len(content))
    answer = aws.call("download_file", about("download_file", file_id))
    assert (answer["statusCode"], base64.b64decode(answer["body"])) == (200, content)
    assert file_id in listed(aws)


def assert_gone(aws: Aws, file_id: str) -> None:
    """No call finds the file."""
    assert status(aws, "retrieve_file", file_id) == 404
    assert status(aws, "delete_file", file_id) == 404
    assert not [sort_key for _, sort_key in samples.items(aws.stack) if file_id in sort_key]


def assert_consistent(aws: Aws) -> list[File]:
    """What is in one list is in the other, and has its bytes; returns the files."""
    items, objects = samples.stored(aws.stack)
    kinds = {sort_key: parse_sort_key(sort_key)[0] for _, sort_key in items}
    files = [file_of(item) for (_, key), item in items.items() if kinds[key] is Kind.FILE]
    twins = [file_of(item) for (_, key), item in items.items() if kinds[key] is Kind.PURPOSE]
    assert sorted(files, key=str) == sorted(twins, key=str)
    for file in files:
        assert objects[file.blob_key("acme")] == CONTENTS[file.purpose]
    return files


def assert_only_files_are_left(aws: Aws, *file_ids: str) -> None:
    """Every item and every object is one of these files', and nothing is half made."""
    files = assert_consistent(aws)
    assert {file.id for file in files} == set(file_ids)
    items, objects = samples.stored(aws.stack)
    assert len(items) == 2 * len(files)
    assert set(objects) == {file.blob_key("acme") for file in files}
    assert aws.stack.multipart_uploads(FILES_BUCKET) == []
