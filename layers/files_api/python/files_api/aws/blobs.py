"""The bytes of files and parts in S3: one object each, under its blob key."""

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Collection
from http import HTTPStatus
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from files_api.observability import logger
from files_api.service.filenames import content_disposition
from files_api.service.media_types import UNKNOWN
from files_api.service.model import PresignedUrl

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1024**2
_KEYS_PER_DELETION = 1000  # AWS: keys per DeleteObjects
CONTENT_TYPE = UNKNOWN


class S3Blobs:
    """`service.ports.Blobs` in a bucket.

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
        found = self.read(key)
        return found[0] if found else None

    def read(self, key: str) -> tuple[bytes, str] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        return answer["Body"].read(), answer["ETag"]

    def size(self, key: str) -> int | None:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
        except ClientError as error:
            # The answer to a HEAD has no body, so the status is its only code.
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

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def delete_all(self, keys: Collection[str]) -> set[str]:
        failed = set[str]()
        for some in batched(sorted(keys), _KEYS_PER_DELETION, strict=False):
            answer = self._client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
            )
            for error in answer.get("Errors", []):
                logger().warning(
                    "S3 did not delete a blob",
                    extra={"blob_key": error["Key"], "code": error["Code"]},
                )
                failed.add(error["Key"])
        return failed

    def presign_put(self, key: str, size: int, sha256: str | None, lifetime: int) -> PresignedUrl:
        # S3 enforces what is signed: the length, the type, that the key is still free (Amazon S3,
        # "How to prevent object overwrites with conditional writes"), and the checksum.
        signed: dict[str, Any] = {
            "ContentLength": size,
            "ContentType": CONTENT_TYPE,
            "IfNoneMatch": "*",
        }
        headers = {"Content-Type": CONTENT_TYPE, "If-None-Match": "*"}
        if sha256 is not None:
            signed["ChecksumSHA256"] = b64encode(bytes.fromhex(sha256)).decode()
            headers["x-amz-checksum-sha256"] = signed["ChecksumSHA256"]
        return self._presign("put_object", key, signed, lifetime, headers)

    def presign_get(
        self,
        key: str,
        filename: str,
        lifetime: int,
        media_type: str = CONTENT_TYPE,
        *,
        head: bool = False,
    ) -> PresignedUrl:
        # S3 keeps whatever headers came with the PUT, signed or not, and serves them, unless the
        # request overrides them ("Overriding response header values through the request").
        signed = {
            "ResponseCacheControl": "private, no-store",
            "ResponseContentDisposition": content_disposition(filename),
            "ResponseContentEncoding": "identity",
            "ResponseContentLanguage": "und",  # undetermined (BCP 47)
            "ResponseContentType": media_type,
            "ResponseExpires": "Thu, 01 Jan 1970 00:00:00 GMT",
        }
        return self._presign("head_object" if head else "get_object", key, signed, lifetime, {})

    def _presign(
        self,
        operation: str,
        key: str,
        signed: dict[str, Any],
        lifetime: int,
        headers: dict[str, str],
    ) -> PresignedUrl:
        url = self._client.generate_presigned_url(
            operation,
            Params={"Bucket": self._bucket, "Key": key, **signed},
            ExpiresIn=lifetime,
        )
        return PresignedUrl(url, int(self._clock()) + lifetime, headers)
