"""Direct uploads in parts: what S3 accepts, how a client goes on, and that nothing is left."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.contract.calls import Json, error
from tests.contract.conftest import eventually
from tests.contract.deployed import aws
from tests.contract.project import Project

PART = 5 * 1024**2
CONTENT = b"".join(bytes([letter]) * PART for letter in b"abc") + b"the end"
NOT_FOUND = (404, "invalid_request_error", "id", None)
OVER = (400, "invalid_request_error", "id", "invalid_value")


def begin(project: Project, size: int = len(CONTENT), **fields: object) -> Json:
    return project.create_pending(bytes=size, part_size=PART, **fields)


def parts_of(project: Project, file_id: str, **query: int) -> Json:
    answer = project.http.get(f"/files/{file_id}/parts", params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def content_of(part: Json) -> bytes:
    start = (part["part_number"] - 1) * PART
    return CONTENT[start : start + part["bytes"]]


def send(project: Project, part: Json) -> int:
    return project.put(part, content_of(part))


def multipart_uploads(project: Project) -> list[str]:
    """The keys of the project's unfinished multipart uploads."""
    bucket = project.stack.outputs["FilesBucket"]
    found: dict[str, Any] = aws(project.stack, "s3").list_multipart_uploads(Bucket=bucket)
    keys = (each["Key"] for each in found.get("Uploads", []))
    return [key for key in keys if f"/{project.name}/" in key]


def test_a_file_in_parts_goes_on_after_its_client_lost_everything(project: Project) -> None:
    file = begin(project)
    expires_at = file["upload"]["expires_at"]
    assert file["upload"] == {
        "method": "PUT",
        "part_size": PART,
        "parts": 4,
        "expires_at": file["created_at"] + 3 * 86_400,
    }
    assert file["status"] == "pending"
    assert expires_at > file["created_at"]

    # Some parts are sent at once, in no order, the last one among them.
    first = parts_of(project, file["id"])["data"]
    assert [part["part_number"] for part in first] == [1, 2, 3, 4]
    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(lambda part: send(project, part), (first[3], first[1]))] == [200, 200]
    assert project.client.files.retrieve(file["id"]).to_dict()["status"] == "pending"

    # Then nobody knows but the API what has arrived.
    pages = [parts_of(project, file["id"], limit=2, after=after) for after in (0, 2)]
    assert [page["has_more"] for page in pages] == [True, False]
    again = [part for page in pages for part in page["data"]]
    assert [part["uploaded"] for part in again] == [False, True, False, True]
    for part in again:
        assert part["object"] == "file.part"
        assert ("upload" in part) != part["uploaded"]
        if not part["uploaded"]:
            assert send(project, part) == 200

    # The first look after the last part finalizes it.
    done = project.client.files.retrieve(file["id"])
    assert (done.status, done.bytes) == ("processed", len(CONTENT))
    assert project.client.files.content(file["id"]).read() == CONTENT
    assert [each.id for each in project.client.files.list()] == [file["id"]]
    assert error(project.http.get(f"/files/{file['id']}/parts")) == OVER
    assert [send(project, part) for part in first] == [404] * 4
    assert multipart_uploads(project) == []


def test_s3_accepts_just_the_part_that_a_url_is_for(project: Project) -> None:
    file = begin(project)
    first, *_, last = parts_of(project, file["id"])["data"]

    assert project.put(last, b"too long") == 403
    assert project.put(last, b"short") == 403
    other = last["upload"]["url"].replace("partNumber=4", "partNumber=3")
    assert project.store.put(other, content=b"the end").status_code == 403

    # A part that is sent again replaces the earlier one.
    wrong = project.put(first, b"x" * PART)
    assert (wrong, send(project, first)) == (200, 200)
    for part in parts_of(project, file["id"], after=1)["data"]:
        assert send(project, part) == 200
    assert project.client.files.content(file["id"]).read() == CONTENT


def test_a_storage_event_finalizes_what_a_dead_call_has_completed(project: Project) -> None:
    file = begin(project, 7)
    (part,) = parts_of(project, file["id"])["data"]
    assert project.put(part, b"the end") == 200
    pending = project.records.get_pending(project.name, file["id"])
    assert pending is not None
    names = {
        "Bucket": project.stack.outputs["FilesBucket"],
        "Key": pending.file.blob_key(project.name),
        "UploadId": pending.multipart_id,
    }
    s3 = aws(project.stack, "s3")
    parts = [
        {"PartNumber": each["PartNumber"], "ETag": each["ETag"]}
        for each in s3.list_parts(**names)["Parts"]
    ]
    s3.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})

    eventually(lambda: [*project.client.files.list()])
    assert project.client.files.content(file["id"]).read() == b"the end"


@pytest.mark.parametrize("expired", [False, True])
def test_a_file_in_parts_that_is_over_leaves_nothing(project: Project, expired: bool) -> None:
    file = begin(project)
    first, second, *_ = parts_of(project, file["id"])["data"]
    assert send(project, first) == 200
    assert multipart_uploads(project) == [f"direct/{project.name}/{file['id']}"]

    if expired:
        project.remove(f"PENDING#{file['id']}")  # as the table's TTL does
    else:
        assert project.client.files.delete(file["id"]).deleted

    assert error(project.http.get(f"/files/{file['id']}/parts")) == NOT_FOUND
    eventually(lambda: not multipart_uploads(project))
    assert send(project, second) == 404
    assert project.nothing()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"part_size": PART - 1}, "part_size"),
        ({"part_size": 5 * 1024**3 + 1}, "part_size"),
        ({"part_size": True}, "part_size"),
        ({"part_size": PART, "sha256": "0" * 64}, "sha256"),
        ({"part_size": PART, "bytes": 10_000 * PART + 1}, "part_size"),
    ],
)
def test_parts_that_cannot_be_are_refused(
    project: Project, fields: dict[str, object], param: str
) -> None:
    new = {"filename": "a.bin", "purpose": "user_data", "bytes": len(CONTENT)}

    answer = project.http.post("/files", json=new | fields)

    if "bytes" in fields:  # more than this deployment takes
        assert error(answer) == (413, "invalid_request_error", "bytes", "file_too_large")
    else:
        assert error(answer) == (400, "invalid_request_error", param, "invalid_value")


def test_other_files_wait_for_no_parts(project: Project) -> None:
    plain = project.client.files.create(file=b"abc", purpose="user_data").id
    pending = project.create_pending()["id"]

    for file_id in (plain, pending):
        assert error(project.http.get(f"/files/{file_id}/parts")) == OVER
    foreign: httpx2.Response = project.http.get(f"/files/{plain[:-4]}0000/parts")
    assert error(foreign) == NOT_FOUND
