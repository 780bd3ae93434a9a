"""Over HTTP: what was uploaded comes back, wishes are met or refused, the door says little."""

import gzip
from typing import Any

import httpx2
import pytest

from tests.contract.deployed import configured
from tests.contract.project import Project

BOUNDARY = "b0undary"


@pytest.mark.parametrize("path", ["content", "url"])
def test_headers_of_a_put_do_not_change_a_download(project: Project, path: str) -> None:
    content = gzip.compress(b"x" * 5_000_000, 0)
    file = project.create_pending(bytes=len(content))
    unsigned = {
        "Content-Encoding": "gzip",
        "Cache-Control": "public, max-age=31536000",
        "Content-Language": "de",
        "Expires": "Thu, 01 Jan 2099 00:00:00 GMT",
    }
    headers = file["upload"]["headers"] | unsigned
    assert project.store.put(file["upload"]["url"], content=content, headers=headers).is_success

    answer = project.http.get(f"/files/{file['id']}/{path}")
    url = answer.json()["url"] if path == "url" else answer.headers["Location"]
    with project.store.stream("GET", url) as download:
        assert b"".join(download.iter_raw()) == content
        found = {name: download.headers.get(name) for name in unsigned}

    assert found == {
        "Content-Encoding": "identity",
        "Cache-Control": "private, no-store",
        "Content-Language": "und",
        "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    }


def send(project: Project, *fields: tuple[str, bytes], padding: str = "") -> httpx2.Response:
    """Sends a form of the given Content-Dispositions and contents."""
    delimiter = f"--{BOUNDARY}"
    parts = [
        f"{delimiter}{padding}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for disposition, content in fields
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    body = b"".join(parts) + f"{delimiter}--\r\n".encode()
    return project.http.post("/files", content=body, headers=headers)


FILE = ('name="file"; filename="safe.txt"', b"abc")
PURPOSE = ('name="purpose"', b"user_data")


WISHES = [
    [("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600")],
    [("expires_after%5Banchor%5D", "created_at"), ("expires_after%5Bseconds%5D", "3600")],
    [("expires_after.anchor", "created_at"), ("expires_after.seconds", "3600")],
    [("expires_after", '{"anchor": "created_at", "seconds": 3600}')],
    [("expires_after", "3600")],
]


@pytest.mark.parametrize("wish", WISHES)
def test_wish_to_expire_is_met(project: Project, wish: list[tuple[str, str]]) -> None:
    fields = [(f'name="{name}"', value.encode()) for name, value in wish]

    file = send(project, FILE, PURPOSE, *fields).json()

    assert file["expires_at"] == file["created_at"] + 3_600


def test_bounds_of_lifetimes_hold_however_a_file_is_sent(project: Project) -> None:
    def refused(answer: httpx2.Response) -> bool:
        found = answer.json()["error"]
        assert (found["param"], found["code"]) == ("expires_after", "invalid_value")
        assert found["message"].endswith("must be from 7200 to 86400.")
        return answer.status_code == 400

    hour = {"expires_after": {"anchor": "created_at", "seconds": 3600}}
    new = {"filename": "a.txt", "purpose": "batch", "bytes": 3}
    bounds = {"MIN_LIFETIME_SECONDS": "7200", "MAX_LIFETIME_SECONDS": "86400"}
    with (
        configured(project.stack, "CreateFile", **bounds),
        configured(project.stack, "CreateUpload", **bounds),
    ):
        for wish in WISHES:
            fields = [(f'name="{name}"', value.encode()) for name, value in wish]
            assert refused(send(project, FILE, PURPOSE, *fields))
        assert refused(project.http.post("/files", json=new | hour))
        assert refused(project.http.post("/uploads", json=new | hour | {"mime_type": "text/plain"}))
        by_default = [
            send(project, FILE, PURPOSE).json(),
            project.http.post("/files", json=new).json(),
        ]
    for file in by_default:
        assert file["expires_at"] == file["created_at"] + 86_400


def test_form_is_read_as_clients_write_it(project: Project) -> None:
    broken = (f"{FILE[0]}; filename*=utf8''other.txt", b"abc")
    as_blob = ('name="purpose"; filename="blob"', b"user_data")

    file = send(project, broken, as_blob, ('name="x"', b"\xff"), padding=" \t").json()

    assert (file["filename"], file["purpose"], file["bytes"]) == ("safe.txt", "user_data", 3)


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ([PURPOSE, ('name="file"', b"abc")], 400, {"param": "file", "code": None}),
        (
            [PURPOSE, FILE, ('name="expires_after_days"', b"1")],
            400,
            {"param": "expires_after_days", "code": "invalid_value"},
        ),
        (
            [PURPOSE, (f"{FILE[0]}\r\nContent-Transfer-Encoding: base64", b"YWJj")],
            415,
            {"param": None, "code": "unsupported_encoding"},
        ),
    ],
)
def test_form_that_cannot_be_met_is_refused(
    project: Project, fields: list[tuple[str, bytes]], status: int, error: dict[str, Any]
) -> None:
    answer = send(project, *fields)

    assert answer.status_code == status
    assert error.items() <= answer.json()["error"].items()
    assert project.nothing()


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "error"),
    [
        ("/files", b'{"a": 1}', {}, 400, {"param": "purpose", "code": None}),
        (
            "/uploads/x/complete",
            b'{"part_ids": ["\\ud800"]}',
            {},
            400,
            {"param": "part_ids", "code": "invalid_value"},
        ),
        ("/files", '{"é": 1}'.encode("utf-16"), {}, 400, {"param": None, "code": None}),
        ("/files", b'{"bytes": 1, "bytes": 2}', {}, 400, {"param": None, "code": None}),
        ("/files", b"{}", {"Content-Encoding": "gzip"}, 415, {"code": "unsupported_encoding"}),
    ],
)
def test_json_that_cannot_be_met_is_refused(
    project: Project,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    error: dict[str, Any],
) -> None:
    sent = {"Content-Type": "application/json"} | headers

    answer = project.http.post(path, content=body, headers=sent)

    assert answer.status_code == status
    assert error.items() <= answer.json()["error"].items()


def test_unknown_json_field_is_refused(project: Project) -> None:
    fields = {"filename": "a", "purpose": "user_data", "bytes": 3, "expires_in": 3_600}

    answer = project.http.post("/files", json=fields)

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": {
                "message": "Unknown parameter: 'expires_in'.",
                "type": "invalid_request_error",
                "param": "expires_in",
                "code": "unknown_parameter",
            }
        },
    )


def test_part_without_a_filename_is_taken(project: Project) -> None:
    upload_id = project.open_upload(3)
    body = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=data\r\n\r\nabc\r\n--{BOUNDARY}--"
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    part = project.http.post(f"/uploads/{upload_id}/parts", content=body, headers=headers).json()

    file = project.complete(upload_id, [part["id"]]).json()["file"]
    assert project.http.get(f"/files/{file['id']}/content").content == b"abc"


def test_upload_accepts_half_as_many_bytes_again(project: Project) -> None:
    upload_id = project.open_upload(10)
    project.presign_part(upload_id, 15)

    answer = project.http.post(f"/uploads/{upload_id}/parts", json={"bytes": 1})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "upload_id"


def test_complete_of_other_parts_is_refused(project: Project) -> None:
    upload_id = project.open_upload(6)
    ids = [project.send_part(upload_id, content) for content in (b"abc", b"def")]
    first = project.complete(upload_id, ids)

    assert project.complete(upload_id, ids).json() == first.json()
    for part_ids, md5, param in ((ids[::-1], None, "part_ids"), (ids, "0" * 32, "md5")):
        answer = project.complete(upload_id, part_ids, **({"md5": md5} if md5 else {}))
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("token", ["Bearer " + "x" * 400, "Bearer sk-nothing", "Basic YTpi"])
@pytest.mark.parametrize("path", ["/files", "/nothing", "/files/x/nothing"])
def test_no_answer_holds_a_token(project: Project, token: str, path: str) -> None:
    answer = project.http.get(path, headers={"Authorization": token})

    assert answer.status_code in (401, 404)
    assert token.split()[-1] not in answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
