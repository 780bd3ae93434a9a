"""Sends and fetches a file of 1 GiB, and assembles parts, on the local stack. Run it by hand.

The base of a transfer is one PUT or GET of the same bytes to a presigned URL, or a PUT for each
part, as many at the same time, with the same HTTP library, in the same chunks. The base of
`complete` is what it waits for in S3. Seconds are mostly those of MiniStack and the disk, and vary;
what carries over are the ratios; it fails if that of the proxy exceeds its limit. Memory is the
most that a process of its own had at once.

Usage: .venv/bin/python -m benchmarks.transfers [ROW ...], such as "upload through the proxy"
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx2
from botocore.config import Config
from files_api_client import Client
from files_api_client.options import PARALLEL, PART_SIZE
from files_api_client.steps import CHUNK_SIZE
from openai import OpenAI

from benchmarks import limits
from benchmarks.build import FOLDER
from benchmarks.figures import Figure, Table, ratio
from benchmarks.peak import peak
from client.tests import running
from files_api.aws.assembler import S3Assembler
from files_api.service.segments import plan
from tools.local.stack import LocalStack

type Way = Callable[[], str | None]  # returns the id of the file that it has created

ROUNDS: Final = 4  # an even number: the two sides take turns at being first

_PROXY: Final = "upload through the proxy"
_MIB: Final = 1024**2
_BYTES: Final = 1024 * _MIB
_TIMEOUT: Final = 300.0  # of any request: an emulator takes a gigabyte slowly
# S3 copies parts of at least 5 MiB; shorter ones are merged to that size outside S3.
_ASSEMBLIES: Final = {"4 parts of 64 MiB": [64 * _MIB] * 4, "32 parts of 4 MiB": [4 * _MIB] * 32}


class _Transfers:
    """All ways to transfer a file and to assemble parts.

    Args:
        stack: the API.
        folder: has the file and its copy.
        proxy: base URL of a proxy to the API.
    """

    def __init__(self, stack: LocalStack, folder: Path, proxy: str) -> None:
        self._file, self._copy = folder / "file", folder / "copy"
        with self._file.open("wb") as file:
            for number in range(_BYTES // _MIB):
                file.write(number.to_bytes(8) * (_MIB // 8))
        _, key = stack.keys.create("benchmarks")
        self._sdk: dict[str, Any] = {"base_url": stack.base_url, "api_key": key}
        headers = {"Authorization": f"Bearer {key}"}
        self._proxy = proxy
        self._http = httpx2.Client(timeout=_TIMEOUT)
        self._api = httpx2.Client(base_url=stack.base_url, headers=headers, timeout=_TIMEOUT)
        self._s3 = stack.client("s3", Config(proxies={}, read_timeout=_TIMEOUT))
        self._bucket = stack.outputs["FilesBucket"]
        self._file_id = self._upload()

    def memory(self) -> Mapping[str, Sequence[Figure]]:
        """How much memory a process takes that sends a small file, and the large one."""
        small = self._file.with_name("small")
        small.write_bytes(b"a")
        ways = {
            "upload of a byte": (small, {}),
            "upload of 1 GiB in one PUT": (self._file, {"direct_limit": _BYTES}),
            "upload of 1 GiB in parts": (self._file, {}),
        }
        return {name: [self._peak(*way)] for name, way in ways.items()}

    def _peak(self, file: Path, options: Mapping[str, Any]) -> Figure:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return Figure("MiB", pool.apply(_send_and_measure, (self._sdk, file, options)) / _MIB)

    def pairs(self) -> Mapping[str, tuple[Way, Way]]:
        """Every way, with its base."""
        return {
            "upload in one PUT": (lambda: self._upload(direct_limit=_BYTES), self._bare_put),
            "upload in parts": (self._upload, self._bare_parts),
            _PROXY: (self._proxied, self._bare_put),
            "download": (self._download, self._bare_get),
        } | {f"complete, {name}": self._assembly(sizes) for name, sizes in _ASSEMBLIES.items()}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Calls the API; returns its answer."""
        return self._api.request(method, path, json=body).raise_for_status().json()

    def _upload(self, **options: Any) -> str:
        return _send(self._sdk, self._file, options)

    def _proxied(self) -> str:
        """By a plain client of the SDK."""
        client = OpenAI(**self._sdk | {"base_url": self._proxy}, timeout=_TIMEOUT)
        with client, self._file.open("rb") as content:
            return client.files.create(file=content, purpose="user_data").id

    def _download(self) -> None:
        sdk = OpenAI(**self._sdk, http_client=Client(timeout=_TIMEOUT))
        with sdk.files.with_streaming_response.content(self._file_id) as answer:
            answer.stream_to_file(self._copy, chunk_size=CHUNK_SIZE)

    def _bare_put(self) -> str:
        new = {"filename": "file", "purpose": "user_data", "bytes": _BYTES}
        file = self.ask("POST", "files", new)
        with self._file.open("rb") as content:
            self._put(file["upload"], iter(lambda: content.read(CHUNK_SIZE), b""), _BYTES)
        return str(file["id"])

    def _bare_parts(self) -> str:
        new = {"filename": "file", "purpose": "user_data", "bytes": _BYTES, "part_size": PART_SIZE}
        path = f"files/{self.ask('POST', 'files', new)['id']}"
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(self._bare_part, self.ask("GET", f"{path}/parts")["data"]))
        return str(self.ask("GET", path)["id"])

    def _bare_part(self, part: Mapping[str, Any]) -> None:
        with self._file.open("rb") as content:
            content.seek((part["part_number"] - 1) * PART_SIZE)
            chunks = (content.read(CHUNK_SIZE) for _ in range(part["bytes"] // CHUNK_SIZE))
            self._put(part["upload"], chunks, part["bytes"])

    def _put(self, put: Mapping[str, Any], content: Any, size: int) -> None:
        headers = put["headers"] | {"Content-Length": str(size)}
        self._http.put(put["url"], headers=headers, content=content).raise_for_status()

    def _bare_get(self) -> None:
        url = self.ask("GET", f"files/{self._file_id}/url")["url"]
        with self._http.stream("GET", url) as answer, self._copy.open("wb") as copy:
            for chunk in answer.raise_for_status().iter_bytes(CHUNK_SIZE):
                copy.write(chunk)

    def _assembly(self, sizes: Sequence[int]) -> tuple[Way, Way]:
        """Makes `complete` of new uploads of such parts, and the same inside S3 alone."""
        waiting = [self._parts(sizes) for _ in range(ROUNDS)]
        blobs = [(f"bare/{len(sizes)}/{number}", size) for number, size in enumerate(sizes)]
        for key, size in blobs:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=bytes(size))
        assembler = S3Assembler(self._s3, self._bucket)

        def complete() -> str:
            path, part_ids = waiting.pop()
            return str(self.ask("POST", path, {"part_ids": part_ids})["file"]["id"])

        def bare() -> None:
            assembler.assemble("bare/file", plan(blobs), time.time() + _TIMEOUT)

        return complete, bare

    def _parts(self, sizes: Sequence[int]) -> tuple[str, list[str]]:
        """The path that completes a new upload of such parts, and their ids."""
        new = {"filename": "file", "purpose": "user_data", "mime_type": "text/plain"}
        upload = "uploads/" + self.ask("POST", "uploads", new | {"bytes": sum(sizes)})["id"]
        parts = [self.ask("POST", f"{upload}/parts", {"bytes": size}) for size in sizes]
        for part, size in zip(parts, sizes, strict=True):
            self._put(part["upload"], bytes(size), size)
        return f"{upload}/complete", [part["id"] for part in parts]


def _send(sdk: Mapping[str, Any], file: Path, options: Mapping[str, Any]) -> str:
    http = Client(timeout=_TIMEOUT, **options)
    with OpenAI(**sdk, http_client=http) as client, file.open("rb") as content:
        return client.files.create(file=content, purpose="user_data").id


def _send_and_measure(sdk: Mapping[str, Any], file: Path, options: Mapping[str, Any]) -> int:
    _send(sdk, file, options)
    return peak()


def _measured(way: Way, base: Way, discard: Callable[[str], object]) -> Sequence[Figure]:
    """Measures a way and its base in turns, and discards the files that they have created."""
    seconds: dict[Way, list[float]] = {way: [], base: []}
    cpu: dict[Way, list[float]] = {way: [], base: []}
    for number in range(ROUNDS):
        for side in seconds if number % 2 else reversed(seconds):
            start, cpu_start = time.perf_counter(), time.process_time()
            file_id = side()
            seconds[side].append(time.perf_counter() - start)
            cpu[side].append(time.process_time() - cpu_start)
            if file_id:
                discard(file_id)
    return [
        Figure("s", statistics.median(seconds[way]), ".1f"),
        Figure("base s", statistics.median(seconds[base]), ".1f"),
        ratio(seconds[way], seconds[base]),
        replace(ratio(cpu[way], cpu[base]), name="CPU ratio", quartiles=None),
    ]


def main() -> int:
    """Measures every way, or those that are asked for; returns 1 if the proxy takes too long."""
    asked = sys.argv[1:]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=FOLDER, prefix="transfers-") as folder,
        LocalStack(Path(folder) / "stack", parameters={"MaxFileBytes": str(2 * _BYTES)}) as stack,
        running.running(stack.base_url) as proxy,
    ):
        transfers, rows = _Transfers(stack, Path(folder), proxy.url), {}
        for name, sides in transfers.pairs().items():
            if asked and name not in asked:
                continue
            print(name, file=sys.stderr, flush=True)
            rows[name] = _measured(*sides, lambda file: transfers.ask("DELETE", f"files/{file}"))
        tables = [Table("1 GiB", rows)]
        if not asked:
            tables.append(Table("memory", transfers.memory()))
    print(*(table.markdown() for table in tables), sep="\n\n")
    if _PROXY in rows and tables[0].figure(_PROXY, "ratio").value > limits.PROXY:
        print(f"The ratio of the proxy exceeds its limit, {limits.PROXY}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
