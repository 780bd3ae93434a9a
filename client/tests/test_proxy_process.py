"""The proxy under load, and with peers that fail, stall and go away: a process of its own."""

import contextlib
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest

from client.tests import loopback, running
from client.tests.conftest import LARGE, MIB, MakeFile, sha256
from client.tests.running import Proxy
from client.tests.stub import KEY, Fault, Stub
from client.tests.test_proxy import FILE, PURPOSE, eventually, form

MEMORY = 150 * MIB
BODY = form(PURPOSE, FILE)["content"]
HEADERS = {
    "Authorization": f"Bearer {KEY}",
    "Content-Type": "multipart/form-data; boundary=b",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    with loopback.running(tmp_path_factory.mktemp("stub")) as stub:
        yield stub


@pytest.fixture
def stub(api: Stub) -> Stub:
    api.reset()
    return api


@pytest.fixture(scope="module")
def proxy(api: Stub) -> Iterator[Proxy]:
    with running.running(api.base_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def hasty(api: Stub) -> Iterator[Proxy]:
    """One that gives up soon."""
    with running.running(api.base_url, timeout=0.5) as proxy:
        yield proxy


@pytest.fixture
def fresh(stub: Stub) -> Iterator[Proxy]:
    """One that has done nothing yet, and may be stopped."""
    with running.running(stub.base_url) as proxy:
        yield proxy


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(headers=HEADERS, timeout=60) as http:
        yield http


@contextlib.contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as connection:
        yield connection


def request(method: str, path: str, **headers: Any) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}\r\n" for name, value in (HEADERS | named).items()]
    return f"{method} /v1/{path} HTTP/1.1\r\nHost: a\r\n{''.join(lines)}\r\n".encode()


UPLOAD = request("POST", "files", Content_Length=len(BODY))


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """All that comes until the connection ends: status, headers, body."""
    said = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def refusal(said: httpx2.Response) -> tuple[int, str, str]:
    """Status, type and message of an error in the API's form."""
    error = said.json()["error"]
    assert sorted(error) == ["code", "message", "param", "type"]
    assert said.headers["x-request-id"]
    return said.status_code, error["type"], error["message"]


def test_sixteen_clients_take_little_memory(fresh: Proxy, stub: Stub, make_file: MakeFile) -> None:
    sizes = [1, 100_000, 4_400_000, LARGE, 6 * MIB, 20 * MIB, 65 * MIB, 70 * MIB] * 2
    paths = {size: make_file(size) for size in set(sizes)}
    digests = {size: sha256(path) for size, path in paths.items()}

    def use(size: int) -> None:
        client = openai.OpenAI(base_url=fresh.url, api_key=KEY, http_client=shared, max_retries=0)
        with paths[size].open("rb") as content:
            file = client.files.create(file=content, purpose="user_data")
        if size < LARGE:
            return
        assert stub.digest(file.id) == digests[size]
        if size < 64 * MIB:  # the stub does not put parts together
            with client.files.with_streaming_response.content(file.id) as answer:
                assert sum(map(len, answer.iter_bytes())) == size

    with httpx2.Client(timeout=60) as shared, ThreadPoolExecutor(len(sizes)) as clients:
        list(clients.map(use, sizes))
    assert fresh.peak() < MEMORY
    assert fresh.spooled() == 0


@pytest.mark.parametrize("sent", [4_000_000, len(BODY) - 100])
def test_a_client_that_leaves_while_it_sends(proxy: Proxy, stub: Stub, sent: int) -> None:
    with connected(proxy) as client:
        client.sendall(UPLOAD + BODY[:sent])
        eventually(lambda: proxy.spooled() == 2)
    eventually(lambda: proxy.spooled() == 0)
    assert stub.calls == []


@pytest.mark.parametrize("path", ["small", "one PUT", "parts"])
def test_a_client_that_leaves_while_its_file_is_sent_on(
    proxy: Proxy, stub: Stub, path: str
) -> None:
    size = {"small": 1000, "one PUT": LARGE, "parts": 65 * MIB}[path]
    body = form(PURPOSE, ('name="file"; filename="a"', bytes(size)))["content"]
    stub.faults.append(Fault("POST .*" if size == 1000 else "PUT .*", 0, stalls=True, times=9))
    with connected(proxy) as client:
        client.sendall(request("POST", "files", Content_Length=len(body)) + body)
        eventually(lambda: stub.faults[0].times < 9 and proxy.spooled())
    eventually(lambda: proxy.spooled() == 0)
    if size > 1000:
        eventually(lambda: stub.asked("DELETE .*"))
    assert stub.files == {}


def test_a_client_that_leaves_while_it_reads(proxy: Proxy, stub: Stub) -> None:
    file_id = large_file(stub)
    with connected(proxy) as client:
        client.sendall(request("GET", f"files/{file_id}/content"))
        client.recv(1000)
        assert stub.at_once == 1
    eventually(lambda: stub.at_once == 0)


def large_file(stub: Stub, size: int = 300 * MIB) -> str:
    """A file of zeros that takes no room."""
    file_id = stub.keep(b"", "a")
    with (stub.folder / stub.files[file_id]["_blobs"][0]).open("r+b") as blob:
        blob.truncate(size)
    return file_id


def test_a_slow_reader_costs_no_memory_and_delays_nobody(
    fresh: Proxy, stub: Stub, http: httpx2.Client
) -> None:
    file_id, before = large_file(stub), fresh.peak()
    with http.stream("GET", f"{fresh.url}/files/{file_id}/content") as content:
        chunks = content.iter_raw(MIB)
        next(chunks)
        for _ in range(20):
            assert http.get(f"{fresh.url}/files/{file_id}").status_code == 200
        assert http.post(f"{fresh.url}/files", content=BODY).status_code == 200
        assert stub.at_once == 1
        assert MIB + sum(map(len, chunks)) == 300 * MIB
    assert fresh.peak() < before + 60 * MIB


def test_a_full_disk(stub: Stub, http: httpx2.Client) -> None:
    large = form(PURPOSE, ('name="file"; filename="a"', bytes(20 * MIB)))["content"]
    with running.running(stub.base_url, disk=2 * MIB) as proxy:
        for body in (BODY, large, BODY[:3_000_000]):
            status, kind, message = refusal(http.post(f"{proxy.url}/files", content=body))
            assert (status, kind) == (507, "server_error")
            assert message == "The proxy cannot keep the body on its disk: File too large."
            assert proxy.spooled() == 0
        assert stub.calls == []
        small = form(PURPOSE, ('name="file"; filename="a"', b"a"))["content"]
        assert http.post(f"{proxy.url}/files", content=small).status_code == 200


@pytest.mark.parametrize("call", ["POST .*", "PUT .*", "GET /v1/files/[^/]+"])
@pytest.mark.parametrize("size", [LARGE, 65 * MIB])
def test_an_upstream_that_fails_while_a_file_is_sent(
    proxy: Proxy, stub: Stub, http: httpx2.Client, call: str, size: int
) -> None:
    stub.faults.append(Fault(call, 0, times=99, after=100_000 if call == "PUT .*" else None))
    body = form(PURPOSE, ('name="file"; filename="a"', bytes(size)))["content"]
    status, kind, message = refusal(http.post(f"{proxy.url}/files", content=body))
    assert (status, kind) == (502, "server_error")
    assert "cannot reach the Files API or its storage" in message
    assert proxy.spooled() == 0
    assert stub.files == {}


def test_a_storage_that_refuses_the_bytes(proxy: Proxy, stub: Stub, http: httpx2.Client) -> None:
    stub.faults.append(Fault("PUT .*", 403, "<Error><Code>AccessDenied</Code></Error>", times=9))
    said = http.post(f"{proxy.url}/files", content=BODY)
    assert (said.status_code, said.json()["error"]["code"]) == (403, "upload_failed")
    assert stub.files == {}


@pytest.mark.parametrize("call", ["GET /v1/.*", "GET /store/.*"])
def test_an_upstream_that_fails_before_the_content(
    proxy: Proxy, stub: Stub, http: httpx2.Client, call: str
) -> None:
    file_id = large_file(stub, LARGE)
    stub.faults.append(Fault(call, 0))
    assert refusal(http.get(f"{proxy.url}/files/{file_id}/content"))[0] == 502
    stub.faults.append(Fault(call, 503))
    assert http.get(f"{proxy.url}/files/{file_id}/content").status_code in (502, 503)


def test_an_upstream_that_fails_amid_the_content_is_seen(
    proxy: Proxy, stub: Stub, http: httpx2.Client
) -> None:
    file_id = large_file(stub)
    for after in (0, 1, 10 * MIB):
        stub.faults.append(Fault("GET /store/.*", 0, after=after))
        with pytest.raises(httpx2.TransportError):
            http.get(f"{proxy.url}/files/{file_id}/content")


@pytest.mark.parametrize("sent", [b"", BODY[:1000], BODY[:-100]])
def test_a_client_that_stops_sending(hasty: Proxy, stub: Stub, sent: bytes) -> None:
    with connected(hasty) as client:
        client.sendall(UPLOAD + sent)
        client.settimeout(15)
        said = client.recv(65_536)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"has sent nothing for 0.5 seconds" in said
    assert b'"type": "invalid_request_error"' in said
    assert stub.calls == []
    eventually(lambda: hasty.spooled() == 0)


@pytest.mark.parametrize("path", ["uploads", "uploads/1/complete"])
def test_a_client_that_stops_sending_json(hasty: Proxy, path: str) -> None:
    with connected(hasty) as client:
        sent = request("POST", path, Content_Length=100, Content_Type="application/json")
        client.sendall(sent + b"{")
        assert client.recv(65_536).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("body", [b"small", BODY])
def test_an_upstream_that_stops_answering(
    hasty: Proxy, stub: Stub, http: httpx2.Client, body: bytes
) -> None:
    stub.faults.append(Fault("POST .*", 0, stalls=True))
    status, kind, message = refusal(http.post(f"{hasty.url}/files", content=body))
    assert (status, kind) == (504, "server_error")
    assert "did not answer in time" in message
    assert hasty.spooled() == 0


def test_a_storage_that_stops_answering(hasty: Proxy, stub: Stub, http: httpx2.Client) -> None:
    stub.faults.append(Fault("PUT .*", 0, stalls=True, times=9))
    assert refusal(http.post(f"{hasty.url}/files", content=BODY))[0] == 504
    assert stub.files == {}
    file_id = large_file(stub, LARGE)
    stub.faults.append(Fault("GET /store.*", 0, stalls=True))
    assert refusal(http.get(f"{hasty.url}/files/{file_id}/content"))[0] == 504


def test_calls_in_flight_end_when_it_is_stopped(fresh: Proxy, stub: Stub) -> None:
    file_id = large_file(stub)
    stub.faults.append(Fault("PUT .*", 0, stalls=True))
    with (
        connected(fresh) as sending,
        connected(fresh) as waiting,
        connected(fresh) as reading,
    ):
        sending.sendall(UPLOAD + BODY[:-100])
        waiting.sendall(UPLOAD + BODY)
        reading.sendall(request("GET", f"files/{file_id}/content"))
        eventually(lambda: fresh.spooled() == 4 and stub.at_once == 1 and not stub.faults[0].times)
        start = time.monotonic()
        assert fresh.stop() == 0
        assert time.monotonic() - start < 10
        assert 0 < len(answer(reading)[2]) < 300 * MIB
        assert b"200 OK" not in sending.recv(1000) + waiting.recv(1000)
    assert not list(fresh.folder.iterdir())
    eventually(lambda: stub.asked("DELETE .*"))


def test_it_stops_at_once_when_nothing_is_in_flight(fresh: Proxy, http: httpx2.Client) -> None:
    http.get(f"{fresh.url}/files")  # leaves a connection open
    start = time.monotonic()
    assert fresh.stop() == 0
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "sent",
    [
        b"no http\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Bearer " + b"k" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"p" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/files HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/files HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_in_the_form_of_the_api(proxy: Proxy, sent: bytes) -> None:
    with connected(proxy) as client:
        client.sendall(sent)
        status, headers, body = answer(client)
    assert (status, headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert headers["x-request-id"]
    assert b'"type": "invalid_request_error"' in body
    assert b"kkk" not in body


def test_a_shorter_content_length_than_the_body(proxy: Proxy, stub: Stub) -> None:
    with connected(proxy) as client:
        client.sendall(request("POST", "files", Content_Length=len(BODY) - 50) + BODY)
        said = client.recv(65_536)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"its last boundary is missing" in said
    assert stub.calls == []
    eventually(lambda: proxy.spooled() == 0)


HUGE = 65 * MIB
HUGE_FILE = ('name="file"; filename="a"', bytes(HUGE))


def huge(*fields: tuple[str, bytes]) -> bytes:
    """A form as SDKs send it: its last boundary is a line."""
    content: bytes = form(*fields)["content"]
    return content + b"\r\n"


def test_a_huge_file_is_sent_on_while_it_arrives(proxy: Proxy, stub: Stub) -> None:
    body = huge(PURPOSE, HUGE_FILE)
    with connected(proxy) as client:
        client.sendall(request("POST", "files", Content_Length=len(body), Connection="close"))
        client.sendall(body[: -2 * MIB])
        eventually(lambda: stub.at_once == 1)
        client.sendall(body[-2 * MIB : -1])
        eventually(lambda: proxy.spooled() == 2)
        assert not stub.asked("PUT .*")  # the last bytes wait until nothing comes behind them
        client.sendall(body[-1:])
        status, _, said = answer(client)
    assert (status, json.loads(said)["bytes"]) == (200, HUGE)
    assert [each.split()[0] for each in stub.asked(".*")] == ["POST", "PUT", "GET"]
    assert stub.digest(json.loads(said)["id"]) == hashlib.sha256(bytes(HUGE)).hexdigest()


def test_a_client_that_leaves_amid_a_huge_file(proxy: Proxy, stub: Stub) -> None:
    body = huge(PURPOSE, HUGE_FILE)
    with connected(proxy) as client:
        client.sendall(request("POST", "files", Content_Length=len(body)) + body[:-100])
        eventually(lambda: stub.at_once == 1)
    eventually(lambda: proxy.spooled() == 0 and stub.asked("DELETE .*"))
    eventually(lambda: stub.at_once == 0)
    assert stub.files == {}


WISH = ('name="expires_after[seconds]"', b"3600"), ('name="expires_after[anchor]"', b"created_at")


@pytest.mark.parametrize(
    ("body", "made"),
    [
        (huge(PURPOSE, HUGE_FILE), 1),
        (huge(*WISH, PURPOSE, HUGE_FILE), 1),
        (huge(HUGE_FILE, PURPOSE), 1),
        (huge(PURPOSE, HUGE_FILE)[:-2], 2),
        (huge(PURPOSE, HUGE_FILE) + b"epilogue", 2),
        (huge(PURPOSE, HUGE_FILE, *WISH), 2),
    ],
)
def test_a_size_that_was_expected_wrongly(
    proxy: Proxy, stub: Stub, http: httpx2.Client, body: bytes, made: int
) -> None:
    file = http.post(f"{proxy.url}/files", content=body).json()
    assert list(stub.files) == [file["id"]]
    assert stub.digest(file["id"]) == hashlib.sha256(bytes(HUGE)).hexdigest()
    assert len(stub.asked("POST .*")) == made
    assert ("expires_after" in stub.told("POST .*")[-1]) == (b"expires_after" in body)


def test_a_storage_that_does_not_wait_gets_the_file_later(
    proxy: Proxy, stub: Stub, http: httpx2.Client
) -> None:
    stub.faults.append(Fault("PUT .*", 400, "<Error><Code>AccessDenied</Code></Error>"))
    file = http.post(f"{proxy.url}/files", content=huge(PURPOSE, HUGE_FILE)).json()
    assert list(stub.files) == [file["id"]]


def test_slow_clients_do_not_keep_the_storage_to_themselves(
    proxy: Proxy, stub: Stub, http: httpx2.Client
) -> None:
    body = huge(PURPOSE, HUGE_FILE)
    with contextlib.ExitStack() as clients:
        for _ in range(9):
            client = clients.enter_context(connected(proxy))
            client.sendall(request("POST", "files", Content_Length=len(body)) + body[: 6 * MIB])
        eventually(lambda: stub.at_once == 4)
        assert http.post(f"{proxy.url}/files", content=BODY).status_code == 200
    eventually(lambda: proxy.spooled() == 0)
