"""A model that says what it was given, in OpenAI's Responses and Chat Completions dialects."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Model(ThreadingHTTPServer):
    """The server.

    Attributes:
        given: the input, or the messages, of each request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.given: list[Any] = []

    @property
    def url(self) -> str:
        """The base URL for an SDK."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def parts(self, kind: str) -> list[dict[str, Any]]:
        """The parts of this type in the last request."""
        return [
            part
            for message in self.given[-1]
            if isinstance(message.get("content"), list)
            for part in message["content"]
            if part["type"] == kind
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Model

    def log_message(self, *_: object) -> None:
        """Writes no log."""

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": "mock", "object": "model", "created": 0}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        chat = self.path.endswith("/chat/completions")
        self.server.given.append(body["messages" if chat else "input"])
        if not chat:
            self._send(_response(body["model"]))
        elif body.get("stream"):
            self._stream(body["model"])
        else:
            self._send(_completion(body["model"], "message") | {"object": "chat.completion"})

    def _send(self, answer: object) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        chunk = _completion(model, "delta") | {"object": "chat.completion.chunk"}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
        self.close_connection = True


def _completion(model: str, said: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Read."}
    choice = {"index": 0, said: message, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _response(model: str) -> dict[str, Any]:
    text = {"type": "output_text", "text": "Read.", "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": int(time.time()),
        "model": model,
        "status": "completed",
        "output": [message | {"content": [text]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 2,
        },
    }


@contextmanager
def running() -> Iterator[Model]:
    """A model that answers meanwhile."""
    model = Model()
    thread = threading.Thread(target=model.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.shutdown()
        model.server_close()
        thread.join()
