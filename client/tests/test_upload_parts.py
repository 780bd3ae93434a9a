"""OpenAI's Uploads API: a part that is too large for the request body goes straight to storage."""

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Upload
from openai.types.uploads import UploadPart

from client.tests.conftest import LARGE, MIB, PLAIN_LIMIT, MakeFile, Sdk, Unknown, sha256
from client.tests.stub import Fault, Stub

EXPIRED = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


def chunked(sdk: Sdk, path: Path, part_size: int | None = None) -> Upload:
    upload: Upload = sdk.call(
        lambda client: client.uploads.upload_file_chunked(
            file=path, mime_type="application/pdf", purpose="user_data", part_size=part_size
        )
    )
    return upload


@pytest.fixture
def upload(sdk: Sdk) -> Upload:
    """An upload of as many bytes as `large` has."""
    upload: Upload = sdk.call(
        lambda client: client.uploads.create(
            bytes=LARGE, filename="a.bin", mime_type="a/b", purpose="user_data"
        )
    )
    return upload


def add(sdk: Sdk, upload: Upload, data: Any, **options: Any) -> UploadPart:
    part: UploadPart = sdk.call(
        lambda client: client.uploads.parts.create(upload.id, data=data), **options
    )
    return part


@pytest.mark.parametrize(("part_size", "parts"), [(None, 2), (30 * MIB, 3), (PLAIN_LIMIT, 15)])
def test_a_chunked_upload_takes_any_part_size(
    sdk: Sdk, stub: Stub, make_file: MakeFile, part_size: int | None, parts: int
) -> None:
    path = make_file(64 * MIB + 3)
    completed = chunked(sdk, path, part_size)
    assert completed.file
    assert stub.digest(completed.file.id) == sha256(path)
    assert len(stub.asked("POST .*/parts")) == parts


@pytest.mark.parametrize("form", ["bytes", "file", "name and bytes", "name, file and type"])
def test_a_large_part_goes_by_presigned_url(
    sdk: Sdk, stub: Stub, large: Path, upload: Upload, form: str
) -> None:
    with large.open("rb") as content:
        data: Any = {
            "bytes": large.read_bytes(),
            "file": content,
            "name and bytes": ("a", large.read_bytes()),
            "name, file and type": ("a", content, "a/b"),
        }[form]
        part = add(sdk, upload, data)
    assert stub.told("POST .*/parts") == [{"bytes": LARGE}]
    assert (stub.folder / part.id).read_bytes() == large.read_bytes()
    assert part.to_dict() == {
        "id": part.id,
        "object": "upload.part",
        "created_at": part.created_at,
        "upload_id": upload.id,
    }
    assert part._request_id


def test_a_small_part_goes_in_the_request_body(sdk: Sdk, stub: Stub, upload: Upload) -> None:
    part = add(sdk, upload, bytes(PLAIN_LIMIT))
    assert (stub.folder / part.id).stat().st_size == PLAIN_LIMIT
    assert not stub.asked("PUT .*")


@pytest.mark.parametrize(
    "fault", [Fault("PUT .*", 503), Fault("PUT .*", 0), Fault("PUT .*", 0, first=True)]
)
def test_a_part_that_fails_is_sent_again(
    sdk: Sdk, stub: Stub, large: Path, upload: Upload, fault: Fault
) -> None:
    stub.faults.append(replace(fault))
    part = add(sdk, upload, large.read_bytes())
    assert (stub.folder / part.id).read_bytes() == large.read_bytes()
    assert len(stub.asked("POST .*/parts")) == 1


def test_a_part_whose_url_expired_becomes_another_part(
    sdk: Sdk, stub: Stub, large: Path, upload: Upload
) -> None:
    stub.faults.append(Fault("PUT .*", 403, EXPIRED))
    part = add(sdk, upload, large.read_bytes())
    assert (stub.folder / part.id).read_bytes() == large.read_bytes()
    assert len(stub.asked("POST .*/parts")) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("POST .*/parts", 400, '{"error": {"code": "invalid_value"}}'), "invalid_value"),
        (Fault("PUT .*", 403, EXPIRED, times=9), "upload_failed"),
    ],
)
def test_a_refused_part_is_the_sdks_error(
    sdk: Sdk, stub: Stub, upload: Upload, fault: Fault, code: str
) -> None:
    stub.faults.append(replace(fault))
    with pytest.raises(openai.APIStatusError) as refused:
        add(sdk, upload, bytes(LARGE), retries=1)
    assert (refused.value.status_code, refused.value.code) == (fault.status, code)


def test_a_part_from_a_file_takes_no_memory(sdk: Sdk, stub: Stub, make_file: MakeFile) -> None:
    path = make_file(100 * MIB)
    tracemalloc.start()
    try:
        with path.open("rb") as content:
            upload: Upload = sdk.call(
                lambda client: client.uploads.create(
                    bytes=100 * MIB, filename="a.bin", mime_type="a/b", purpose="user_data"
                )
            )
            add(sdk, upload, content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 64 * MIB


def test_a_stream_of_unknown_size_goes_as_it_is(sdk: Sdk, stub: Stub, upload: Upload) -> None:
    part = add(sdk, upload, Unknown(b"from a stream"))
    assert (stub.folder / part.id).read_bytes() == b"from a stream"
