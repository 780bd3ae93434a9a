"""That the functions' calls work with what is left of botocore's service descriptions."""

import runpy
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from files_api import composition
from files_api.blobs import S3Blobs
from files_api.model import File, Pending
from files_api.ports import Query
from files_api.records import DynamoRecords
from tests.integration.samples import FILES_BUCKET, FILES_TABLE
from tests.moto_stack import Stack
from tests.template import ROOT
from tests.unit.samples import NOW, a_file

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

SCRIPT = ROOT / "layers" / "dependencies" / "slim_botocore.py"
WHOLE = Path(botocore.__file__).parent / "data"


@pytest.fixture(scope="module")
def slimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of botocore's data, and an older version of a service, after the script has run."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    for service in ("dynamodb", "s3", "sqs", "sts"):
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
def session(slimmed: Path, stack: Stack) -> botocore.session.Session:
    session = botocore.session.Session()
    loader = Loader(extra_search_paths=[str(slimmed)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


def test_every_call_on_records_works(session: botocore.session.Session) -> None:
    client: DynamoDBClient = session.create_client("dynamodb")  # type: ignore[assignment]
    records = DynamoRecords(client, FILES_TABLE)
    file: File = a_file()

    records.add("acme", file)

    assert records.get("acme", file.id) == file
    assert records.docs(Query("acme", None, 10, True, None, NOW)) == [file.doc()]
    assert [records.remove("acme", file) for _ in range(2)] == [True, False]
    promised = a_file(direct=True, status="pending")
    for settle in (records.keep, lambda project, file: records.drop(project, file.id)):
        records.promise("acme", Pending(promised, NOW))
        assert records.pending("acme", promised.id) == Pending(promised, NOW)
        assert [settle("acme", promised) for _ in range(2)] == [True, False]
    records.remove_rest("acme", promised)
    assert records.get("acme", promised.id) is None


def test_every_call_on_blobs_works(session: botocore.session.Session) -> None:
    client: S3Client = session.create_client("s3", config=composition._S3_CONFIG)  # type: ignore[assignment]
    blobs = S3Blobs(client, FILES_BUCKET)
    key = a_file().key("acme")

    blobs.put(key, b"abc")

    assert (blobs.get(key), blobs.size(key)) == (b"abc", 3)
    blobs.delete(key)
    assert (blobs.get(key), blobs.size(key)) == (None, None)
    for link in (blobs.put_link(key, 3, "00" * 32, 900), blobs.get_link(key, "a.txt", 900)):
        assert "X-Amz-Signature=" in link.url


def test_no_other_service_and_no_other_version_is_left(slimmed: Path) -> None:
    folders = sorted(path.relative_to(slimmed) for path in slimmed.rglob("*") if path.is_dir())
    versions = {
        name: max(path.name for path in (WHOLE / name).iterdir()) for name in ("dynamodb", "s3")
    }

    assert [str(path) for path in folders] == [
        "dynamodb",
        f"dynamodb/{versions['dynamodb']}",
        "s3",
        f"s3/{versions['s3']}",
    ]


def test_what_is_left_is_a_small_part(slimmed: Path) -> None:
    def size(data: Path, service: str) -> int:
        return sum(path.stat().st_size for path in (data / service).rglob("*.json*"))

    plain = Loader().load_service_model
    for service in ("dynamodb", "s3"):
        left = Loader(extra_search_paths=[str(slimmed)], include_default_search_paths=False)
        description = left.load_service_model(service, "service-2")
        assert set(description["operations"]) < set(plain(service, "service-2")["operations"])
        assert size(slimmed, service) < 500_000
