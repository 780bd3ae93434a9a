import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import botocore
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import Loader

from files_api import composition
from files_api.aws.assembler import S3Assembler
from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.keys import KeyStore
from files_api.service.ports import Assembler, Blobs, FileRecords, UploadRecords
from tests.fakes.blobs import MemoryAssembler, MemoryBlobs
from tests.fakes.keys import MemoryKeyStore
from tests.fakes.records import MemoryFileRecords, MemoryUploadRecords
from tests.support import moto_stack
from tests.support.moto_stack import physical_name
from tests.support.samples import NOW, Clock
from tests.support.template import ROOT

FILES_TABLE = physical_name("FilesTable")
FILES_BUCKET = physical_name("FilesBucket")
KEYS_TABLE = physical_name("KeysTable")
SCRIPT = ROOT / "layers" / "dependencies" / "slim_botocore.py"
WHOLE = Path(botocore.__file__).parent / "data"
SERVICES = ("dynamodb", "lambda", "s3")

type Hook = Callable[[Any, str, Callable[..., Any]], None]


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """AWS is moto, in this process."""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[moto_stack.Stack]:
    """The template's stores, empty, in moto."""
    with moto_stack.stack(monkeypatch) as made:
        yield made


# --- Clients of the ports' adapters: of what the functions have of botocore's data ----------------


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def slim_session(slimmed: Path) -> boto3.Session:
    session = botocore.session.Session()
    loader = Loader(extra_search_paths=[str(slimmed)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return boto3.Session("testing", "testing", None, "us-east-1", session)


@pytest.fixture(scope="session")
def slim_client(slim_session: boto3.Session) -> Callable[..., Any]:
    return cache(slim_session.client)


@pytest.fixture
def slim_clients(slim_client: Callable[..., Any], stack: moto_stack.Stack) -> "Clients":
    """The clients of DeleteFile."""
    clients = Clients(lambda service, config: slim_client(service, config=config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "client", clients)
        for name, value in moto_stack.environment("delete_file").items():
            patch.setenv(name, value)
        composition.files()
    return clients


@pytest.fixture
def dynamodb(slim_clients: "Clients") -> Any:
    return slim_clients.only("dynamodb")


@pytest.fixture
def s3(slim_clients: "Clients") -> Any:
    return slim_clients.only("s3")


# --- The ports' adapters --------------------------------------------------------------------------


@pytest.fixture
def dynamo_files(dynamodb: Any) -> DynamoFileRecords:
    return DynamoFileRecords(dynamodb, FILES_TABLE)


@pytest.fixture
def dynamo_uploads(dynamodb: Any) -> DynamoUploadRecords:
    return DynamoUploadRecords(dynamodb, FILES_TABLE)


@pytest.fixture
def s3_blobs(s3: Any) -> S3Blobs:
    return S3Blobs(s3, FILES_BUCKET, Clock(NOW + 0.9))


@pytest.fixture
def s3_assembler(s3: Any) -> S3Assembler:
    return S3Assembler(s3, FILES_BUCKET)


# --- The ports: each test that asks for one runs in memory and on AWS -----------------------------


@dataclass(frozen=True)
class Ports:
    """The same ports, in memory or on AWS."""

    files: FileRecords
    uploads: UploadRecords
    blobs: Blobs
    assembler: Assembler
    keys: KeyStore


@pytest.fixture
def memory() -> Ports:
    files, blobs = MemoryFileRecords(), MemoryBlobs(Clock())
    assembler = MemoryAssembler(blobs, Clock())
    return Ports(files, MemoryUploadRecords(files), blobs, assembler, MemoryKeyStore())


@pytest.fixture
def aws(
    stack: moto_stack.Stack,
    dynamo_files: DynamoFileRecords,
    dynamo_uploads: DynamoUploadRecords,
    s3_blobs: S3Blobs,
    s3_assembler: S3Assembler,
) -> Ports:
    keys = DynamoKeyStore(stack.dynamodb, KEYS_TABLE)
    return Ports(dynamo_files, dynamo_uploads, s3_blobs, s3_assembler, keys)


@pytest.fixture(params=["memory", "aws"])
def ports(request: pytest.FixtureRequest) -> Ports:
    ports: Ports = request.getfixturevalue(request.param)
    return ports


@pytest.fixture
def files(ports: Ports) -> FileRecords:
    return ports.files


@pytest.fixture
def uploads(ports: Ports) -> UploadRecords:
    return ports.uploads


@pytest.fixture
def blobs(ports: Ports) -> Blobs:
    return ports.blobs


@pytest.fixture
def assembler(ports: Ports) -> Assembler:
    return ports.assembler


@pytest.fixture
def keys(ports: Ports) -> KeyStore:
    return ports.keys


# --- Answers of AWS ----------------------------------------------------------------------------


def aws_answer(request: AWSPreparedRequest, status: int, body: str = "") -> AWSResponse:
    """An answer of a service, as botocore receives it from the network."""
    return AWSResponse(str(request.url), status, HTTPHeaders(), _Raw(body.encode()))


class _Raw(BytesIO):
    """The body of an answer."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


# --- Clients --------------------------------------------------------------------------------------


class Clients:
    """Takes the place of `composition.client`, and notes what it is asked for.

    Args:
        make: makes a client.

    Attributes:
        made: the clients of each service, by their configuration.
    """

    def __init__(self, make: Callable[[str, Config], Any]) -> None:
        self.made: dict[str, dict[Config, Any]] = {}
        self._make = make

    def __call__(self, service: str, config: Config) -> Any:
        client = self._make(service, config)
        self.made.setdefault(service, {})[config] = client
        return client

    def only(self, service: str) -> Any:
        """The one client of a service."""
        (client,) = self.made[service].values()
        return client


@pytest.fixture
def clients(stack: moto_stack.Stack, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """The clients that `composition` makes in this test."""
    clients = Clients(composition.client)
    monkeypatch.setattr(composition, "client", clients)
    return clients


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Calls a handler at an event of a client, which other tests share, during this test."""
    with ExitStack() as undo:

        def register(client: Any, event: str, handler: Callable[..., Any]) -> None:
            client.meta.events.register(event, handler)
            undo.callback(client.meta.events.unregister, event, handler)

        yield register
