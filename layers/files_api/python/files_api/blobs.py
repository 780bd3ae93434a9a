"""Files' bytes in S3: one object a file (`model.blob_key`)."""

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from files_api.filenames import content_disposition
from files_api.model import Link
from files_api.segments import Piece, Segment, is_copy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1024**2
_AT_A_TIME = 10  # requests to S3; botocore keeps as many connections
CONTENT_TYPE = "application/octet-stream"


class S3Blobs:
    """`ports.Blobs` on one bucket.

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
        self._clock = clock

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=key, Body=content, ContentType=CONTENT_TYPE
        )

    def get(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        return answer["Body"].read()

    def size(self, key: str) -> int | None:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
        except ClientError as error:
            # The answer to a HEAD has no body, and so no code but the status.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return None
            raise

    def sizes(self, prefix: str) -> dict[str, int]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])}

    def md5(self, keys: list[str]) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for key in keys:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def assemble(
        self, key: str, segments: list[Segment], until: float, *, again: bool = False
    ) -> bool:
        target, tags = self._begun(key, segments) if again else (self._begin(key), {})
        if target is None:
            return True
        missing = [number for number in range(1, len(segments) + 1) if number not in tags]

        def make(number: int) -> None:
            if self._clock() < until:
                tags[number] = self._segment(target, number, segments[number - 1])

        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            for _ in pool.map(make, missing):
                pass  # but raise what was raised there
        if len(tags) < len(segments):
            return False
        parts: Any = [{"PartNumber": number, "ETag": tags[number]} for number in sorted(tags)]
        self._client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
        return True

    def abandon(self, key: str) -> None:
        for target in self._unfinished(key):
            self._client.abort_multipart_upload(**target)

    def _begin(self, key: str) -> Any:
        """A new multipart upload, as what all calls on it name."""
        begun = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=CONTENT_TYPE
        )
        return {"Bucket": self._bucket, "Key": key, "UploadId": begun["UploadId"]}

    def _begun(self, key: str, segments: list[Segment]) -> tuple[Any, dict[int, str]]:
        """A multipart upload of these segments, and the ETags of those that it has already.

        None for the first where an earlier try has come to its end, and was not heard of.
        """
        sizes = {number: sum(map(len, segment)) for number, segment in enumerate(segments, 1)}
        for target in self._unfinished(key):
            pages = self._client.get_paginator("list_parts").paginate(**target)
            parts = [part for page in pages for part in page.get("Parts", [])]
            if all(sizes.get(part["PartNumber"]) == part["Size"] for part in parts):
                return target, {part["PartNumber"]: part["ETag"] for part in parts}
            self._client.abort_multipart_upload(**target)
        if self.size(key) == sum(sizes.values()):
            return None, {}
        return self._begin(key), {}

    def _unfinished(self, key: str) -> list[Any]:
        """The multipart uploads to a key that were begun and neither completed nor aborted."""
        found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
        return [
            {"Bucket": self._bucket, "Key": key, "UploadId": each["UploadId"]}
            for each in found.get("Uploads", [])
        ]

    def _segment(self, target: Any, number: int, segment: Segment) -> str:
        """Makes one part of a multipart upload; returns its ETag."""
        if is_copy(segment):
            (piece,) = segment
            copied = self._client.upload_part_copy(
                **target,
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
        return self._client.upload_part(**target, PartNumber=number, Body=body)["ETag"]

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def put_link(self, key: str, size: int, sha256: str | None, lifetime: int) -> Link:
        # Whatever is signed here, S3 demands: the length, the type, that nothing is there yet
        # (Amazon S3, "How to prevent object overwrites with conditional writes"), the checksum.
        asked: dict[str, Any] = {
            "ContentLength": size,
            "ContentType": CONTENT_TYPE,
            "IfNoneMatch": "*",
        }
        headers = {"Content-Type": CONTENT_TYPE, "If-None-Match": "*"}
        if sha256 is not None:
            asked["ChecksumSHA256"] = b64encode(bytes.fromhex(sha256)).decode()
            headers["x-amz-checksum-sha256"] = asked["ChecksumSHA256"]
        return self._link("put_object", key, asked, lifetime, headers)

    def get_link(self, key: str, filename: str, lifetime: int) -> Link:
        asked = {
            "ResponseContentType": CONTENT_TYPE,
            "ResponseContentDisposition": content_disposition(filename),
        }
        return self._link("get_object", key, asked, lifetime, {})

    def _link(
        self,
        operation: str,
        key: str,
        asked: dict[str, Any],
        lifetime: int,
        headers: dict[str, str],
    ) -> Link:
        url = self._client.generate_presigned_url(
            operation,
            Params={"Bucket": self._bucket, "Key": key, **asked},
            ExpiresIn=lifetime,
        )
        return Link(url, int(self._clock()) + lifetime, headers)


def _range(piece: Piece) -> str:
    return f"bytes={piece.start}-{piece.end - 1}"
