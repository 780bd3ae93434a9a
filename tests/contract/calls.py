"""Calls that several modules make, and what an error says."""

import hashlib
import random
from pathlib import Path
from typing import Any

import httpx2
from openai import OpenAI

MIB = 1024**2
CONTENT = b"twenty bytes of text"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PROMISE = {"filename": "a.bin", "purpose": "user_data", "bytes": len(CONTENT)}
OTHER_ID = "01926b5e-0000-7000-8000-000000000000"

type Json = dict[str, Any]


def error(answer: httpx2.Response) -> tuple[int, Any, Any, Any]:
    """Status, type, param and code of an error; its message is judged apart."""
    found = answer.json()["error"]
    return answer.status_code, found["type"], found["param"], found["code"]


def invalid(param: str) -> tuple[int, str, str, str]:
    return 400, "invalid_request_error", param, "invalid_value"


def random_file(path: Path, size: int) -> str:
    """Writes a file of which no two blocks are alike; returns its SHA-256."""
    digest = hashlib.sha256()
    block = random.Random(size).randbytes(MIB)
    with path.open("wb") as target:
        for number in range(-(-size // MIB)):
            content = (number.to_bytes(8) + block)[: min(MIB, size - number * MIB)]
            digest.update(content)
            target.write(content)
    return digest.hexdigest()


def sha256_of(client: OpenAI, file_id: str) -> str:
    """The SHA-256 of a file's content, as the SDK streams it."""
    digest = hashlib.sha256()
    with client.files.with_streaming_response.content(file_id) as answer:
        for chunk in answer.iter_bytes(MIB):
            digest.update(chunk)
    return digest.hexdigest()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


# --- direct uploads -----------------------------------------------------------------------------


def promise(http: httpx2.Client, **fields: object) -> Json:
    """A file, pending, with the URL that takes its bytes."""
    return _answered(http.post("/files", json=PROMISE | fields))


def put(store: httpx2.Client, promised: Json, content: Any = CONTENT) -> int:
    """Sends the bytes of a file, or of a part, as its promise says; returns the status."""
    link = promised["upload"]
    return store.request(
        link["method"], link["url"], content=content, headers=link["headers"]
    ).status_code


def uploaded(http: httpx2.Client, store: httpx2.Client, **fields: object) -> str:
    """The id of a file that came by direct upload, and that nobody has asked for yet."""
    file = promise(http, **fields)
    assert put(store, file) == 200
    return str(file["id"])


def public(file: Json) -> Json:
    """The File object in the answer to a promise, as it is once its bytes are there."""
    return {name: file[name] for name in file if name != "upload"} | {"status": "processed"}


# --- uploads in parts ---------------------------------------------------------------------------


def open_upload(http: httpx2.Client, size: int, **fields: object) -> str:
    """The id of an upload."""
    asked = {"filename": "é 日本.bin", "purpose": "user_data", "mime_type": "text/plain"}
    return str(_answered(http.post("/uploads", json=asked | {"bytes": size} | fields))["id"])


def send_part(http: httpx2.Client, upload_id: str, content: bytes) -> str:
    """Sends a part through the API; returns its id."""
    form = {"data": ("blob", content)}
    return str(_answered(http.post(f"/uploads/{upload_id}/parts", files=form))["id"])


def promise_part(http: httpx2.Client, upload_id: str, size: int, sha256: str | None = None) -> Json:
    """A part with the URL that takes its bytes."""
    asked = {"bytes": size} | ({"sha256": sha256} if sha256 else {})
    return _answered(http.post(f"/uploads/{upload_id}/parts", json=asked))


def put_part(
    http: httpx2.Client,
    store: httpx2.Client,
    upload_id: str,
    content: bytes,
    sha256: str | None = None,
) -> str:
    """Sends a part by presigned URL; returns its id."""
    part = promise_part(http, upload_id, len(content), sha256)
    assert put(store, part, content) == 200
    return str(part["id"])


def complete(http: httpx2.Client, upload_id: str, ids: list[str], **more: str) -> httpx2.Response:
    return http.post(f"/uploads/{upload_id}/complete", json={"part_ids": ids, **more})


def _answered(answer: httpx2.Response) -> Json:
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


# --- presigned URLs, tampered with --------------------------------------------------------------


def swapped(url: str, old: str, new: str) -> str:
    """The URL with something else in one place of it."""
    assert url.count(old) == 1, url
    return url.replace(old, new)


def forged(url: str) -> str:
    """The URL with one digit of its signature changed."""
    return url[:-1] + ("0" if url[-1] != "0" else "1")
