"""Makes one blob of several inside S3, by what Amazon S3 calls a multipart upload."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from files_api.aws.blobs import CONTENT_TYPE, S3Blobs
from files_api.service.segments import Piece, Segment, is_copy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PARALLEL = 10  # requests to S3; botocore keeps as many connections


@dataclass(frozen=True, slots=True)
class _MultipartUpload:
    """A multipart upload under way.

    Attributes:
        names: bucket, key and upload id, as each request names them.
        etags: of the S3 parts that it already has, by their numbers.
    """

    names: Any
    etags: dict[int, str] = field(default_factory=dict)


class S3Assembler:
    """`service.ports.Assembler` in a bucket.

    Args:
        client: an S3 client.
        bucket: the bucket's name.
        clock: Unix seconds.
    """

    def __init__(
        self, client: "S3Client", bucket: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._blobs = S3Blobs(client, bucket)
        self._clock = clock

    def assemble(
        self, key: str, segments: list[Segment], deadline: float, *, resume: bool = False
    ) -> bool:
        multipart = self._resumed(key, segments) if resume else None
        if resume and multipart is None:
            size = sum(len(piece) for segment in segments for piece in segment)
            if self._blobs.size(key) == size:  # an earlier call succeeded; its answer was lost
                return True
        return self._fill(multipart or self._create(key), segments, deadline)

    def abort(self, key: str) -> None:
        for names in self._unfinished(key):
            self._client.abort_multipart_upload(**names)

    def _fill(self, multipart: _MultipartUpload, segments: list[Segment], deadline: float) -> bool:
        """Adds the missing segments and completes; returns False if the deadline came first."""
        etags = multipart.etags
        missing = [number for number in range(1, len(segments) + 1) if number not in etags]

        def add(number: int) -> None:
            if self._clock() < deadline:
                etags[number] = self._add(multipart, number, segments[number - 1])

        with ThreadPoolExecutor(_PARALLEL) as pool:
            for _ in pool.map(add, missing):
                pass  # raises what `add` has raised
        if len(etags) < len(segments):
            return False
        parts: Any = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
        self._client.complete_multipart_upload(**multipart.names, MultipartUpload={"Parts": parts})
        return True

    def _create(self, key: str) -> _MultipartUpload:
        created = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=CONTENT_TYPE
        )
        return _MultipartUpload(self._names(key, created["UploadId"]))

    def _resumed(self, key: str, segments: list[Segment]) -> _MultipartUpload | None:
        """An unfinished multipart upload of these segments; aborts those of other segments."""
        sizes = {number: sum(map(len, segment)) for number, segment in enumerate(segments, 1)}
        for names in self._unfinished(key):
            pages = self._client.get_paginator("list_parts").paginate(**names)
            parts = [part for page in pages for part in page.get("Parts", [])]
            if all(sizes.get(part["PartNumber"]) == part["Size"] for part in parts):
                return _MultipartUpload(names, {part["PartNumber"]: part["ETag"] for part in parts})
            self._client.abort_multipart_upload(**names)
        return None

    def _unfinished(self, key: str) -> list[Any]:
        """The names of the multipart uploads to a key that are neither completed nor aborted."""
        found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
        return [self._names(key, each["UploadId"]) for each in found.get("Uploads", [])]

    def _names(self, key: str, upload_id: str) -> Any:
        return {"Bucket": self._bucket, "Key": key, "UploadId": upload_id}

    def _add(self, multipart: _MultipartUpload, number: int, segment: Segment) -> str:
        """Adds a segment as an S3 part; returns its ETag."""
        if is_copy(segment):
            (piece,) = segment
            copied = self._client.upload_part_copy(
                **multipart.names,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": piece.key},
                CopySourceRange=_range(piece),
            )
            return copied["CopyPartResult"]["ETag"]
        body = b"".join(
            self._client.get_object(Bucket=self._bucket, Key=piece.key, Range=_range(piece))[
                "Body"
            ].read()
            for piece in segment
        )
        added = self._client.upload_part(**multipart.names, PartNumber=number, Body=body)
        return added["ETag"]


def _range(piece: Piece) -> str:
    return f"bytes={piece.start}-{piece.end - 1}"
