"""What the log tells of a call: the ids of what it makes, and nothing private."""

import json
from typing import Any

import pytest

from tests.functions import samples, upload_samples
from tests.functions.answers import REQUEST_ID
from tests.functions.conftest import Handler
from tests.functions.samples import event
from tests.support import functions

CALLS = [
    (folder, path.stem)
    for folder in functions.FOLDERS
    if functions.routes(folder)
    for path in sorted((samples.EVENTS / folder).glob("*.json"))
]
PRIVATE = ("sk-example", "handbook", ".pdf", ".jsonl", "filename")


def made(out: str) -> list[dict[str, Any]]:
    """The lines of calls that made something."""
    lines = [json.loads(line) for line in out.splitlines()]
    return [line for line in lines if line.get("message") == "Made"]


@pytest.mark.parametrize(("function", "case"), CALLS)
def test_log_has_each_id_that_the_path_has_not(
    function: str, case: str, invoke: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = event(function, case)
    with upload_samples.queue():
        answer = invoke(function, payload)

    out = capsys.readouterr().out
    assert [text for text in PRIVATE if text in out] == []
    lines = made(out)
    found = _named(answer) - set((payload["pathParameters"] or {}).values())
    if not found:
        assert lines == []
        return
    (line,) = lines
    ids = {line.pop(name) for name in ("file_id", "upload_id") if name in line}
    assert found <= ids
    assert line == {
        "level": "INFO",
        "message": "Made",
        "request_id": REQUEST_ID,
        "method": "POST",
        "path": payload["requestContext"]["path"],
        "status": "200",
        "project": "acme",
        "key": payload["requestContext"]["authorizer"]["principalId"],
        "source_ip": "198.51.100.7",
    }


def _named(answer: dict[str, Any]) -> set[str]:
    """The ids of the file and of the upload that an answer is about."""
    if answer["statusCode"] != 200 or answer["isBase64Encoded"]:
        return set()
    if answer["headers"]["Content-Type"] != "application/json":
        return set()
    body = json.loads(answer["body"])
    if body.get("object") not in ("file", "upload"):
        return set()
    return {body["id"]} | ({body["file"]["id"]} if body.get("file") else set())
