"""The log of the deployed functions: who made which file."""

import json
from typing import Any

from tests.contract.conftest import eventually
from tests.contract.deployed import aws, resource
from tests.contract.project import Project


def lines(project: Project, log: str) -> list[dict[str, Any]]:
    """What a log has about what the project made."""
    pages = aws(project.stack, "logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=resource(project.stack, log))
    messages = [event["message"] for page in found for event in page["events"]]
    read = [json.loads(each) for each in messages if each.startswith("{")]
    return [line for line in read if line.get("project") == project.name]


def test_log_tells_which_key_made_a_file_or_an_upload(project: Project) -> None:
    repeatable = {"Idempotency-Key": "secret key"}
    new: dict[str, Any] = {"file": ("secret name.txt", b"abc"), "purpose": "user_data"}
    stored, again = (
        project.client.files.create(**new, extra_headers=repeatable).id for _ in range(2)
    )
    assert stored == again
    pending = project.create_pending()["id"]
    upload = project.open_upload(3)
    part = project.send_part(upload, b"abc")
    assembled = project.complete(upload, [part]).json()["file"]["id"]

    def made() -> list[tuple[str, str | None, str | None]]:
        logs = ("CreateFileLog", "CreateUploadLog", "CompleteUploadLog")
        return [
            (log, line.get("upload_id"), line.get("file_id"))
            for log in logs
            for line in lines(project, log)
        ]

    eventually(lambda: len(made()) == 5)
    assert made() == [
        ("CreateFileLog", None, stored),
        ("CreateFileLog", None, again),
        ("CreateFileLog", None, pending),
        ("CreateUploadLog", upload, None),
        ("CompleteUploadLog", upload, assembled),
    ]
    for line in lines(project, "CreateFileLog"):
        assert line["key"].startswith("key_")
        assert "secret" not in json.dumps(line)
