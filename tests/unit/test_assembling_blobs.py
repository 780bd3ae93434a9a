"""What every `Blobs` promises of several: their sizes, their MD5, one made of them."""

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from files_api import composition
from files_api.blobs import S3Blobs
from files_api.ports import Blobs
from files_api.segments import MIN_PART_BYTES, Piece, plan
from tests.integration.samples import FILES_BUCKET
from tests.moto_stack import Stack
from tests.unit.memory import MemoryBlobs
from tests.unit.samples import Clock

KEY = "files/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c01"
FOREVER = float("inf")
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

    assert blobs.assemble(KEY, plan(parts), FOREVER)

    assert blobs.get(KEY) == b"".join(contents)
    assert blobs.sizes(PARTS) == dict(parts)


def test_what_is_there_already_is_assembled_anew(blobs: Blobs) -> None:
    parts = stored(blobs, b"abc")
    blobs.put(KEY, b"half")

    blobs.assemble(KEY, plan(parts), FOREVER)

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
    s3_blobs.assemble(KEY, plan(stored(s3_blobs, b"<html>")), FOREVER)

    found = stack.s3.head_object(Bucket=FILES_BUCKET, Key=KEY)
    assert found["ContentType"] == "application/octet-stream"
    assert unfinished(stack) == []


def test_an_assembly_of_parts_that_are_gone_fails(s3_blobs: S3Blobs) -> None:
    parts = stored(s3_blobs, b"a" * MIN_PART_BYTES, b"b")
    for key, _ in parts:
        s3_blobs.delete(key)

        with pytest.raises(ClientError, match=r"NoSuchKey|404"):
            s3_blobs.assemble(KEY, plan(parts), FOREVER)

        assert s3_blobs.get(KEY) is None
        s3_blobs.put(key, b"a" * MIN_PART_BYTES)


def test_segments_that_s3_does_not_take_change_nothing(s3_blobs: S3Blobs) -> None:
    parts = stored(s3_blobs, b"abc", b"def")
    s3_blobs.put(KEY, b"what was there before")

    with pytest.raises(ClientError, match="EntityTooSmall"):
        s3_blobs.assemble(KEY, [[Piece(key, 0, size)] for key, size in parts], FOREVER)

    assert s3_blobs.get(KEY) == b"what was there before"


def made(s3_blobs: S3Blobs) -> list[int]:
    """The numbers of the parts that S3 is told to make from now on."""
    numbers: list[int] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        if model.name in ("UploadPart", "UploadPartCopy"):
            numbers.append(params["PartNumber"])

    s3_blobs._client.meta.events.register("provide-client-params.s3", note)
    return numbers


FOUR = (b"a" * MIN_PART_BYTES, b"b" * 9, b"c" * MIN_PART_BYTES, b"d" * MIN_PART_BYTES)  # 3 segments


def test_an_assembly_goes_on_where_the_last_one_broke_off(s3_blobs: S3Blobs, stack: Stack) -> None:
    parts = stored(s3_blobs, *FOUR)
    last, _ = parts[-1]
    s3_blobs.delete(last)
    with pytest.raises(ClientError, match=r"NoSuchKey|404"):
        s3_blobs.assemble(KEY, plan(parts), FOREVER)
    s3_blobs.put(last, FOUR[-1])
    numbers = made(s3_blobs)

    assert s3_blobs.assemble(KEY, plan(parts), FOREVER, again=True)

    assert numbers == [3]
    assert s3_blobs.get(KEY) == b"".join(FOUR)
    assert unfinished(stack) == []


def test_an_assembly_whose_time_is_up_begins_nothing_more(stack: Stack) -> None:
    times = iter([0, 1, 10])  # asked before each of three segments
    blobs = S3Blobs(composition._s3(), FILES_BUCKET, clock=lambda: next(times))
    parts = stored(blobs, *FOUR)
    numbers = made(blobs)

    assert not blobs.assemble(KEY, plan(parts), 10)

    assert blobs.get(KEY) is None
    assert len(numbers) == 2
    blobs._clock = lambda: 0
    assert blobs.assemble(KEY, plan(parts), 10, again=True)
    assert sorted(numbers) == [1, 2, 3]
    assert blobs.get(KEY) == b"".join(FOUR)
    assert unfinished(stack) == []


def test_what_is_not_of_these_segments_is_not_gone_on_with(s3_blobs: S3Blobs, stack: Stack) -> None:
    other = stored(s3_blobs, *FOUR[:1])
    begun = s3_blobs._begin(KEY)
    s3_blobs._segment(begun, 1, [Piece(other[0][0], 0, MIN_PART_BYTES)])
    s3_blobs._segment(begun, 2, [Piece(other[0][0], 0, 7)])
    parts = stored(s3_blobs, *FOUR)
    numbers = made(s3_blobs)

    assert s3_blobs.assemble(KEY, plan(parts), FOREVER, again=True)

    assert sorted(numbers) == [1, 2, 3]
    assert s3_blobs.get(KEY) == b"".join(FOUR)
    assert unfinished(stack) == []


def test_an_assembly_that_came_to_its_end_unheard_is_not_done_again(
    s3_blobs: S3Blobs, stack: Stack
) -> None:
    parts = stored(s3_blobs, *FOUR)
    assert s3_blobs.assemble(KEY, plan(parts), FOREVER)
    numbers = made(s3_blobs)

    assert s3_blobs.assemble(KEY, plan(parts), FOREVER, again=True)

    assert numbers == []
    assert s3_blobs.get(KEY) == b"".join(FOUR)
    assert unfinished(stack) == []


def test_what_is_abandoned_leaves_nothing(s3_blobs: S3Blobs, stack: Stack) -> None:
    other = KEY.replace("9c01", "9c09")
    for key in (KEY, KEY, other):
        s3_blobs._begin(key)

    for _ in range(2):
        s3_blobs.abandon(KEY)

        assert [each["Key"] for each in unfinished(stack)] == [other]


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
    s3_blobs.assemble(KEY, plan(parts), FOREVER)

    keys = [key for key, _ in parts]
    assert copied == [f"bytes=0-{2 * MIN_PART_BYTES - 1}"]
    assert sorted(read, key=lambda each: keys.index(each[0])) == [
        (keys[1], "bytes=0-999"),
        (keys[2], f"bytes=0-{MIN_PART_BYTES + 8}"),
        (keys[3], "bytes=0-0"),
    ]
