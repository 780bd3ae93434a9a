"""How fast `complete` assembles parts, compared to bare boto3 calls with the same parts."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import Any, Final

import httpx2

from benchmarks.figures import Assembly, Ratio
from benchmarks.processes import Failed
from benchmarks.stack import Local

ROUNDS: Final = 4  # an even number: the two sides take turns at being first
_MIB: Final = 1024**2
# S3 copies parts of at least 5 MiB; shorter ones must be merged to that size outside S3.
COPIED: Final = (64 * _MIB,) * 4
MERGED: Final = (4 * _MIB,) * 32
KINDS: Final = {"4 parts of 64 MiB, copied": COPIED, "32 parts of 4 MiB, merged": MERGED}

_PARALLEL: Final = 10  # requests, on both sides
_MERGED: Final = 2  # parts of 4 MiB, which together have at least 5 MiB


@dataclass(frozen=True)
class _Upload:
    """An upload with all of its parts."""

    id: str
    part_ids: Sequence[str]


def measure(local: Local, progress: Callable[[str], None]) -> list[Assembly]:
    """Measures every kind, round after round."""
    _completed(local, _uploaded(local, [1]))  # the first call of a function is slower
    return [_measured(local, name, sizes, progress) for name, sizes in KINDS.items()]


def _measured(
    local: Local, name: str, sizes: Sequence[int], progress: Callable[[str], None]
) -> Assembly:
    keys = [_stored(local, f"bare/{number}", size) for number, size in enumerate(sizes)]
    ours, bare = [], []
    for number in range(ROUNDS):
        progress(f"assembly of {name}, round {number + 1} of {ROUNDS}")
        upload = _uploaded(local, sizes)
        if number % 2:
            ours.append(_completed(local, upload))
        bare.append(_bare(local, keys, copied=sizes is COPIED))
        if not number % 2:
            ours.append(_completed(local, upload))
    mib = sum(sizes) / _MIB
    return Assembly(
        name, mib / statistics.median(ours), mib / statistics.median(bare), Ratio.of(ours, bare)
    )


def _stored(local: Local, key: str, size: int) -> str:
    local.s3.put_object(Bucket=local.bucket, Key=key, Body=bytes(size))
    return key


def _uploaded(local: Local, sizes: Sequence[int]) -> _Upload:
    fields = {"filename": "file", "purpose": "user_data", "mime_type": "text/plain"}
    upload_id = local.ask("POST", "uploads", fields | {"bytes": sum(sizes)})["id"]
    return _Upload(upload_id, [_part(local, upload_id, size) for size in sizes])


def _part(local: Local, upload_id: str, size: int) -> str:
    part = local.ask("POST", f"uploads/{upload_id}/parts", {"bytes": size})
    put = part["upload"]
    answer = httpx2.put(put["url"], headers=put["headers"], content=bytes(size), timeout=60)
    answer.raise_for_status()
    return str(part["id"])


def _completed(local: Local, upload: _Upload) -> float:
    """Completes the upload; returns the seconds that this took."""
    start = time.perf_counter()
    path = f"uploads/{upload.id}/complete"
    file = local.ask("POST", path, {"part_ids": upload.part_ids})["file"]
    seconds = time.perf_counter() - start
    if file["status"] != "processed":
        raise Failed(f"The upload was not assembled at once: {file}")
    local.ask("DELETE", f"files/{file['id']}")
    return seconds


def _bare(local: Local, keys: Sequence[str], *, copied: bool) -> float:
    """Assembles the parts by bare calls; returns the seconds that this took."""
    bare = _Bare(local, "bare/file")
    start = time.perf_counter()
    bare.copy(keys) if copied else bare.merge(keys)
    seconds = time.perf_counter() - start
    local.s3.delete_object(Bucket=local.bucket, Key="bare/file")
    return seconds


class _Bare:
    """A multipart upload from objects in the bucket, by plain boto3 calls.

    Args:
        local: the stack.
        key: of the new object.
    """

    def __init__(self, local: Local, key: str) -> None:
        self._s3, self._bucket = local.s3, local.bucket
        self._target: dict[str, Any] = {"Bucket": local.bucket, "Key": key}

    def copy(self, keys: Sequence[str]) -> None:
        """Makes each object a part."""
        self._upload(self._copied, keys)

    def merge(self, keys: Sequence[str]) -> None:
        """Makes every few objects a part."""
        self._upload(self._merged, [*batched(keys, _MERGED, strict=True)])

    def _upload(self, part: Callable[[int, Any], str], sources: Sequence[Any]) -> None:
        created = self._s3.create_multipart_upload(**self._target)
        self._target["UploadId"] = created["UploadId"]
        numbers = range(1, len(sources) + 1)
        with ThreadPoolExecutor(_PARALLEL) as pool:
            tags = list(pool.map(part, numbers, sources))
        parts = [{"PartNumber": n, "ETag": tag} for n, tag in zip(numbers, tags, strict=True)]
        self._s3.complete_multipart_upload(**self._target, MultipartUpload={"Parts": parts})

    def _copied(self, number: int, key: str) -> str:
        answer = self._s3.upload_part_copy(
            **self._target, PartNumber=number, CopySource={"Bucket": self._bucket, "Key": key}
        )
        return str(answer["CopyPartResult"]["ETag"])

    def _merged(self, number: int, keys: Sequence[str]) -> str:
        found = (self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in keys)
        answer = self._s3.upload_part(**self._target, PartNumber=number, Body=b"".join(found))
        return str(answer["ETag"])
