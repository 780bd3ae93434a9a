"""What every `Blobs` must do, in memory as on S3."""

import base64
import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError

from files_api.aws.blobs import S3Blobs
from files_api.service.blob_keys import FileBlob
from files_api.service.filenames import content_disposition
from files_api.service.model import PresignedUrl
from files_api.service.ports import Blobs
from tests.adapters.conftest import FILES_BUCKET, Hook
from tests.fakes.blobs import MemoryBlobs
from tests.support.moto_stack import Stack
from tests.support.samples import NOW

KEY = "files/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c01"
PARTS = "parts/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c02/"
SHA256 = hashlib.sha256(b"abc").hexdigest()

type Send = Callable[[PresignedUrl, bytes], bool]


@pytest.fixture
def send(blobs: Blobs) -> Send:
    """PUTs bytes to a presigned URL; returns whether it accepts them."""
    if isinstance(blobs, MemoryBlobs):
        return blobs.send

    def put(url: PresignedUrl, content: bytes) -> bool:
        return requests.put(url.url, content, headers=url.headers, timeout=1).ok

    return put


@pytest.mark.parametrize(
    "content", [b"a", bytes(range(256)) * 5000, b"\r\n", b"\x00", b"\xef\xbb\xbf\xff"]
)
def test_bytes_are_read_as_they_were_written(blobs: Blobs, content: bytes) -> None:
    blobs.put(KEY, content)

    assert blobs.get(KEY) == content
    assert blobs.size(KEY) == len(content)


def test_each_key_has_its_own_bytes_until_they_are_deleted(blobs: Blobs) -> None:
    other = KEY.replace("acme", "globex")
    assert (blobs.get(KEY), blobs.size(KEY)) == (None, None)
    blobs.put(KEY, b"ours")
    blobs.put(other, b"not ours")

    for _ in range(2):
        blobs.delete(other)

        assert (blobs.get(KEY), blobs.size(KEY)) == (b"ours", 4)
        assert (blobs.get(other), blobs.size(other)) == (None, None)


@pytest.mark.parametrize("sha256", [None, SHA256, SHA256.upper()])
def test_a_presigned_put_accepts_its_bytes_once(
    blobs: Blobs, send: Send, sha256: str | None
) -> None:
    url = blobs.presign_put(KEY, 3, sha256, 900)

    assert url.expires_at == NOW + 900
    assert blobs.size(KEY) is None
    assert send(url, b"abc")
    assert not send(url, b"abc")
    assert (blobs.size(KEY), blobs.get(KEY)) == (3, b"abc")


def test_a_presigned_get_has_an_expiry_and_no_headers(blobs: Blobs) -> None:
    url = blobs.presign_get(KEY, "notes.txt", 77, "text/plain")

    assert (url.expires_at, url.headers) == (NOW + 77, {})


def stored(blobs: Blobs, *contents: bytes) -> dict[str, int]:
    """Stores the parts of an upload; returns the size of each by its key."""
    parts = {f"{PARTS}{number:02}": content for number, content in enumerate(contents)}
    for key, content in parts.items():
        blobs.put(key, content)
    return {key: len(content) for key, content in parts.items()}


def test_sizes_are_those_of_the_keys_with_the_prefix(blobs: Blobs) -> None:
    parts = stored(blobs, b"abc", b"", b"de")
    blobs.put(PARTS[:-1], b"no part")
    blobs.put(PARTS.replace("acme", "globex") + "00", b"another's")

    assert blobs.sizes(PARTS) == parts
    assert blobs.sizes(PARTS + "none") == {}


def test_the_md5_is_that_of_the_blobs_in_the_given_order(blobs: Blobs) -> None:
    contents = [b"abc", b"x" * (2 * 1024**2 + 1), b"d"]
    keys = list(stored(blobs, *contents))

    for order in ([0, 1, 2], [2, 0], [1], []):
        content = b"".join(contents[n] for n in order)
        found = blobs.md5([keys[n] for n in order])
        assert found == hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_many_blobs_are_deleted_at_once(blobs: Blobs) -> None:
    for number in range(3):
        blobs.put(f"files/acme/{number}", b"abc")

    assert blobs.delete_all({"files/acme/0", "files/acme/2", "files/acme/none"}) == set()
    assert blobs.sizes("files/") == {"files/acme/1": 3}
    assert blobs.delete_all(set()) == set()


# --- S3 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_bucket_that_keeps_versions_answers_like_any_other(
    status: Literal["Enabled", "Suspended"], s3_blobs: S3Blobs, stack: Stack
) -> None:
    # Given RecoveryDays, or a return to 0, with bytes of before
    stack.s3.put_bucket_versioning(
        Bucket=FILES_BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    s3_blobs.put(PARTS + "00", b"before")
    stack.s3.put_bucket_versioning(Bucket=FILES_BUCKET, VersioningConfiguration={"Status": status})
    url = s3_blobs.presign_put(KEY, 3, None, 900)

    def accepted() -> bool:
        return requests.put(url.url, b"abc", headers=url.headers, timeout=1).ok

    for _ in range(2):
        # Then a key takes bytes once
        assert (accepted(), accepted()) == (True, False)
        assert (s3_blobs.size(KEY), s3_blobs.get(KEY)) == (3, b"abc")
        # And what is deleted is gone, and makes room
        s3_blobs.delete(KEY)
        s3_blobs.delete(PARTS + "00")
        assert (s3_blobs.size(KEY), s3_blobs.get(KEY)) == (None, None)
        assert s3_blobs.sizes("") == {}


def test_an_object_has_a_type_that_no_browser_renders(s3_blobs: S3Blobs, stack: Stack) -> None:
    s3_blobs.put(KEY, b"<html>")

    stored = stack.s3.get_object(Bucket=FILES_BUCKET, Key=KEY)
    assert stored["ContentType"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("sha256", "headers"),
    [(None, {}), (SHA256, {"x-amz-checksum-sha256": b64encode(bytes.fromhex(SHA256)).decode()})],
)
def test_a_presigned_put_signs_all_that_s3_is_to_enforce(
    s3_blobs: S3Blobs, sha256: str | None, headers: dict[str, str]
) -> None:
    presigned = s3_blobs.presign_put(KEY, 3, sha256, 900)

    url, query = urlsplit(presigned.url), parse_qs(urlsplit(presigned.url).query)
    assert (url.scheme, url.hostname, url.path) == (
        "https",
        f"{FILES_BUCKET}.s3.us-east-1.amazonaws.com",
        f"/{KEY}",
    )
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["900"]
    assert query["X-Amz-SignedHeaders"] == [
        ";".join(sorted(["content-length", "content-type", "host", "if-none-match", *headers]))
    ]
    assert presigned.headers == headers | {
        "Content-Type": "application/octet-stream",
        "If-None-Match": "*",
    }
    assert presigned.expires_at == NOW + 900


def test_a_presigned_get_is_a_download_with_the_filename(stack: Stack, s3_blobs: S3Blobs) -> None:
    stack.s3.put_object(Bucket=FILES_BUCKET, Key=KEY, Body=b"<html>", ContentType="text/html")

    url = s3_blobs.presign_get(KEY, 'Fête "日本" 🎉.png', 60).url

    query = parse_qs(urlsplit(url).query)
    assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == (["60"], ["host"])
    answer = requests.get(url, timeout=1)
    assert (answer.status_code, answer.content) == (200, b"<html>")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="F_te ____ _.png"; '
        "filename*=UTF-8''F%C3%AAte%20%22%E6%97%A5%E6%9C%AC%22%20%F0%9F%8E%89.png"
    )


def test_an_inaccessible_bucket_is_not_a_missing_object(
    s3: Any, s3_blobs: S3Blobs, hook: Hook
) -> None:
    hook(s3, "before-send.s3", _forbid)

    with pytest.raises(ClientError, match="403"):
        s3_blobs.size(KEY)


def _forbid(**_: object) -> Any:
    return AWSResponse("https://s3.test/", 403, HTTPHeaders(), _Nothing())


class _Nothing:
    """The body of an answer to a HEAD."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield b""


def test_sizes_are_read_from_every_page_of_the_listing(
    s3: Any, s3_blobs: S3Blobs, hook: Hook
) -> None:
    parts = stored(s3_blobs, b"a", b"bc", b"def", b"g", b"hi")

    def two_each(params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = 2

    hook(s3, "provide-client-params.s3.ListObjectsV2", two_each)

    assert s3_blobs.sizes(PARTS) == parts


@pytest.mark.parametrize("character", ["a", "é", "日", "🎉", '"', "%"])
def test_presigned_url_of_the_longest_name_fits_8_kilobytes(character: str) -> None:
    # Given the credentials of a role: its session token has some 1,000 characters
    token = base64.b64encode(bytes(range(256)) * 5).decode()[:1_600]
    client = boto3.client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id="A" * 20,
        aws_secret_access_key="s" * 40,
        aws_session_token=token,
        config=Config(signature_version="s3v4"),
    )
    key = FileBlob("p" * 64, "019e8232-6000-7a10-8d3c-5b1f6e2a9c01", direct=True).key

    url = S3Blobs(client, "b" * 63).presign_get(key, character * 255, 3_600).url

    # Then neither the redirect nor the download has a header that clients refuse (8,190 bytes)
    assert len(url) < 8_190
    assert len(content_disposition(character * 255)) < 8_190


def test_deletion_takes_one_request_for_a_thousand_blobs(
    s3_blobs: S3Blobs, s3: Any, hook: Hook, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    sizes = []

    def refuse_one(params: dict[str, Any], **_: object) -> None:
        sizes.append(len(params["Delete"]["Objects"]))

    def answer(parsed: dict[str, Any], **_: object) -> None:
        if len(sizes) == 1:
            parsed["Errors"] = [{"Key": "files/acme/0007", "Code": "InternalError"}]

    hook(s3, "provide-client-params.s3.DeleteObjects", refuse_one)
    hook(s3, "after-call.s3.DeleteObjects", answer)

    failed = s3_blobs.delete_all({f"files/acme/{number:04}" for number in range(2001)})

    assert sizes == [1000, 1000, 1]
    assert failed == {"files/acme/0007"}
    (line,) = logged()
    assert (line["blob_key"], line["code"]) == ("files/acme/0007", "InternalError")
