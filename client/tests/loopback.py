"""The service and its storage as a server on loopback."""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from client.tests.stub import KEY, Asked, Fault, Stub, error, public


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    stub: Stub

    def log_message(self, format: str, *args: Any) -> None:
        """The test asks `Stub.calls`."""

    def handle(self) -> None:
        with suppress(ConnectionError, json.JSONDecodeError):  # a client that leaves
            super().handle()

    def serve(self) -> None:
        path, query = urlsplit(self.path)[2:4]
        call = f"{self.command} {path}"
        with self.stub.lock:
            fault = self._fault(call)
        if fault and fault.after is not None and self.command == "PUT":
            self.rfile.read(fault.after)
            self.close_connection = True
            return
        body = self._store(path) if self.command == "PUT" else self._body()
        with self.stub.lock:
            heads = {name.lower(): value for name, value in self.headers.items()}
            self.stub.calls.append(Asked(call, query, heads, body))
            if fault is None or fault.first or fault.after is not None:
                status, answer = self._answer(call, body)
        if fault is not None and fault.stalls:
            self.stub.ended.wait()
        if fault is None or fault.after is not None:
            if isinstance(answer, Path):
                self._serve_content(answer, fault.after if fault else None)
            else:
                self._send(status, answer if isinstance(answer, str) else json.dumps(answer))
        elif fault.status:
            self._send(fault.status, fault.body)
        else:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - looked for by these names

    def _fault(self, call: str) -> Fault | None:
        for fault in self.stub.faults:
            if re.fullmatch(fault.call, call) and fault.times:
                fault.times -= 1
                return fault
        return None

    def _body(self) -> Any:
        if self.headers.get("Transfer-Encoding"):
            sizes = iter(lambda: int(self.rfile.readline(), 16), 0)
            raw = b"".join(self.rfile.read(size + 2)[:-2] for size in sizes)
            self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = raw and self.headers["Content-Type"] == "application/json"
        return json.loads(raw) if is_json else raw

    def _store(self, path: str) -> tuple[int, str]:
        """Keeps the bytes aside; returns how many, and where."""
        with self.stub.lock:
            self.stub.at_once += 1
            self.stub.most_at_once = max(self.stub.most_at_once, self.stub.at_once)
        aside = f"{Path(path).name}-{uuid.uuid4()}"
        left = size = int(self.headers["Content-Length"])
        try:
            with (self.stub.folder / aside).open("wb") as blob:
                while left and (chunk := self.rfile.read(min(left, 64 * 1024))):
                    blob.write(chunk)
                    left -= len(chunk)
        finally:
            with self.stub.lock:
                self.stub.at_once -= 1
        return size - left, aside

    def _send(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 302:
            self.send_header("Location", json.loads(body)["url"])
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", f"req-{len(self.stub.calls)}")
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)
        self.wfile.flush()

    def _serve_content(self, path: Path, only: int | None) -> None:
        """Serves a file, or one range of it, as S3 does: of several ranges, the whole."""
        start, size = 0, path.stat().st_size
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if found:
            start, size = (
                int(found[1]),
                min(int(found[2] or size - 1), size - 1) + 1 - int(found[1]),
            )
        if size <= 0:
            self._send(416, "<Error><Code>InvalidRange</Code></Error>")
            return
        self.send_response(206 if found else 200)
        self.send_header("Content-Type", self.stub.media_type)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.flush()
        left = 0 if self.command == "HEAD" else size if only is None else only
        self.close_connection = only is not None
        with self.stub.lock:
            self.stub.at_once += 1
        try:
            with path.open("rb") as content:
                content.seek(start)
                while left and (chunk := content.read(min(left, 64 * 1024))):
                    self.wfile.write(chunk)
                    left -= len(chunk)
                self.wfile.flush()
        except ConnectionError:
            self.close_connection = True
        finally:
            with self.stub.lock:
                self.stub.at_once -= 1

    def _answer(self, call: str, body: Any) -> tuple[int, Any]:
        method, _, path = call.partition(" ")
        match [method, *path.strip("/").split("/")]:
            case ["PUT", "store", name]:
                return self._put(name, *body)
            case ["GET" | "HEAD", "store", name]:
                return self._refused() or (200, self.stub.folder / name)
            case _ if self.headers.get("Authorization") != f"Bearer {KEY}":
                return error(401, None, "invalid_api_key")
            case ["POST", "v1", "files"] if isinstance(body, bytes):
                return self._plain(body)
            case ["POST", "v1", "files"]:
                return self._pending_file(body)
            case ["GET", "v1", "files", file_id] if file_id in self.stub.files:
                return self._file(file_id)
            case ["GET" | "HEAD", "v1", "files", file_id, "content"] if file_id in self.stub.files:
                return 302, self.stub.link(self.stub.files[file_id]["_blobs"][0], {})
            case ["GET", "v1", "files", file_id, "url"] if file_id in self.stub.files:
                return 200, self.stub.link(self.stub.files[file_id]["_blobs"][0], {})
            case ["GET", "v1", "files", file_id, "parts"] if file_id in self.stub.files:
                return self._parts(self.stub.files[file_id])
            case ["DELETE", "v1", "files", file_id] if self.stub.files.pop(file_id, None):
                return 200, {"id": file_id, "object": "file", "deleted": True}
            case ["POST", "v1", "uploads", *rest]:
                return self._uploads(rest, body)
        return error(404, None, "unknown_url")

    def _refused(self) -> tuple[int, str] | None:
        # Amazon S3: "Only one auth mechanism allowed".
        if self.headers.get("Authorization") or self.headers.get("Cookie"):
            return 400, "<Error><Code>InvalidArgument</Code></Error>"
        return None

    def _put(self, name: str, size: int, aside: str) -> tuple[int, str]:
        if refused := self._refused():
            return refused
        file_id, is_part, _ = name.partition(".")
        once = self.headers.get("If-None-Match") == "*"
        if once == bool(is_part) or size != self.stub.put_sizes.get(name):
            return 403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"
        if is_part and self.stub.files.get(file_id, {}).get("status") != "pending":
            return 404, "<Error><Code>NoSuchUpload</Code></Error>"
        if once and (self.stub.folder / name).exists():
            return 412, "<Error><Code>PreconditionFailed</Code></Error>"
        (self.stub.folder / aside).rename(self.stub.folder / name)
        return 200, ""

    def _plain(self, body: bytes) -> tuple[int, Any]:
        if len(body) > 4_600_000:
            return error(413, "file", "file_too_large")
        asked = {"bytes": len(body), "filename": "plain", "purpose": "user_data"}
        return 200, public(self.stub.add_file(asked, "processed", []))

    def _pending_file(self, asked: dict[str, Any]) -> tuple[int, Any]:
        if asked["purpose"] == "none":
            return error(400, "purpose", "invalid_value")
        key = self.headers.get("Idempotency-Key", "")
        if key in self.stub.made:
            told, answer = self.stub.made[key]
            reused = error(400, "Idempotency-Key", "idempotency_key_reused")
            return (200, answer) if told == asked else reused
        file = self.stub.add_file(asked, "pending", [])
        if "part_size" in asked:
            upload = self.stub.add_parts(file, asked["part_size"])
        else:
            file["_blobs"] = [file["id"]]
            upload = self.stub.presigned(file["id"], asked["bytes"])
        answer = public(file) | {"upload": upload}
        if key:
            self.stub.made[key] = asked, answer
        return 200, answer

    def _file(self, file_id: str) -> tuple[int, Any]:
        file = self.stub.files[file_id]
        there = all((self.stub.folder / name).exists() for name in file["_blobs"])
        if there and file["_polls"] == 0:
            file["status"] = self.stub.ends_as
        file["_polls"] -= there
        return 200, public(file)

    def _parts(self, file: dict[str, Any]) -> tuple[int, Any]:
        if file["status"] != "pending" or "." not in file["_blobs"][0]:
            return error(400, "id", "invalid_value")
        query = parse_qs(urlsplit(self.path).query)
        return 200, self.stub.parts(file, int(query["after"][0]), int(query["limit"][0]))

    def _uploads(self, path: list[str], asked: Any) -> tuple[int, Any]:
        if not path:
            upload = asked | {"id": f"upload-{uuid.uuid4()}", "object": "upload"}
            upload |= {"created_at": 1, "expires_at": 2, "status": "pending", "_parts": {}}
            self.stub.uploads[upload["id"]] = upload
            return 200, public(upload)
        upload = self.stub.uploads[path[0]]
        if path[1] == "parts":
            return 200, self._part(upload, asked)
        if path[1] == "cancel":
            upload["status"] = "cancelled"
        elif self._adds_up(upload, asked["part_ids"]):
            upload["status"] = "completed"
            file = self.stub.add_file(upload, "uploaded", asked["part_ids"])
            upload["file"] = public(file)
        else:
            return error(400, "part_ids", "invalid_value")
        return 200, public(upload)

    def _part(self, upload: dict[str, Any], asked: Any) -> dict[str, Any]:
        part_id = f"part-{uuid.uuid4()}"
        part = {"id": part_id, "object": "upload.part", "created_at": 1, "upload_id": upload["id"]}
        if not isinstance(asked, bytes):
            upload["_parts"][part_id] = asked["bytes"]
            return part | {"upload": self.stub.presigned(part_id, asked["bytes"])}
        content = asked.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        (self.stub.folder / part_id).write_bytes(content)
        upload["_parts"][part_id] = len(content)
        return part

    def _adds_up(self, upload: dict[str, Any], part_ids: list[str]) -> bool:
        there = all((self.stub.folder / part_id).exists() for part_id in part_ids)
        sizes = sum(upload["_parts"][part_id] for part_id in part_ids)
        return there and sizes == upload["bytes"] and upload["status"] == "pending"


@contextmanager
def running(folder: Path) -> Iterator[Stub]:
    stub = Stub(folder)
    handler = type("StubHandler", (Handler,), {"stub": stub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        stub.base_url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            stub.ended.set()
            server.shutdown()
            thread.join()
