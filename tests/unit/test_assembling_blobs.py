"""What every `Blobs` promises of several: their sizes, their MD5, one made of them."""

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from files_api import composition
from files_api.assembly import MIN_PART_BYTES, Piece, plan
from files_api.blobs import S3Blobs
from files_api.ports import Blobs
from tests.integration.samples import FILES_BUCKET
from tests.moto_stack import Stack
from tests.unit.memory import MemoryBlobs
from tests.unit.samples import Clock

KEY = "files/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c01"
PARTS = "parts/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c02/"


@pytest.fixture
def s3_blobs(stack: Stack) -> S3Blobs:
    """S3, by a client such as the functions'."""
    return S3Blobs(composition._s3(), FILES_BUCKET)


@pytest.fixture(params=["memory", "s3"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs(Clock())
    blobs: Blobs = request.getfixturevalue("s3_blobs")
    return blobs


def stored(blobs: Blobs, *contents: bytes) -> list[tuple[str, int]]:
    """Key and size of parts, the contents in this order, their keys in another."""
    parts = [(f"{PARTS}{-n % 100:02}", content) for n, content in enumerate(contents)]
    for key, content in parts:
        blobs.put(key, content)
    return [(key, len(content)) for key, content in parts]


def test_sizes_are_those_under_the_prefix(blobs: Blobs) -> None:
    parts = stored(blobs, b"abc", b"", b"de")
    blobs.put(PARTS[:-1], b"no part")
    blobs.put(PARTS.replace("acme", "globex") + "00", b"another's")

    assert blobs.sizes(PARTS) == dict(parts)
    assert blobs.sizes(PARTS + "none") == {}


def test_the_md5_is_that_of_the_bytes_one_after_another(blobs: Blobs) -> None:
    contents = [b"abc", b"x" * (2 * 1024**2 + 1), b"d"]
    keys = [key for key, _ in stored(blobs, *contents)]

    for order in ([0, 1, 2], [2, 0], [1], []):
        content = b"".join(contents[n] for n in order)
        found = blobs.md5([keys[n] for n in order])
        assert found == hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "sizes",
    [
        (1,),
        (MIN_PART_BYTES,),
        (1, 2, 3),
        (MIN_PART_BYTES, 1),
        (MIN_PART_BYTES - 1, MIN_PART_BYTES + 1, 7),
        (7, 2 * MIN_PART_BYTES + 3, MIN_PART_BYTES, 9, 2),
    ],
    ids=str,
)
def test_segments_become_one_whole_in_their_order(blobs: Blobs, sizes: tuple[int, ...]) -> None:
    contents = [bytes([65 + n]) * size for n, size in enumerate(sizes)]
    parts = stored(blobs, *contents)

    blobs.assemble(KEY, plan(parts))

    assert blobs.get(KEY) == b"".join(contents)
    assert blobs.sizes(PARTS) == dict(parts)


def test_what_is_there_already_is_assembled_anew(blobs: Blobs) -> None:
    parts = stored(blobs, b"abc")
    blobs.put(KEY, b"half")

    blobs.assemble(KEY, plan(parts))

    assert blobs.get(KEY) == b"abc"


# --- S3 -------------------------------------------------------------------------------------------


def unfinished(stack: Stack) -> list[Any]:
    """The multipart uploads that were begun and neither completed nor aborted."""
    return list(stack.s3.list_multipart_uploads(Bucket=FILES_BUCKET).get("Uploads", []))


def test_sizes_go_beyond_what_s3_lists_at_once(s3_blobs: S3Blobs) -> None:
    parts = stored(s3_blobs, b"a", b"bc", b"def", b"g", b"hi")

    def two_each(params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = 2

    s3_blobs._client.meta.events.register("provide-client-params.s3.ListObjectsV2", two_each)

    assert s3_blobs.sizes(PARTS) == dict(parts)


def test_what_is_assembled_is_of_no_type_a_browser_renders(s3_blobs: S3Blobs, stack: Stack) -> None:
    s3_blobs.assemble(KEY, plan(stored(s3_blobs, b"<html>")))

    found = stack.s3.head_object(Bucket=FILES_BUCKET, Key=KEY)
    assert found["ContentType"] == "application/octet-stream"
    assert unfinished(stack) == []


def test_an_assembly_of_parts_that_are_gone_fails_and_leaves_nothing(
    s3_blobs: S3Blobs, stack: Stack
) -> None:
    parts = stored(s3_blobs, b"a" * MIN_PART_BYTES, b"b")
    for key, _ in parts:
        s3_blobs.delete(key)

        with pytest.raises(ClientError, match=r"NoSuchKey|404"):
            s3_blobs.assemble(KEY, plan(parts))

        assert s3_blobs.get(KEY) is None
        assert unfinished(stack) == []
        s3_blobs.put(key, b"a" * MIN_PART_BYTES)


def test_segments_that_s3_does_not_take_leave_nothing(s3_blobs: S3Blobs, stack: Stack) -> None:
    parts = stored(s3_blobs, b"abc", b"def")
    s3_blobs.put(KEY, b"what was there before")

    with pytest.raises(ClientError, match="EntityTooSmall"):
        s3_blobs.assemble(KEY, [[Piece(key, 0, size)] for key, size in parts])

    assert s3_blobs.get(KEY) == b"what was there before"
    assert unfinished(stack) == []


def test_only_what_is_merged_comes_through(s3_blobs: S3Blobs) -> None:
    contents = [b"a" * (2 * MIN_PART_BYTES), b"b" * 1000, b"c" * (MIN_PART_BYTES + 9), b"d"]
    parts = stored(s3_blobs, *contents)
    read: list[tuple[str, str]] = []
    copied: list[str] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        if model.name == "GetObject":
            read.append((params["Key"], params["Range"]))
        if model.name == "UploadPartCopy":
            copied.append(params["CopySourceRange"])

    s3_blobs._client.meta.events.register("provide-client-params.s3", note)
    s3_blobs.assemble(KEY, plan(parts))

    keys = [key for key, _ in parts]
    assert copied == [f"bytes=0-{2 * MIN_PART_BYTES - 1}"]
    assert sorted(read, key=lambda each: keys.index(each[0])) == [
        (keys[1], "bytes=0-999"),
        (keys[2], f"bytes=0-{MIN_PART_BYTES + 8}"),
        (keys[3], "bytes=0-0"),
    ]
