import gzip
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.local.gateway import limits
from tools.local.gateway.edge import Edge
from tools.local.gateway.responses import GatewayResponse

MEGABYTE = 1024 * 1024
TOO_LARGE = {"error": {"message": "Too large."}}
SERVER_ERROR = {"error": {"message": "The server had an error."}}


def response(status: int, body: object) -> GatewayResponse:
    return GatewayResponse(status, {"x-request-id": "context.requestId"}, json.dumps(body))


BAD_REQUEST = {"error": {"message": "The request cannot be processed."}}
RESPONSES = {
    "DEFAULT_4XX": response(0, BAD_REQUEST),
    "DEFAULT_5XX": response(500, SERVER_ERROR),
    "REQUEST_TOO_LARGE": response(413, TOO_LARGE),
    "INTEGRATION_FAILURE": response(500, SERVER_ERROR),
    "INTEGRATION_TIMEOUT": response(500, SERVER_ERROR),
}


class Upstream(ThreadingHTTPServer):
    """Takes the place of MiniStack: notes each request, and sends a given answer.

    Attributes:
        requests: method, target, headers and body of each request.
        answer: status, headers and body of each answer.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.answer: tuple[int, list[tuple[str, str]], bytes] = (200, [], b"")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/_aws/execute-api/abc/dev"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers.items(), body))
        status, headers, content = self.server.answer
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = answer  # noqa: N815  the library calls them

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@pytest.fixture
def port(upstream: Upstream) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    edge = Edge(listener, upstream.url, RESPONSES)
    edge.start()
    yield listener.getsockname()[1]
    edge.stop()


@pytest.fixture
def call(port: int) -> Callable[..., Answer]:
    """Sends the given request, without any further header."""

    def call(
        method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    return call


def test_a_request_arrives_as_it_was_sent(call: Callable[..., Answer], upstream: Upstream) -> None:
    target = "/v1/files/a%2Fb%20c?a=1&a=2&b=%C3%A9&c=x+y&d=&e=%2F"

    call("GET", target, {"Authorization": "Bearer k", "x-Odd": "1", "Accept": "a/b"})

    method, arrived, headers, body = upstream.requests[0]
    assert (method, arrived, body) == ("GET", f"/_aws/execute-api/abc/dev{target}", b"")
    host = ("Host", upstream.url.split("/")[2])
    assert headers == [host, ("Authorization", "Bearer k"), ("x-Odd", "1"), ("Accept", "a/b")]


@pytest.mark.parametrize(
    ("target", "arrived"),
    [("http://127.0.0.1/v1/files?a=b", "/v1/files?a=b"), ('/v1/no"pe\\?a', "/v1/no%22pe%5C?a")],
    ids=["whole URL", "bytes that no URL may contain"],
)
def test_a_target_becomes_a_valid_path(
    call: Callable[..., Answer], upstream: Upstream, target: str, arrived: str
) -> None:
    call("GET", target)

    assert upstream.requests[0][1] == f"/_aws/execute-api/abc/dev{arrived}"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_body_arrives_byte_for_byte(
    call: Callable[..., Answer], upstream: Upstream, encoding: str
) -> None:
    body = gzip.compress(bytes(range(256)) * 100)
    headers = {"Content-Encoding": encoding, "Content-Length": str(len(body))}

    call("POST", "/v1/files", headers, body)

    _, _, arrived, content = upstream.requests[0]
    assert content == body
    assert ("Content-Encoding", encoding) in arrived
    assert "Content-Type" not in dict(arrived)


def test_a_chunked_body_arrives_whole(call: Callable[..., Answer], upstream: Upstream) -> None:
    chunks = b"".join(b"3e8\r\n" + b"x" * 1000 + b"\r\n" for _ in range(1000)) + b"0\r\n\r\n"

    call("POST", "/v1/files", {"Transfer-Encoding": "chunked"}, chunks)

    _, _, headers, content = upstream.requests[0]
    assert content == b"x" * 1_000_000
    assert dict(headers)["Content-Length"] == "1000000"


def test_an_answer_comes_back_unchanged(call: Callable[..., Answer], upstream: Upstream) -> None:
    body = gzip.compress(b"\0" * 1000)
    headers = [
        ("Location", "http://127.0.0.1:1/elsewhere"),
        ("Content-Encoding", "gzip"),
        ("x-request-id", "one"),
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
    ]
    upstream.answer = (302, headers, body)

    answer = call("GET", "/v1/files/x/content")

    assert (answer.status, answer.body) == (302, body)
    assert [each for each in answer.headers.items() if each in headers] == headers
    assert len(upstream.requests) == 1


def test_an_answer_to_head_has_no_body(call: Callable[..., Answer], upstream: Upstream) -> None:
    upstream.answer = (404, [], bytes(99))

    answer = call("HEAD", "/v1/files")

    assert (answer.status, answer.headers["Content-Length"], answer.body) == (404, "99", b"")


CHUNK = b"100000\r\n" + bytes(MEGABYTE) + b"\r\n"
SIZE = limits.BODY + 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Length": str(SIZE)}, bytes(SIZE)),
        ({"Transfer-Encoding": "chunked"}, CHUNK * 40 + b"0\r\n\r\n"),
    ],
    ids=["in one piece", "in chunks"],
)
def test_a_body_over_the_gateways_limit_is_read_and_rejected(
    call: Callable[..., Answer], upstream: Upstream, headers: dict[str, str], body: bytes
) -> None:
    answer = call("POST", "/v1/files", headers, body)

    assert (answer.status, json.loads(answer.body)) == (413, TOO_LARGE)
    assert answer.headers["x-request-id"]
    assert upstream.requests == []


def test_an_endless_body_is_rejected_once_it_is_too_large(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(CHUNK * 11)

        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize(("size", "first"), [(limits.BODY + 1, b"413"), (5, b"100")])
def test_expect_100_continue_is_answered_at_once(port: int, size: int, first: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/files HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % size
        )
        assert connection.recv(12) == b"HTTP/1.1 " + first


@pytest.mark.parametrize(("size", "status"), [(4_700_000, 200), (4_720_000, 413)])
def test_a_body_too_large_for_a_lambda_event_is_rejected(
    call: Callable[..., Answer], size: int, status: int
) -> None:
    headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}

    assert call("POST", "/v1/files", headers, bytes(size)).status == status


@pytest.mark.parametrize(
    ("kind", "size", "status"),
    [
        ("application/octet-stream", 4_718_000, 200),
        ("application/octet-stream", 4_719_000, 500),
        ("application/json", 6_200_000, 200),
        ("application/json", 6_300_000, 500),
    ],
)
def test_a_result_too_large_for_lambda_is_a_server_error(
    call: Callable[..., Answer], upstream: Upstream, kind: str, size: int, status: int
) -> None:
    upstream.answer = (200, [("Content-Type", kind)], b"x" * size)

    answer = call("GET", "/v1/files")

    assert answer.status == status
    if status != 200:
        assert json.loads(answer.body) == SERVER_ERROR


def test_a_failed_function_is_a_server_error_without_details(
    call: Callable[..., Answer], upstream: Upstream
) -> None:
    upstream.answer = (502, [], b'{"message": "KeyError: \'secret\'"}')

    answer = call("GET", "/v1/files")

    assert (answer.status, json.loads(answer.body)) == (500, SERVER_ERROR)
    assert answer.headers["x-request-id"]


def test_the_apis_own_server_errors_are_not_replaced(
    call: Callable[..., Answer], upstream: Upstream
) -> None:
    body = b'{"error": {"message": "ours"}}'
    upstream.answer = (500, [], body)

    assert call("GET", "/v1/files").body == body


def test_an_unreachable_api_is_a_server_error(
    call: Callable[..., Answer], upstream: Upstream
) -> None:
    upstream.shutdown()
    upstream.socket.close()

    answer = call("GET", "/v1/files")

    assert (answer.status, json.loads(answer.body)) == (500, SERVER_ERROR)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/files HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /v1/" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"FOO /v1/files HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/files HTTP/1.1\r\nBad Header\r\n\r\n",
        b"POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
    ids=["long header", "long URL", "method", "header", "length", "bytes"],
)
def test_unreadable_request_is_refused_in_the_apis_form(port: int, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        answer = http.client.HTTPResponse(connection)
        answer.begin()

        assert answer.status == 400
        assert json.loads(answer.read()) == BAD_REQUEST
        assert answer.headers["x-request-id"]
        assert answer.headers["Content-Type"] == "application/json"


def test_raw_utf_8_in_a_url_is_passed_on_encoded(port: int, upstream: Upstream) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("GET /v1/é HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()

    assert answer.status in (200, 400)
    assert answer.status == 400 or upstream.requests[0][1].endswith("/v1/%C3%A9")
