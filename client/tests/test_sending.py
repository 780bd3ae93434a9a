"""What is sent, and where to, against the stub."""

import gzip
import hashlib
import io
import os
import re
import tracemalloc
from pathlib import Path
from typing import Any

import openai
import pytest

from client.tests.conftest import IN_PARTS, LARGE, MIB, PLAIN_LIMIT, MakeFile, Sdk, Unknown, sha256
from client.tests.stub import GIB, Fault, Stub
from files_api_client import Client


def shape(calls: list[str]) -> list[str]:
    """The calls without the ids in them."""
    return [re.sub(r"(?<=/)(upload-|part-)?[0-9a-f-]{36}[.0-9]*", "*", call) for call in calls]


def test_a_file_up_to_the_plain_limit_goes_as_it_is(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    content = make_file(PLAIN_LIMIT).read_bytes()
    assert sdk.create(("a.bin", content)).status == "processed"
    assert stub.asked(".*") == ["POST /v1/files"]
    assert content in stub.told("POST /v1/files")[0]


def test_a_byte_more_goes_by_direct_upload(sdk: Sdk, stub: Stub, large: Path) -> None:
    file = sdk.create(large, purpose="fine-tune")
    assert shape(stub.asked(".*")) == ["POST /v1/files", "PUT /store/*", "GET /v1/files/*"]
    asked = {"filename": large.name, "purpose": "fine-tune", "bytes": LARGE}
    assert stub.told("POST /v1/files") == [asked]
    assert stub.digest(file.id) == sha256(large)
    rest = {"id": file.id, "object": "file", "created_at": file.created_at, "status": "processed"}
    assert file.to_dict() == asked | rest
    assert file._request_id == "req-3"


def test_above_the_direct_limit_a_file_goes_in_parts(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    path = make_file(10 * MIB + 3)
    with path.open("rb") as content:
        file = sdk.create(
            ("ä b.jsonl", content),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": 3600},
            **IN_PARTS,
        )
    puts = ["PUT /store/*"] * 11
    assert shape(stub.asked(".*")) == [
        "POST /v1/files",
        "GET /v1/files/*/parts",
        *puts,
        "GET /v1/files/*",
    ]
    assert stub.told("POST /v1/files") == [
        {
            "filename": "ä b.jsonl",
            "purpose": "batch",
            "bytes": 10 * MIB + 3,
            "part_size": MIB,
            "expires_after": {"anchor": "created_at", "seconds": 3600},
        }
    ]
    assert stub.digest(file.id) == sha256(path)
    assert (file.status, file.filename) == ("processed", "ä b.jsonl")


def test_parts_are_listed_page_by_page(sdk: Sdk, stub: Stub, large: Path) -> None:
    stub.page = 2
    file = sdk.create(large, **IN_PARTS)
    assert len(stub.asked("GET .*/parts")) == 3
    assert len(stub.asked("PUT .*")) == 5
    assert stub.digest(file.id) == sha256(large)


def test_no_more_parts_are_on_their_way_than_allowed(
    sdk: Sdk, stub: Stub, make_file: MakeFile
) -> None:
    sdk.create(make_file(8 * MIB), **IN_PARTS, parallel=2)
    assert stub.most_at_once <= 2


@pytest.mark.parametrize("options", [{}, {"direct_limit": 0, "part_size": 32 * MIB}])
def test_a_large_file_takes_no_memory(
    sdk: Sdk, stub: Stub, make_file: MakeFile, large: Path, options: dict[str, int]
) -> None:
    path = make_file(150 * MIB)
    sdk.create(large, **options)  # what the first file of all takes stays
    tracemalloc.start()
    try:
        file = sdk.create(path, **options)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stub.digest(file.id) == sha256(path)
    assert most < 64 * MIB


class Huge(io.RawIOBase):
    """A file of five tebibytes, as far as its size is concerned."""

    def __init__(self) -> None:
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + (5 * 1024 * GIB if whence == io.SEEK_END else 0)
        return self._position


def test_a_file_has_ten_thousand_parts_at_most(sdk: Sdk, stub: Stub) -> None:
    stub.faults.append(Fault("POST /v1/files", 413))
    with pytest.raises(openai.APIStatusError):
        sdk.create(("huge", Huge()))
    [asked] = stub.told("POST /v1/files")
    assert asked["bytes"] == 5 * 1024 * GIB
    assert 9_999 * asked["part_size"] < asked["bytes"] <= 10_000 * asked["part_size"]


@pytest.mark.parametrize("direct_limit", [0, GIB])
def test_the_storage_is_told_nothing_that_is_for_the_service(
    sdk: Sdk, stub: Stub, large: Path, direct_limit: int
) -> None:
    sdk.create(
        large,
        direct_limit=direct_limit,
        headers={"X-Of-The-Client": "secret"},
        cookies={"session": "secret"},
        params={"of-the-client": "secret"},
        extra_headers={"X-Of-The-Call": "seen"},
    )
    heads = [set(each.heads) for each in stub.calls if each.call.startswith("PUT")]
    needed = {"host", "content-length"}
    if direct_limit:
        needed |= {"content-type", "if-none-match"}
    assert heads
    assert all(each == needed for each in heads)
    asked = [each.heads for each in stub.calls if not each.call.startswith("PUT")]
    assert all(each["x-of-the-call"] == "seen" for each in asked)
    assert all(each["x-of-the-client"] == "secret" for each in asked)


def test_a_file_is_sent_from_its_first_byte_wherever_it_stands(
    sdk: Sdk, stub: Stub, large: Path
) -> None:
    with large.open("rb") as content:
        content.seek(1000)
        file = sdk.create(content)
    assert stub.digest(file.id) == sha256(large)


def test_the_bytes_of_a_compressed_file_are_those_that_it_reads(
    sdk: Sdk, stub: Stub, large: Path, tmp_path: Path
) -> None:
    content = large.read_bytes() + bytes(10 * MIB)
    with gzip.open(tmp_path / "a.gz", "wb", compresslevel=1) as packed:
        packed.write(content)
    with gzip.open(tmp_path / "a.gz", "rb") as unpacked:
        file = sdk.create(("a.bin", unpacked), direct_limit=0, part_size=4 * MIB)
    assert file.bytes == len(content)
    assert stub.digest(file.id) == hashlib.sha256(content).hexdigest()


def test_bytes_without_a_file_go_the_same_way(sdk: Sdk, stub: Stub) -> None:
    file = sdk.create(bytes(LARGE))
    assert (file.filename, file.bytes) == ("upload", LARGE)
    assert len(stub.asked("PUT .*")) == 1


def test_a_stream_of_unknown_size_goes_as_it_is(sdk: Sdk, stub: Stub) -> None:
    sdk.create(("a", Unknown(b"from a stream")))
    assert b"from a stream" in stub.told("POST /v1/files")[0]
    with pytest.raises(openai.APIStatusError) as refused:
        sdk.create(("a", Unknown(bytes(LARGE + 100_000))))
    assert (refused.value.status_code, refused.value.code) == (413, "file_too_large")


def test_a_file_that_shrinks_is_an_error_and_no_file(sdk: Sdk, stub: Stub, large: Path) -> None:
    def shrink(sent: int, total: int) -> None:
        os.truncate(large, MIB)

    with (
        large.open("rb", buffering=0) as content,
        pytest.raises(OSError, match=r"4500001\.bin ends after 1048576 of 4500001 bytes"),
    ):
        sdk.create(content, progress=shrink)
    assert stub.files == {}


@pytest.mark.parametrize(("size", "options"), [(10, {}), (LARGE, {}), (LARGE, IN_PARTS)])
def test_progress_ends_with_all_bytes_and_never_leaps_back(
    sdk: Sdk, make_file: MakeFile, size: int, options: dict[str, int]
) -> None:
    seen: list[tuple[int, int]] = []
    sdk.create(make_file(size), progress=lambda *told: seen.append(told), **options)
    assert seen[-1] == (size, size)
    assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
    assert {total for _, total in seen} == {size}


def test_other_calls_are_left_alone(stub: Stub) -> None:
    with Client() as http:
        base = stub.base_url
        two_files = [("file", b"a"), ("file", b"b")]
        requests = [
            http.build_request("POST", f"{base}/containers/c/files", files={"file": b"a"}),
            http.build_request("POST", f"{base}/files", data={"purpose": "p"}, files=two_files),
            http.build_request("POST", f"{base}/audio/parts", files={"data": b"a"}),
            http.build_request("PUT", f"{base}/uploads/u/parts", files={"data": b"a"}),
            http.build_request("POST", f"{base}/uploads/u/parts", files={"file": b"a"}),
        ]
        assert [each.extensions.keys() - {"timeout"} for each in requests] == [set()] * 5


@pytest.mark.parametrize("option", ["parallel", "part_size", "direct_limit", "retries"])
def test_an_option_that_makes_no_sense_is_refused(option: str) -> None:
    options: dict[str, Any] = {option: -1}
    with pytest.raises(ValueError, match=f"{option} must be at least"):
        Client(**options)
