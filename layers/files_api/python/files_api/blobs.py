"""Files' bytes in S3: one object a file, under `files/<project>/<file id>`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Blobs:
    """`ports.Blobs` on one bucket.

    Args:
        client: an S3 client.
        bucket: the bucket's name.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, project: str, file_id: str, content: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=_key(project, file_id),
            Body=content,
            ContentType="application/octet-stream",
        )

    def get(self, project: str, file_id: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_key(project, file_id))
        except self._client.exceptions.NoSuchKey:
            return None
        return answer["Body"].read()

    def delete(self, project: str, file_id: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=_key(project, file_id))


def _key(project: str, file_id: str) -> str:
    return f"files/{project}/{file_id}"
