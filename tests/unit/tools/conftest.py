import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_socket

from tools import gateway_responses
from tools.gateway_responses import GatewayResponse

REQUEST_ID = {"gatewayresponse.header.x-request-id": "context.requestId"}


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    """A proxy needs sockets, but only those of the loopback interface."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


def error(message: str, kind: str = "invalid_request_error", code: str | None = None) -> str:
    """The template of an error's body."""
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


@pytest.fixture
def responses() -> dict[str, GatewayResponse]:
    """The gateway's answers of an API like ours."""
    customized = {
        "MISSING_AUTHENTICATION_TOKEN": (
            "404",
            error("Invalid URL ($context.httpMethod $context.path)", code="unknown_url"),
        ),
        "REQUEST_TOO_LARGE": ("413", error("Too large.", code="file_too_large")),
        "DEFAULT_5XX": ("500", error("The server had an error.", "server_error")),
    }
    described = [
        {
            "responseType": kind,
            "statusCode": status,
            "responseParameters": REQUEST_ID,
            "responseTemplates": {"application/json": template},
            "defaultResponse": False,
        }
        for kind, (status, template) in customized.items()
    ]
    described += [
        {**described[-1], "responseType": kind, "statusCode": "504", "defaultResponse": True}
        for kind in ("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")
    ]
    return gateway_responses.read(described)


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

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers.items(), body))
        status, headers, content = self.server.answer
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.server.requests.append((self.command, self.path, self.headers.items(), b""))
        self.send_response_only(404)
        self.send_header("Content-Length", "99")
        self.end_headers()

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
