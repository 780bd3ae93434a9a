"""What every `Blobs` promises, in memory as on S3."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from files_api import composition
from files_api.blobs import S3Blobs
from files_api.model import Link
from files_api.ports import Blobs
from tests.integration.samples import FILES_BUCKET
from tests.moto_stack import Stack
from tests.unit.memory import MemoryBlobs
from tests.unit.samples import NOW, Clock

KEY = "files/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c01"
SHA256 = hashlib.sha256(b"abc").hexdigest()

type Upload = Callable[[Link, bytes], bool]


@pytest.fixture(params=["memory", "s3"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs(Clock())
    blobs: Blobs = request.getfixturevalue("s3_blobs")
    return blobs


@pytest.fixture
def s3_blobs(stack: Stack) -> S3Blobs:
    """S3, by a client such as the functions'."""
    return S3Blobs(composition._s3(), FILES_BUCKET, Clock(NOW + 0.9))


@pytest.fixture
def upload(blobs: Blobs) -> Upload:
    """PUTs bytes to a link; whether it took them."""
    if isinstance(blobs, MemoryBlobs):
        return blobs.upload

    def put(link: Link, content: bytes) -> bool:
        return requests.put(link.url, content, headers=link.headers, timeout=1).ok

    return put


@pytest.mark.parametrize(
    "content", [b"a", bytes(range(256)) * 5000, b"\r\n", b"\x00", b"\xef\xbb\xbf\xff"]
)
def test_bytes_are_read_as_they_were_written(blobs: Blobs, content: bytes) -> None:
    blobs.put(KEY, content)

    assert blobs.get(KEY) == content
    assert blobs.size(KEY) == len(content)


def test_bytes_that_nobody_wrote_are_none(blobs: Blobs) -> None:
    assert blobs.get(KEY) is None
    assert blobs.size(KEY) is None


def test_the_bytes_of_keys_are_apart(blobs: Blobs) -> None:
    other = KEY.replace("acme", "globex")
    blobs.put(KEY, b"ours")
    blobs.put(other, b"not ours")

    blobs.delete(other)

    assert (blobs.get(KEY), blobs.size(KEY)) == (b"ours", 4)
    assert (blobs.get(other), blobs.size(other)) == (None, None)


def test_bytes_can_be_deleted_more_than_once(blobs: Blobs) -> None:
    blobs.put(KEY, b"gone")

    blobs.delete(KEY)
    blobs.delete(KEY)

    assert blobs.get(KEY) is None


@pytest.mark.parametrize("sha256", [None, SHA256, SHA256.upper()])
def test_a_link_takes_its_bytes_once_and_nothing_is_there_before(
    blobs: Blobs, upload: Upload, sha256: str | None
) -> None:
    link = blobs.put_link(KEY, 3, sha256, 900)

    assert link.expires_at == NOW + 900
    assert blobs.size(KEY) is None
    assert upload(link, b"abc")
    assert not upload(link, b"abc")
    assert (blobs.size(KEY), blobs.get(KEY)) == (3, b"abc")


def test_a_link_gives_bytes_until_it_expires(blobs: Blobs) -> None:
    link = blobs.get_link(KEY, "notes.txt", 77)

    assert (link.expires_at, link.headers) == (NOW + 77, {})


# --- S3 -------------------------------------------------------------------------------------------


def test_an_object_is_of_no_type_a_browser_renders(stack: Stack) -> None:
    S3Blobs(stack.s3, FILES_BUCKET).put(KEY, b"<html>")

    stored = stack.s3.get_object(Bucket=FILES_BUCKET, Key=KEY)
    assert stored["ContentType"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("sha256", "headers"),
    [
        (None, {}),
        (SHA256, {"x-amz-checksum-sha256": b64encode(bytes.fromhex(SHA256)).decode()}),
    ],
)
def test_a_link_to_put_to_is_signed_for_all_that_was_promised(
    s3_blobs: S3Blobs, sha256: str | None, headers: dict[str, str]
) -> None:
    link = s3_blobs.put_link(KEY, 3, sha256, 900)

    url, query = urlsplit(link.url), parse_qs(urlsplit(link.url).query)
    assert (url.scheme, url.hostname, url.path) == (
        "https",
        f"{FILES_BUCKET}.s3.amazonaws.com",
        f"/{KEY}",
    )
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["900"]
    assert query["X-Amz-SignedHeaders"] == [
        ";".join(sorted(["content-length", "content-type", "host", "if-none-match", *headers]))
    ]
    assert link.headers == headers | {
        "Content-Type": "application/octet-stream",
        "If-None-Match": "*",
    }
    assert link.expires_at == NOW + 900


def test_a_link_to_get_from_offers_a_download_of_the_files_name_and_of_no_type_of_its_own(
    stack: Stack, s3_blobs: S3Blobs
) -> None:
    stack.s3.put_object(Bucket=FILES_BUCKET, Key=KEY, Body=b"<html>", ContentType="text/html")

    link = s3_blobs.get_link(KEY, 'Fête "日本" 🎉.png', 60)

    query = parse_qs(urlsplit(link.url).query)
    assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == (["60"], ["host"])
    answer = requests.get(link.url, timeout=1)
    assert (answer.status_code, answer.content) == (200, b"<html>")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="F_te ____ _.png"; '
        "filename*=UTF-8''F%C3%AAte%20%22%E6%97%A5%E6%9C%AC%22%20%F0%9F%8E%89.png"
    )


def test_a_bucket_that_cannot_be_asked_is_no_missing_object(stack: Stack) -> None:
    forbidden = S3Blobs(stack.s3, FILES_BUCKET)
    stack.s3.meta.events.register("before-send.s3", _forbid)

    with pytest.raises(ClientError, match="403"):
        forbidden.size(KEY)


def _forbid(**_: object) -> Any:
    return AWSResponse("https://s3.test/", 403, HTTPHeaders(), _Nothing())


class _Nothing:
    """The body of an answer to a HEAD."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield b""
