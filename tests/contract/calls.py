"""What several modules send and expect."""

import hashlib
import random
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
from openai import OpenAI

MIB = 1024**2
CONTENT = b"twenty bytes of text"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NEW_FILE = {"filename": "a.bin", "purpose": "user_data", "bytes": len(CONTENT)}
NEW_UPLOAD = {"filename": "a", "purpose": "batch", "bytes": 3, "mime_type": "a/b"}
DAY = 86_400
NAMES = (  # sent and kept as they are
    "report.pdf",
    "résumé.pdf",
    "日本語のファイル.txt",
    "👩‍🚀 notes.md",
    'say "hi".txt',
    "100%.txt",
    "a;b=c&d?#+.txt",
)
OTHER_ID = "01926b5e-0000-7000-8000-000000000000"

type Json = dict[str, Any]


def error(answer: httpx2.Response) -> tuple[int, Any, Any, Any]:
    """Status, type, param and code of an error; other assertions check its message."""
    found = answer.json()["error"]
    return answer.status_code, found["type"], found["param"], found["code"]


def invalid(param: str) -> tuple[int, str, str, str]:
    return 400, "invalid_request_error", param, "invalid_value"


def random_file(path: Path, size: int) -> str:
    """Writes a file with no two equal blocks; returns its SHA-256."""
    digest = hashlib.sha256()
    block = random.Random(size).randbytes(MIB)
    with path.open("wb") as target:
        for number in range(-(-size // MIB)):
            content = (number.to_bytes(8) + block)[: min(MIB, size - number * MIB)]
            digest.update(content)
            target.write(content)
    return digest.hexdigest()


def sha256_of(client: OpenAI, file_id: str) -> str:
    """The SHA-256 of a file's content, streamed by the SDK."""
    digest = hashlib.sha256()
    with client.files.with_streaming_response.content(file_id) as answer:
        for chunk in answer.iter_bytes(MIB):
            digest.update(chunk)
    return digest.hexdigest()


def offered_name(answer: Any) -> str:
    """The filename under which a browser would save the answer."""
    header = answer.headers["content-disposition"]
    assert header.startswith("attachment; filename=")
    return unquote(header.partition("; filename*=UTF-8''")[2], errors="strict")


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def processed(file: Json) -> Json:
    """The File object of a pending file, as it is once the bytes have arrived."""
    return {name: file[name] for name in file if name != "upload"} | {"status": "processed"}


# --- manipulated URLs ---------------------------------------------------------------------------


def swapped(url: str, old: str, new: str) -> str:
    """The URL with one part of it replaced."""
    assert url.count(old) == 1, url
    return url.replace(old, new)


def forged(url: str) -> str:
    """The URL with one digit of its signature changed."""
    return url[:-1] + ("0" if url[-1] != "0" else "1")
