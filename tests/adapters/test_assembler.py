"""What every `Assembler` must do, in memory as on S3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from files_api.aws.assembler import S3Assembler
from files_api.aws.blobs import S3Blobs
from files_api.service.ports import Assembler, Blobs
from files_api.service.segments import MIN_PART_BYTES, Piece, plan
from tests.adapters.conftest import FILES_BUCKET, Hook
from tests.support.moto_stack import Stack

KEY = "files/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c01"
FOREVER = float("inf")
PARTS = "parts/acme/019e8232-6000-7a10-8d3c-5b1f6e2a9c02/"
FOUR = (b"a" * MIN_PART_BYTES, b"b" * 9, b"c" * MIN_PART_BYTES, b"d" * MIN_PART_BYTES)  # 3 segments


def stored(blobs: Blobs, *contents: bytes) -> list[tuple[str, int]]:
    """Key and size of parts, the contents in this order, their keys in another."""
    parts = [(f"{PARTS}{-n % 100:02}", content) for n, content in enumerate(contents)]
    for key, content in parts:
        blobs.put(key, content)
    return [(key, len(content)) for key, content in parts]


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
def test_segments_in_their_order_become_the_blob(
    blobs: Blobs, assembler: Assembler, sizes: tuple[int, ...]
) -> None:
    contents = [bytes([65 + n]) * size for n, size in enumerate(sizes)]
    parts = stored(blobs, *contents)
    blobs.put(KEY, b"what was there before")

    assert assembler.assemble(KEY, plan(parts), FOREVER)

    assert blobs.get(KEY) == b"".join(contents)
    assert blobs.sizes(PARTS) == dict(parts)


# --- S3 -------------------------------------------------------------------------------------------


def unfinished(stack: Stack) -> list[Any]:
    """The multipart uploads that are neither completed nor aborted."""
    return list(stack.s3.list_multipart_uploads(Bucket=FILES_BUCKET).get("Uploads", []))


def assert_assembled(blobs: Blobs, stack: Stack) -> None:
    assert blobs.get(KEY) == b"".join(FOUR)
    assert unfinished(stack) == []


@pytest.fixture
def numbers(s3: Any, hook: Hook) -> list[int]:
    """The numbers of the S3 parts that are added."""
    numbers: list[int] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        if model.name in ("UploadPart", "UploadPartCopy"):
            numbers.append(params["PartNumber"])

    hook(s3, "provide-client-params.s3", note)
    return numbers


def test_an_assembled_blob_has_a_type_no_browser_renders(
    s3_blobs: S3Blobs, s3_assembler: S3Assembler, stack: Stack
) -> None:
    assert s3_assembler.assemble(KEY, plan(stored(s3_blobs, b"<html>")), FOREVER)

    found = stack.s3.head_object(Bucket=FILES_BUCKET, Key=KEY)
    assert found["ContentType"] == "application/octet-stream"
    assert unfinished(stack) == []


@pytest.mark.parametrize("missing", [0, 1])
def test_an_assembly_of_a_missing_part_fails(
    s3_blobs: S3Blobs, s3_assembler: S3Assembler, missing: int
) -> None:
    parts = stored(s3_blobs, b"a" * MIN_PART_BYTES, b"b")
    s3_blobs.delete(parts[missing][0])

    with pytest.raises(ClientError, match=r"NoSuchKey|404"):
        s3_assembler.assemble(KEY, plan(parts), FOREVER)

    assert s3_blobs.get(KEY) is None


def test_segments_that_s3_rejects_change_nothing(
    s3_blobs: S3Blobs, s3_assembler: S3Assembler
) -> None:
    parts = stored(s3_blobs, b"abc", b"def")
    s3_blobs.put(KEY, b"what was there before")

    with pytest.raises(ClientError, match="EntityTooSmall"):
        s3_assembler.assemble(KEY, [[Piece(key, 0, size)] for key, size in parts], FOREVER)

    assert s3_blobs.get(KEY) == b"what was there before"


def test_an_assembly_resumes_where_the_last_one_stopped(
    s3_blobs: S3Blobs, s3_assembler: S3Assembler, numbers: list[int], stack: Stack
) -> None:
    parts = stored(s3_blobs, *FOUR)
    last, _ = parts[-1]
    s3_blobs.delete(last)
    with pytest.raises(ClientError, match=r"NoSuchKey|404"):
        s3_assembler.assemble(KEY, plan(parts), FOREVER)
    s3_blobs.put(last, FOUR[-1])
    numbers.clear()

    assert s3_assembler.assemble(KEY, plan(parts), FOREVER, resume=True)

    assert numbers == [3]
    assert_assembled(s3_blobs, stack)


def test_an_assembly_starts_no_request_after_its_deadline(
    s3: Any, s3_blobs: S3Blobs, s3_assembler: S3Assembler, numbers: list[int], stack: Stack
) -> None:
    times = iter([0, 1, 10])  # asked for before each of three segments
    hurried = S3Assembler(s3, FILES_BUCKET, clock=lambda: next(times))
    parts = stored(s3_blobs, *FOUR)

    assert not hurried.assemble(KEY, plan(parts), 10)

    assert s3_blobs.get(KEY) is None
    assert len(numbers) == 2
    assert s3_assembler.assemble(KEY, plan(parts), FOREVER, resume=True)
    assert sorted(numbers) == [1, 2, 3]
    assert_assembled(s3_blobs, stack)


def test_an_assembly_of_other_segments_is_not_resumed(
    s3: Any, s3_blobs: S3Blobs, s3_assembler: S3Assembler, numbers: list[int], stack: Stack
) -> None:
    upload_id = s3.create_multipart_upload(Bucket=FILES_BUCKET, Key=KEY)["UploadId"]
    for number, content in enumerate([FOUR[0], b"a" * 7], 1):
        s3.upload_part(
            Bucket=FILES_BUCKET, Key=KEY, UploadId=upload_id, PartNumber=number, Body=content
        )
    parts = stored(s3_blobs, *FOUR)
    numbers.clear()

    assert s3_assembler.assemble(KEY, plan(parts), FOREVER, resume=True)

    assert sorted(numbers) == [1, 2, 3]
    assert_assembled(s3_blobs, stack)


def test_an_assembly_that_had_succeeded_is_not_repeated(
    s3_blobs: S3Blobs, s3_assembler: S3Assembler, numbers: list[int], stack: Stack
) -> None:
    parts = stored(s3_blobs, *FOUR)
    assert s3_assembler.assemble(KEY, plan(parts), FOREVER)
    numbers.clear()

    assert s3_assembler.assemble(KEY, plan(parts), FOREVER, resume=True)

    assert numbers == []
    assert_assembled(s3_blobs, stack)


def test_an_aborted_assembly_leaves_nothing(
    s3: Any, s3_assembler: S3Assembler, stack: Stack
) -> None:
    other = KEY.replace("9c01", "9c09")
    for key in (KEY, KEY, other):
        s3.create_multipart_upload(Bucket=FILES_BUCKET, Key=key)

    for _ in range(2):
        s3_assembler.abort(KEY)

        assert [each["Key"] for each in unfinished(stack)] == [other]


def test_only_merged_bytes_pass_through_the_function(
    s3: Any, s3_blobs: S3Blobs, s3_assembler: S3Assembler, hook: Hook
) -> None:
    contents = [b"a" * (2 * MIN_PART_BYTES), b"b" * 1000, b"c" * (MIN_PART_BYTES + 9), b"d"]
    parts = stored(s3_blobs, *contents)
    read: list[tuple[str, str]] = []
    copied: list[str] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        if model.name == "GetObject":
            read.append((params["Key"], params["Range"]))
        if model.name == "UploadPartCopy":
            copied.append(params["CopySourceRange"])

    hook(s3, "provide-client-params.s3", note)
    assert s3_assembler.assemble(KEY, plan(parts), FOREVER)

    keys = [key for key, _ in parts]
    assert copied == [f"bytes=0-{2 * MIN_PART_BYTES - 1}"]
    assert sorted(read, key=lambda each: keys.index(each[0])) == [
        (keys[1], "bytes=0-999"),
        (keys[2], f"bytes=0-{MIN_PART_BYTES + 8}"),
        (keys[3], "bytes=0-0"),
    ]
