"""The functions' calls work with what is left of botocore's service descriptions."""

import runpy
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import boto3
import botocore
import botocore.session
import pytest
from botocore.loaders import Loader
from botocore.stub import Stubber

from files_api import composition
from files_api.aws.assembler import S3Assembler
from files_api.aws.assembly_queue import LambdaAssemblyQueue
from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.ids import new_id
from files_api.service.model import File, Part, PendingFile, Upload
from files_api.service.ports import PageRequest
from files_api.service.segments import MIN_PART_BYTES, plan
from tests.adapters.conftest import Clients
from tests.support import moto_stack
from tests.support.moto_stack import Stack, physical_name
from tests.support.samples import NOW, a_file
from tests.support.template import ROOT

FILES_TABLE = physical_name("FilesTable")
FILES_BUCKET = physical_name("FilesBucket")
SCRIPT = ROOT / "layers" / "dependencies" / "slim_botocore.py"
WHOLE = Path(botocore.__file__).parent / "data"
SERVICES = ("dynamodb", "lambda", "s3")


@pytest.fixture(scope="module")
def slimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of botocore's data, and an older version of a service, after the script has run."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    for service in (*SERVICES, "sqs", "sts"):
        shutil.copytree(WHOLE / service, data / service)
    current = next((WHOLE / "s3").iterdir())
    shutil.copytree(current, data / "s3" / "2001-01-01")
    for path in WHOLE.iterdir():
        if path.is_file():
            shutil.copy(path, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), str(data)])
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return data


@pytest.fixture
def clients(slimmed: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """The clients that CompleteUpload makes of what is left."""
    session = botocore.session.Session()
    loader = Loader(extra_search_paths=[str(slimmed)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    make: Callable[..., object] = boto3.Session(botocore_session=session).client
    clients = Clients(lambda service, config: make(service, config=config))
    monkeypatch.setattr(composition, "client", clients)
    for name, value in moto_stack.environment("complete_upload").items():
        monkeypatch.setenv(name, value)
    composition.completion()
    return clients


def test_every_call_on_file_records_works(clients: Clients) -> None:
    records = DynamoFileRecords(clients.only("dynamodb"), FILES_TABLE)
    file = a_file()

    records.add("acme", file)

    assert records.get("acme", file.id) == file
    assert records.page("acme", PageRequest(10), NOW) == [file.public_json()]
    assert [records.delete("acme", file) for _ in range(2)] == [True, False]
    pending = PendingFile(a_file(direct=True, status="pending"), NOW)
    ends: list[Callable[[str, File], bool]] = [
        records.finalize,
        lambda project, file: records.delete_pending(project, file.id),
    ]
    for end in ends:
        records.add_pending("acme", pending)
        assert records.update_pending("acme", pending)
        assert records.get_pending("acme", pending.file.id) == pending
        assert [end("acme", pending.file) for _ in range(2)] == [True, False]
    records.delete_leftovers("acme", pending.file)
    assert records.get("acme", pending.file.id) is None


def test_every_call_on_upload_records_works(clients: Clients) -> None:
    records = DynamoUploadRecords(clients.only("dynamodb"), FILES_TABLE)
    upload = Upload(new_id(), 3, NOW, "a.txt", "batch", "text/plain", NOW + 9)
    part = Part(new_id(), upload.id, 3, NOW)

    records.open("acme", upload)
    records.add_part("acme", part)

    assert records.extend("acme", upload.id, NOW + 9)
    assert records.get("acme", upload.id) == upload
    assert records.has_part("acme", upload.id, part.id)
    assert records.parts("acme", upload.id) == [part]
    assert records.close("acme", replace(upload, status="cancelled"))
    records.delete_parts("acme", upload.id)
    assert records.parts("acme", upload.id) == []


def test_every_call_on_blobs_works(clients: Clients) -> None:
    blobs = S3Blobs(clients.only("s3"), FILES_BUCKET)
    key = a_file().blob_key("acme")

    blobs.put(key, b"abc")

    assert (blobs.get(key), blobs.size(key)) == (b"abc", 3)
    assert blobs.sizes("files/acme/") == {key: 3}
    assert blobs.md5([key]) == "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321, A.5
    blobs.delete(key)
    assert (blobs.get(key), blobs.size(key)) == (None, None)
    for url in (blobs.presign_put(key, 3, "00" * 32, 900), blobs.presign_get(key, "a.txt", 900)):
        assert "X-Amz-Signature=" in url.url


def test_every_call_of_an_assembly_works(clients: Clients) -> None:
    s3 = clients.only("s3")
    blobs, assembler = S3Blobs(s3, FILES_BUCKET), S3Assembler(s3, FILES_BUCKET)
    content = {"parts/1": b"a" * MIN_PART_BYTES, "parts/2": b"b"}
    for key, part in content.items():
        blobs.put(key, part)
    segments = plan((key, len(part)) for key, part in content.items())

    assert not assembler.assemble("files/1", segments, deadline=0)
    assert assembler.assemble("files/1", segments, deadline=float("inf"), resume=True)
    assert blobs.get("files/1") == b"".join(content.values())
    assert not assembler.assemble("files/2", segments, deadline=0)
    assembler.abort("files/2")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=FILES_BUCKET)


def test_an_assembly_can_be_queued(clients: Clients) -> None:
    client = clients("lambda", clients.only("dynamodb").meta.config)

    with Stubber(client) as stub:
        stub.add_response("invoke", {"StatusCode": 202, "Payload": BytesIO()})
        LambdaAssemblyQueue(client, "assemble").send("acme", "an id")

    stub.assert_no_pending_responses()


def test_no_other_service_or_version_is_left(slimmed: Path) -> None:
    folders = sorted(path.relative_to(slimmed) for path in slimmed.rglob("*") if path.is_dir())
    versions = {name: max(path.name for path in (WHOLE / name).iterdir()) for name in SERVICES}

    assert [str(path) for path in folders] == [
        each for name in SERVICES for each in (name, f"{name}/{versions[name]}")
    ]


def test_only_a_small_part_of_the_data_is_left(slimmed: Path) -> None:
    def size(data: Path, service: str) -> int:
        return sum(path.stat().st_size for path in (data / service).rglob("*.json*"))

    plain = Loader().load_service_model
    for service in SERVICES:
        left = Loader(extra_search_paths=[str(slimmed)], include_default_search_paths=False)
        description = left.load_service_model(service, "service-2")
        assert set(description["operations"]) < set(plain(service, "service-2")["operations"])
        assert size(slimmed, service) < 500_000
