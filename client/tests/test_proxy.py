"""The proxy: any client that knows only a base URL sends and reads files of any size."""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from click.testing import CliRunner
from openai import OpenAI
from tools.local.stack import LocalStack

from client.tests.conftest import LARGE, MIB, MakeFile, sha256
from client.tests.proxied import proxied
from client.tests.stub import KEY, Fault, Stub
from files_api_client.command import main

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def client(stub: Stub) -> Iterator[OpenAI]:
    with proxied(stub.base_url) as url, httpx2.Client(verify=False) as http:
        yield OpenAI(base_url=url, api_key=KEY, max_retries=0, http_client=http)


def form(*fields: tuple[str, bytes], end: bytes = b"--") -> dict[str, Any]:
    parts = [
        f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in fields
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return {"content": b"".join(parts) + b"--b" + end, "headers": headers}


FILE = ('name="file"; filename="a %22b%22 é.txt"', bytes(LARGE))
PURPOSE = ('name="purpose"', b"user_data")


def post(client: OpenAI, *fields: tuple[str, bytes], path: str = "files", **more: Any) -> Any:
    sent = form(*fields, **more)
    headers = sent["headers"] | {"Authorization": f"Bearer {KEY}"}
    return httpx2.post(f"{client.base_url}{path}", content=sent["content"], headers=headers)


def test_a_small_form_reaches_the_api_as_it_is(client: OpenAI, stub: Stub) -> None:
    assert client.files.create(file=("a.txt", b"content"), purpose="user_data").id in stub.files
    [call] = stub.calls
    assert b"content" in call.body
    assert call.heads["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("size", [LARGE, 70 * MIB])
def test_a_large_file_goes_the_clients_way(
    client: OpenAI, stub: Stub, make_file: MakeFile, size: int
) -> None:
    path = make_file(size)
    with path.open("rb") as content:
        file = client.files.create(file=("é 日本.pdf", content), purpose="user_data")
    assert (file.filename, file.bytes, file.status) == ("é 日本.pdf", size, "processed")
    assert file._request_id
    assert stub.digest(file.id) == sha256(path)
    puts = [each.heads for each in stub.calls if each.call.startswith("PUT")]
    assert puts
    assert not any("authorization" in heads for heads in puts)


@pytest.mark.parametrize(
    "wish",
    [
        [
            ('name="expires_after[anchor]"', b"created_at"),
            ('name="expires_after[seconds]"', b"3600"),
        ],
        [
            ('name="expires_after%5Banchor%5D"', b"created_at"),
            ('name="expires_after.seconds"', b"3600"),
        ],
        [('name="expires_after"', b'{"anchor": "created_at", "seconds": 3600}')],
        [('name="expires_after"', b"3600")],
    ],
)
def test_fields_come_in_any_order_and_encoding(
    client: OpenAI, stub: Stub, wish: list[tuple[str, bytes]]
) -> None:
    assert post(client, *wish[:1], FILE, PURPOSE, *wish[1:]).status_code == 200
    assert stub.told("POST /v1/files") == [
        {
            "filename": 'a "b" é.txt',
            "purpose": "user_data",
            "bytes": LARGE,
            "expires_after": {"anchor": "created_at", "seconds": 3600},
        }
    ]


@pytest.mark.parametrize(
    ("fields", "status", "param", "code"),
    [
        ([PURPOSE, ('name="file"', bytes(LARGE))], 400, "file", None),
        ([PURPOSE, ('name="x"', bytes(LARGE))], 400, None, None),
        ([FILE], 400, "purpose", None),
        ([PURPOSE, PURPOSE, FILE], 400, "purpose", "invalid_value"),
        (
            [
                ('name="expires_after"', b"60"),
                ('name="expires_after.seconds"', b"70"),
                PURPOSE,
                FILE,
            ],
            400,
            "expires_after",
            "invalid_value",
        ),
        (
            [PURPOSE, (f"{FILE[0]}\r\nContent-Transfer-Encoding: base64", FILE[1])],
            415,
            None,
            "unsupported_encoding",
        ),
        ([("filename=a", bytes(LARGE))], 400, None, None),
        ([('name="x"', b"")] * 64 + [FILE], 400, None, None),
    ],
)
def test_a_large_form_that_cannot_be_met_is_refused(
    client: OpenAI, stub: Stub, fields: Any, status: int, param: str | None, code: str | None
) -> None:
    answer = post(client, *fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert answer.headers["x-request-id"]
    assert stub.calls == []


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ('name="%66ile"; filename="a%0Ab%20c"', "a\nb%20c"),
        ("name=file; filename=a", "a"),
        (r'name="file"; filename="a\"b"', 'a"b'),
        ('name="file"; filename="_.txt"; filename*=UTF-8\'\'%E2%82%AC.txt', "€.txt"),
        ("name=\"file\"; filename*=utf-8'en'a%20b", "a b"),
        ("filename*=iso-8859-1''%E9; name=file", "é"),
        ("name=file; filename=a; filename*=UTF-8''%E2%82", "a"),
        ("name=file; filename=\"; filename*=UTF-8''b\"", "; filename*=UTF-8''b"),
        ('name="file"; filename="a"\r\nContent-Transfer-Encoding: BINARY', "a"),
        ('name="file"; filename="a"\r\nX-Unknown: b\r\nContent-Type: a/b', "a"),
    ],
)
def test_a_file_has_the_name_that_the_api_would_read(
    client: OpenAI, stub: Stub, name: str, filename: str
) -> None:
    answer = post(client, PURPOSE, ('name="x"', b"1"), ('name="x"', b"2"), (name, bytes(LARGE)))
    assert answer.json()["filename"] == filename
    assert stub.digest(answer.json()["id"]) == hashlib.sha256(bytes(LARGE)).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body,
        lambda body: b"\r\n" + body,
        lambda body: b"preamble\r\n--c\r\n" + body,
        lambda body: body.replace(b"--b\r\n", b"--b \t\r\n"),
        lambda body: body + b"\r\nepilogue\r\n--b\r\n",
    ],
)
def test_a_file_first_in_a_form_of_unknown_length(
    client: OpenAI, stub: Stub, change: Callable[[bytes], bytes]
) -> None:
    content = b"\r\n--bc\r\n--b\n" * 10_000 + bytes(LARGE)
    sent = form(('name="file"; filename="a"', content), PURPOSE)
    body = change(sent["content"])
    pieces = (body[start : start + 65_535] for start in range(0, len(body), 65_535))
    headers = sent["headers"] | {"Authorization": f"Bearer {KEY}"}
    answer = httpx2.post(f"{client.base_url}files", content=pieces, headers=headers, timeout=30)
    assert stub.digest(answer.json()["id"]) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("headers", "change", "status"),
    [
        ({}, lambda body: body.replace(b"\r\n", b"\n"), 400),
        ({}, lambda body: b"--" + body, 400),
        ({}, lambda body: body.replace(b'"purpose"', b'"\xff"'), 400),
        ({"Content-Type": "multipart/form-data"}, lambda body: body, 400),
        ({"Content-Type": "multipart/form-data; boundary=c"}, lambda body: body, 400),
        ({"Content-Encoding": "gzip"}, lambda body: body, 415),
    ],
)
def test_a_large_body_that_is_no_form_is_refused(
    client: OpenAI, stub: Stub, headers: Any, change: Callable[[bytes], bytes], status: int
) -> None:
    sent = form(PURPOSE, FILE)
    answer = httpx2.post(
        f"{client.base_url}files",
        content=change(sent["content"]),
        headers=sent["headers"] | headers,
    )
    assert answer.status_code == status
    assert sorted(answer.json()["error"]) == ["code", "message", "param", "type"]
    assert answer.headers["x-request-id"]
    assert stub.calls == []


@pytest.mark.parametrize("epilogue", [b"", bytes(LARGE)])
def test_an_empty_file_is_left_to_the_api(client: OpenAI, stub: Stub, epilogue: bytes) -> None:
    stub.faults.append(Fault("POST .*", 400))
    sent = form(PURPOSE, ('name="file"; filename="a"', b""))
    headers = sent["headers"] | {"Authorization": f"Bearer {KEY}"}
    url = f"{client.base_url}files"
    assert httpx2.post(url, content=sent["content"] + epilogue, headers=headers).status_code == 400
    assert b'filename="a"' in stub.calls[0].body


@pytest.mark.parametrize("end", [b"cut", b"\r\n"])
def test_a_form_that_is_cut_off_is_refused(client: OpenAI, stub: Stub, end: bytes) -> None:
    assert post(client, PURPOSE, FILE, end=end).status_code == 400
    assert stub.calls == []


def test_a_chunked_upload_has_parts_of_64_mib(
    client: OpenAI, stub: Stub, make_file: MakeFile
) -> None:
    path = make_file(70 * MIB)
    upload = client.uploads.upload_file_chunked(
        file=path, mime_type="application/pdf", purpose="user_data"
    )
    assert upload.file
    assert stub.digest(upload.file.id) == sha256(path)


def test_a_part_may_have_no_filename(client: OpenAI, stub: Stub) -> None:
    upload = client.uploads.create(bytes=LARGE, filename="a", mime_type="a/b", purpose="user_data")
    answer = post(client, ('name="data"', bytes(LARGE)), path=f"uploads/{upload.id}/parts")
    assert (stub.folder / answer.json()["id"]).stat().st_size == LARGE


def test_errors_of_the_api_are_its_own(client: OpenAI, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("GET .*", 429))
    with pytest.raises(openai.RateLimitError) as refused:
        client.files.list(purpose="batch")
    assert refused.value.response.headers["retry-after-ms"] == "1"
    assert refused.value.request_id == "req-1"
    assert stub.queries("GET .*") == ["purpose=batch"]
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").files.create(
            file=large.read_bytes(), purpose="user_data"
        )


@pytest.mark.parametrize("size", [LARGE, 65 * MIB])
def test_a_repeat_under_an_idempotency_key_gives_the_same_file(
    client: OpenAI, stub: Stub, make_file: MakeFile, size: int
) -> None:
    path = make_file(size)

    def create() -> openai.types.FileObject:
        headers = {"Idempotency-Key": "k"}
        with path.open("rb") as file:
            return client.files.create(file=file, purpose="user_data", extra_headers=headers)

    stub.faults.append(Fault("PUT .*", 400, "<Error><Code>AccessDenied</Code></Error>", times=9))
    with pytest.raises(openai.BadRequestError):
        create()
    stub.faults[:] = [Fault("PUT .*", 403)]  # as if the URL had ended: the client asks for another
    file = create()
    sent = len(stub.asked("PUT .*"))
    assert create().id == file.id
    assert len(stub.asked("PUT .*")) == sent
    assert list(stub.files) == [file.id]
    assert stub.digest(file.id) == sha256(path)


def test_ranges_and_head_reach_the_storage(client: OpenAI, stub: Stub) -> None:
    url = f"{client.base_url}files/{stub.keep(b'0123456789', 'a')}/content"
    with httpx2.Client(headers={"Authorization": f"Bearer {KEY}"}) as http:
        head = http.head(url)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "10", b"")
        part = http.get(url, headers={"Range": "bytes=2-3"})
        assert (part.status_code, part.content) == (206, b"23")
        both = http.get(url, headers={"Range": "bytes=0-1,3-4"})
        assert (both.status_code, both.content) == (200, b"0123456789")
        beyond = http.get(url, headers={"Range": "bytes=10-"})
        assert (beyond.status_code, beyond.json()["error"]["code"]) == (416, "invalid_range")
        assert http.head(url, headers={"Range": "bytes=10-"}).status_code == 416
    assert [each.heads.get("authorization") for each in stub.calls if "store" in each.call] == (
        [None] * 5
    )


def test_an_upstream_that_fails_is_a_502(client: OpenAI, stub: Stub, large: Path) -> None:
    stub.faults.append(Fault("POST .*", 0, times=9))
    for content in (b"small", large.read_bytes()):
        with pytest.raises(openai.InternalServerError) as failed:
            client.files.create(file=content, purpose="user_data")
        assert failed.value.status_code == 502
        assert "cannot reach the Files API" in failed.value.message
        assert failed.value.request_id


def test_a_full_disk_is_a_507(client: OpenAI, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        return Path("/dev/full").open("r+b", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(openai.InternalServerError) as failed:
        client.files.create(file=bytes(LARGE), purpose="user_data")
    assert failed.value.status_code == 507
    assert "No space left on device" in failed.value.message
    assert stub.calls == []


def test_a_client_that_goes_away_leaves_nothing(client: OpenAI, stub: Stub) -> None:
    body, before = form(PURPOSE, FILE)["content"], open_spools()
    with socket.create_connection((client.base_url.host, client.base_url.port)) as gone:
        head = f"POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        kind = "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        gone.sendall((head + kind).encode() + body[:-100])
        eventually(lambda: open_spools() > before)
    assert client.files.create(file=b"next", purpose="user_data").id
    assert [each.call for each in stub.calls] == ["POST /v1/files"]
    eventually(lambda: open_spools() == before)


def open_spools() -> int:
    """How many deleted files this process holds."""
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the folder's own
            count += "(deleted)" in str(each.readlink())
    return count


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_command_serves_until_it_is_stopped(stub: Stub) -> None:
    program = "from files_api_client.command import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "proxy", "--upstream", stub.base_url, "--port", "0"],
        env=os.environ | {"PYTHONPATH": str(_ROOT / "client/src")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            assert said.startswith("Files API proxy: http://127.0.0.1:")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize("upstream", ["http://127.0.0.1:1", "ftp://a/v1", "a"])
def test_the_command_refuses_what_is_no_base_url(upstream: str) -> None:
    refused = CliRunner().invoke(main, ["proxy", "--upstream", upstream])
    assert refused.exit_code == 2
    assert "it must be a URL that ends with /v1" in refused.output


def test_the_command_says_that_a_port_is_taken(stub: Stub) -> None:
    port = stub.base_url.rpartition(":")[2].removesuffix("/v1")
    refused = CliRunner().invoke(main, ["proxy", "--upstream", stub.base_url, "--port", port])
    assert refused.exit_code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in refused.output


@pytest.mark.parametrize("size", [100_000, 6 * MIB, 40 * MIB, 300 * MIB])
def test_the_real_template_takes_and_serves_any_size(
    local_stack: LocalStack, make_file: MakeFile, tmp_path: Path, size: int
) -> None:
    path, key = make_file(size), local_stack.keys.create("proxy")[1]
    with (
        proxied(local_stack.base_url) as url,
        httpx2.Client(verify=False, timeout=60) as http,
        path.open("rb") as content,
    ):
        client = OpenAI(base_url=url, api_key=key, http_client=http)
        again = {"Idempotency-Key": str(uuid.uuid4())}
        file = client.files.create(file=content, purpose="user_data", extra_headers=again)
        assert (file.bytes, file.status) == (size, "processed")
        content.seek(0)
        repeated = client.files.create(file=content, purpose="user_data", extra_headers=again)
        assert repeated.id == file.id
        with client.files.with_streaming_response.content(file.id) as answer:
            assert (answer.status_code, answer.http_response.history) == (200, [])
            answer.stream_to_file(tmp_path / "copy")
        content_of = client.files.with_raw_response.content
        part = content_of(file.id, extra_headers={"Range": "bytes=10-19"})
        with pytest.raises(openai.APIStatusError) as refused:
            content_of(file.id, extra_headers={"Range": f"bytes={size}-"})
        to_content = f"{url}/files/{file.id}/content"
        known = {"Authorization": f"Bearer {key}"}
        head = http.head(to_content, headers=known)
        asked = known | {"Range": "bytes=0-1,5-6"}
        several = http.get(to_content, headers=asked)
        direct = f"{local_stack.base_url}/files/{file.id}/content"
        answered = http.get(direct, headers=asked, follow_redirects=True)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))
    assert (several.status_code, several.content) == (answered.status_code, answered.content)
    assert sha256(tmp_path / "copy") == sha256(path)
    assert (part.status_code, part.content) == (206, path.read_bytes()[10:20])
    assert (refused.value.status_code, refused.value.code) == (416, "invalid_range")
    assert refused.value.request_id
