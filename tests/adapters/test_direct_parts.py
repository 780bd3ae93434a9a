"""The parts of direct uploads in S3: when they become a blob, and what racing calls see."""

from typing import Any

import pytest
import requests

from files_api.aws.blobs import S3Blobs
from files_api.aws.direct_parts import S3DirectParts
from files_api.service.errors import RateLimitExceeded
from tests.adapters.conftest import FILES_BUCKET, Hook
from tests.support.moto_stack import Stack
from tests.support.samples import NOW, Clock

KEY = "direct/acme/1"
FIRST, LAST = b"a" * 5 * 1024**2, b"end"
SIZES = {1: len(FIRST), 2: len(LAST)}


@pytest.fixture
def parts(s3: Any) -> S3DirectParts:
    return S3DirectParts(s3, FILES_BUCKET, Clock(NOW + 0.9))


@pytest.fixture
def begun(parts: S3DirectParts, stack: Stack) -> str:
    """A direct upload in parts, all of which have arrived."""
    multipart_id = parts.begin(KEY)
    for number, content in ((1, FIRST), (2, LAST)):
        link = parts.presign(KEY, multipart_id, number, len(content), 900)
        assert link.expires_at == NOW + 900
        assert requests.put(link.url, content, headers=link.headers, timeout=1).ok
    return multipart_id


def test_arrived_parts_become_one_blob_once(
    parts: S3DirectParts, begun: str, s3_blobs: S3Blobs, stack: Stack
) -> None:
    assert parts.sizes(KEY, begun, after=0, limit=1_000) == SIZES
    assert parts.sizes(KEY, begun, after=1, limit=1_000) == {2: len(LAST)}

    assert [parts.complete(KEY, begun, SIZES) for _ in range(2)] == [True, True]

    assert s3_blobs.get(KEY) == FIRST + LAST
    stored = stack.s3.head_object(Bucket=FILES_BUCKET, Key=KEY)
    assert stored["ContentType"] == "application/octet-stream"
    assert parts.sizes(KEY, begun, after=0, limit=1_000) == {}
    assert not parts.complete(KEY, begun, SIZES | {3: 1})  # another file of this id there is none


@pytest.mark.parametrize("sizes", [{1: 3}, {1: len(FIRST), 2: 4}, SIZES | {3: 1}])
def test_other_parts_become_nothing(
    parts: S3DirectParts, begun: str, s3_blobs: S3Blobs, sizes: dict[int, int]
) -> None:
    assert not parts.complete(KEY, begun, sizes)
    assert s3_blobs.size(KEY) is None


def test_pending_upload_costs_one_request(
    parts: S3DirectParts, s3: Any, hook: Hook, stack: Stack
) -> None:
    multipart_id = parts.begin(KEY)
    asked: list[str] = []
    hook(s3, "before-call.s3", lambda model, **_: asked.append(model.name))

    assert not parts.complete(KEY, multipart_id, SIZES)

    assert asked == ["ListParts"]


def test_aborted_upload_is_over(parts: S3DirectParts, begun: str, stack: Stack) -> None:
    for _ in range(2):
        parts.abort(KEY, begun)

    assert stack.multipart_uploads(FILES_BUCKET) == []
    assert not parts.complete(KEY, begun, SIZES)


@pytest.mark.parametrize("times", [1, 5])
def test_part_that_is_sent_again_meanwhile_is_listed_again(
    parts: S3DirectParts, begun: str, s3: Any, hook: Hook, s3_blobs: S3Blobs, times: int
) -> None:
    again = LAST.upper()
    sent: list[str] = []

    def send_again(**_: object) -> None:
        if len(sent) < times:
            content = again if len(sent) % 2 == 0 else LAST
            link = parts.presign(KEY, begun, 2, len(content), 900)
            sent.append(link.url)
            assert requests.put(link.url, content, headers=link.headers, timeout=1).ok

    hook(s3, "before-call.s3.CompleteMultipartUpload", send_again)

    if times == 1:
        assert parts.complete(KEY, begun, SIZES)
        assert s3_blobs.get(KEY) == FIRST + again
    else:
        with pytest.raises(RateLimitExceeded):
            parts.complete(KEY, begun, SIZES)
    assert len(sent) == min(times, 3)
