"""What holds after a crash, whoever crashed: seen by calls, and from below."""

import base64
import json
from typing import Any

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


def listed(aws: Aws, purpose: str | None = None) -> list[str]:
    payload = event("list_files", "success")
    payload["queryStringParameters"] = {"purpose": purpose} if purpose else None
    answer = aws.call("list_files", payload)
    assert answer["statusCode"] == 200
    return [file["id"] for file in json.loads(answer["body"])["data"]]


def assert_there(aws: Aws, file_id: str, content: bytes) -> None:
    """The file is processed, and its bytes are exact."""
    file = json.loads(aws.call("retrieve_file", about("retrieve_file", file_id))["body"])
    assert (file.get("status"), file.get("bytes")) == ("processed", len(content))
    answer = aws.call("download_file", about("download_file", file_id))
    assert (answer["statusCode"], base64.b64decode(answer["body"])) == (200, content)
    assert file_id in listed(aws)


def assert_gone(aws: Aws, file_id: str) -> None:
    """No call knows the file."""
    for function in ("retrieve_file", "download_file", "get_file_url", "delete_file"):
        assert status(aws, function, file_id) == 404
    assert file_id not in listed(aws)


def assert_consistent(aws: Aws) -> None:
    """What is listed is in both lists, and has its bytes."""
    ids = listed(aws)
    assert sorted(ids) == sorted(each for purpose in CONTENTS for each in listed(aws, purpose))
    objects = samples.objects(aws.stack)
    for file_id in ids:
        file = samples.records(aws.stack).get("acme", file_id)
        assert file is not None
        assert objects[file.blob_key("acme")] == CONTENTS[file.purpose]


def assert_nothing_is_left_but_files(aws: Aws) -> None:
    """Every item is a listed file's, and so is every object."""
    items, objects = samples.stored(aws.stack)
    files = [samples.records(aws.stack).get("acme", file_id) for file_id in listed(aws)]
    assert {key for _, key in items} == {
        key
        for file in files
        if file
        for key in (f"FILE#{file.id}", f"PURPOSE#{file.purpose}#{file.id}")
    }
    assert set(objects) == {file.blob_key("acme") for file in files if file}
    assert "Uploads" not in aws.stack.s3.list_multipart_uploads(Bucket=FILES_BUCKET)
