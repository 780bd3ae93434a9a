"""What every `Blobs` promises, in memory as on S3."""

import pytest

from files_api.blobs import S3Blobs
from files_api.ports import Blobs
from tests.integration.samples import FILES_BUCKET
from tests.moto_stack import Stack
from tests.unit.memory import MemoryBlobs
from tests.unit.samples import a_file

FILE_ID = a_file().id


@pytest.fixture(params=["memory", "s3"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs()
    return S3Blobs(request.getfixturevalue("stack").s3, FILES_BUCKET)


@pytest.mark.parametrize(
    "content", [b"a", bytes(range(256)) * 5000, b"\r\n", b"\x00", b"\xef\xbb\xbf\xff"]
)
def test_bytes_are_read_as_they_were_written(blobs: Blobs, content: bytes) -> None:
    blobs.put("acme", FILE_ID, content)

    assert blobs.get("acme", FILE_ID) == content


def test_bytes_that_nobody_wrote_are_none(blobs: Blobs) -> None:
    assert blobs.get("acme", FILE_ID) is None


def test_the_bytes_of_projects_are_apart(blobs: Blobs) -> None:
    blobs.put("acme", FILE_ID, b"ours")
    blobs.put("globex", FILE_ID, b"theirs")

    blobs.delete("globex", FILE_ID)

    assert blobs.get("acme", FILE_ID) == b"ours"
    assert blobs.get("globex", FILE_ID) is None


def test_bytes_can_be_deleted_more_than_once(blobs: Blobs) -> None:
    blobs.put("acme", FILE_ID, b"gone")

    blobs.delete("acme", FILE_ID)
    blobs.delete("acme", FILE_ID)

    assert blobs.get("acme", FILE_ID) is None


def test_an_object_is_where_the_functions_roles_allow_and_of_no_type_a_browser_renders(
    stack: Stack,
) -> None:
    S3Blobs(stack.s3, FILES_BUCKET).put("acme", FILE_ID, b"<html>")

    stored = stack.s3.get_object(Bucket=FILES_BUCKET, Key=f"files/acme/{FILE_ID}")
    assert stored["ContentType"] == "application/octet-stream"
