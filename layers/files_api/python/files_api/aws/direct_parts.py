"""The parts of direct uploads: one multipart upload of S3 each, to the key of the file's blob."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from files_api.aws.blobs import CONTENT_TYPE, S3Blobs
from files_api.service.errors import RateLimitExceeded
from files_api.service.model import PresignedUrl

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PAGE = 1_000  # AWS: parts per ListParts
# A part that is sent again between two requests changes its ETag.
_ATTEMPTS = 3


class S3DirectParts:
    """`service.ports.DirectParts` in a bucket.

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
        self._blobs = S3Blobs(client, bucket, clock)
        self._clock = clock

    def begin(self, key: str) -> str:
        begun = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=CONTENT_TYPE
        )
        return begun["UploadId"]

    def presign(
        self, key: str, multipart_id: str, number: int, size: int, lifetime: int
    ) -> PresignedUrl:
        url = self._client.generate_presigned_url(
            "upload_part",
            Params=self._names(key, multipart_id) | {"PartNumber": number, "ContentLength": size},
            ExpiresIn=lifetime,
        )
        return PresignedUrl(url, int(self._clock()) + lifetime)

    def sizes(self, key: str, multipart_id: str, *, after: int, limit: int) -> dict[int, int]:
        return _sizes(self._page(key, multipart_id, after, limit) or [])

    def complete(self, key: str, multipart_id: str, sizes: Mapping[int, int]) -> bool:
        last = max(sizes)
        for _ in range(_ATTEMPTS):
            # One request tells of most uploads that they are not complete, whatever their size.
            end = self._page(key, multipart_id, last - 1, 1)
            if end is None:  # another call was faster, or the answer to an earlier one was lost
                return self._blobs.size(key) == sum(sizes.values())
            parts = self._all(key, multipart_id) if _sizes(end) == {last: sizes[last]} else []
            if _sizes(parts) != sizes:
                return False
            if self._complete(key, multipart_id, parts):
                return True
        raise RateLimitExceeded  # the client sends parts again and again

    def _complete(self, key: str, multipart_id: str, parts: list[Any]) -> bool:
        """Completes the upload; returns False if it has changed since its parts were listed."""
        etags: Any = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
        try:
            self._client.complete_multipart_upload(
                **self._names(key, multipart_id), MultipartUpload={"Parts": etags}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("InvalidPart", "NoSuchUpload"):
                raise
            return False
        return True

    def abort(self, key: str, multipart_id: str) -> None:
        with suppress(self._client.exceptions.NoSuchUpload):
            self._client.abort_multipart_upload(**self._names(key, multipart_id))

    def _all(self, key: str, multipart_id: str) -> list[Any]:
        """All parts that have arrived."""
        parts: list[Any] = []
        while True:
            after = parts[-1]["PartNumber"] if parts else 0
            page = self._page(key, multipart_id, after, _PAGE) or []
            parts += page
            if len(page) < _PAGE:
                return parts

    def _page(self, key: str, multipart_id: str, after: int, limit: int) -> list[Any] | None:
        """The parts behind a number; None if there is no such upload any more."""
        try:
            found = self._client.list_parts(
                **self._names(key, multipart_id), PartNumberMarker=after, MaxParts=limit
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            return None
        parts: list[Any] = found.get("Parts", [])
        return parts

    def _names(self, key: str, multipart_id: str) -> Any:
        return {"Bucket": self._bucket, "Key": key, "UploadId": multipart_id}


def _sizes(parts: list[Any]) -> dict[int, int]:
    return {part["PartNumber"]: part["Size"] for part in parts}
