"""Each service is made of what its function's variables name, and makes no client too many."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from files_api import composition
from files_api.aws.blobs import S3Blobs
from files_api.aws.file_records import DynamoFileRecords
from files_api.service.assembly import Assembly
from files_api.service.blob_check import BlobCheck
from files_api.service.blob_keys import FileBlob, PartBlob
from files_api.service.completion import AT_ONCE_SECONDS, Completion
from files_api.service.errors import FileTooLarge, InvalidValue
from files_api.service.files import MAX_INLINE_BYTES, Content
from files_api.service.ids import new_id
from files_api.service.keys import Key, Keys
from files_api.service.lifetimes import Lifetimes
from files_api.service.listing import Listing
from files_api.service.model import File, NewFile, Part, PendingFile, PresignedUrl, Upload
from files_api.service.ports import PageRequest
from files_api.service.purge import RemovedFile
from files_api.service.quota import NO_OWN
from tests.adapters.conftest import (
    FILES_BUCKET,
    FILES_TABLE,
    KEYS_TABLE,
    Clients,
    Hook,
    Ports,
    aws_answer,
)
from tests.support.functions import load_app
from tests.support.moto_stack import Stack
from tests.support.samples import NOW, PURPOSES, a_file
from tests.support.template import ROOT

ENVIRONMENT = {
    "FILES_TABLE": FILES_TABLE,
    "FILES_BUCKET": FILES_BUCKET,
    "KEYS_TABLE": KEYS_TABLE,
    "PURPOSES": "reports,batch",
    "ALLOWED_ORIGIN": "",
    "MAX_FILE_BYTES": "10",
    "MAX_PROJECT_BYTES": "0",
    "MAX_PROJECT_FILES": "0",
    "DEFAULT_LIFETIME_SECONDS": "86400",
    "MIN_LIFETIME_SECONDS": "7200",
    "MAX_LIFETIME_SECONDS": "604800",
    "DOWNLOAD_URL_SECONDS": "77",
    "ASSEMBLE_FUNCTION": "assemble-upload",
    "DELETE_EXPIRED_FUNCTION": "delete-expired",
    "AWS_LAMBDA_FUNCTION_NAME": "itself",
}
LATER = 4_102_444_800  # in the year 2100


@pytest.fixture(autouse=True)
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def no_cached_clients() -> Iterator[None]:
    """Clients are made for the test's region, and not kept for another test."""
    client = composition.client
    client.cache_clear()
    yield
    client.cache_clear()


@dataclass(frozen=True)
class Stored:
    """What the stack has.

    Attributes:
        file: a file.
        orphan: a blob that nothing owns.
        pending: a pending file, whose bytes have not arrived.
        open: an upload that is complete but for the call.
        completed: an upload that nobody assembles yet.
        part: of both uploads the only one.
        key: an API key.
        secret: of that key.
    """

    file: File
    orphan: FileBlob
    pending: File
    open: Upload
    completed: Upload
    part: Part
    key: Key
    secret: str


@pytest.fixture
def stored(aws: Ports) -> Stored:
    file, orphan = a_file(), FileBlob("acme", new_id(), direct=False)
    pending, uploaded = a_file(status="pending", direct=True), a_file(status="uploaded")
    aws.files.add("acme", file)
    aws.files.add_pending("acme", PendingFile(pending, LATER))
    part_id = new_id()
    opened = [Upload(new_id(), 3, NOW, "a", "batch", "text/plain", LATER) for _ in range(2)]
    for upload in opened:
        aws.uploads.open("acme", upload)
        aws.uploads.add_part("acme", Part(part_id, upload.id, 3, NOW))
        aws.blobs.put(PartBlob("acme", upload.id, part_id).key, b"abc")
    for key in (file.blob_key("acme"), orphan.key):
        aws.blobs.put(key, b"abc")
    completed = replace(opened[1], status="completed", file_id=uploaded.id, part_ids=(part_id,))
    assert aws.uploads.close("acme", completed, PendingFile(uploaded, LATER))
    part = Part(part_id, completed.id, 3, NOW)
    return Stored(file, orphan, pending, opened[0], completed, part, *Keys(aws.keys).create("acme"))


# --- The stack's stores and settings --------------------------------------------------------------


def test_created_files_are_in_the_stacks_stores(aws: Ports) -> None:
    content = b"0123456789"

    file = composition.intake().create("acme", NewFile("a.txt", "reports", 10), content)

    assert aws.files.get("acme", file.id) == file
    assert aws.blobs.get(file.blob_key("acme")) == content
    for files in (composition.files(), composition.retrieval()):
        assert files.retrieve("acme", file.id) == file
    found, downloaded = composition.downloads().content("acme", file.id)
    assert isinstance(downloaded, Content)
    assert (found, downloaded.bytes) == (file, content)
    for project, listed in [("acme", [file.public_json()]), ("globex", [])]:
        assert composition.listing().page(project, PageRequest(10)).files == listed


def test_the_limits_are_the_stacks() -> None:
    calls: list[Callable[[NewFile], object]] = [
        lambda new: composition.intake().create("acme", new, bytes(new.size)),
        lambda new: composition.uploads().create("acme", new),
    ]
    for call in calls:
        with pytest.raises(InvalidValue, match="must be one of reports, batch"):
            call(NewFile("a", "vision", 1))
        with pytest.raises(FileTooLarge, match="maximum file size is 10 bytes"):
            call(NewFile("a", "batch", 11))
    with pytest.raises(InvalidValue, match="must be one of reports, batch"):
        composition.listing().page("acme", PageRequest(10, "vision"))


def test_a_download_url_is_valid_as_long_as_the_stack_says(aws: Ports) -> None:
    file = replace(a_file(), bytes=MAX_INLINE_BYTES + 1)
    aws.files.add("acme", file)

    _, url = composition.downloads().content("acme", file.id)

    assert isinstance(url, PresignedUrl)
    assert parse_qs(urlsplit(url.url).query)["X-Amz-Expires"] == ["77"]


def test_purged_files_leave_the_stacks_stores(stored: Stored, aws: Ports) -> None:
    composition.purge().removed([RemovedFile("acme", stored.file)])

    assert aws.files.get("acme", stored.file.id) is None
    assert aws.blobs.get(stored.file.blob_key("acme")) is None


def test_maximum_lifetime_holds_if_the_minimum_contradicts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BUCKET_DOMAIN", "bucket.example")
    assert composition.site()[1].lifetimes == Lifetimes(86_400, least=7_200, most=604_800)

    monkeypatch.setenv("MAX_LIFETIME_SECONDS", "3600")
    assert composition.site()[1].lifetimes == Lifetimes(86_400, least=3_600, most=3_600)


def test_keys_are_in_the_stacks_table(stored: Stored) -> None:
    assert composition.keys().find(stored.secret) == stored.key


def test_an_aws_error_is_logged_without_private_data(
    stack: Stack, logged: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILES_BUCKET", "no-such-bucket")
    monkeypatch.setenv("PURPOSES", ",".join(PURPOSES))
    monkeypatch.setenv("MAX_FILE_BYTES", "1000000")
    event = json.loads((ROOT / "events/create_file/success_file_first.json").read_text())

    answer = load_app("create_file").lambda_handler(event, None)

    assert answer["statusCode"] == 500
    (line,) = logged()
    assert line["exception_name"] == "NoSuchBucket"
    for private in ("handbook.pdf", "sk-example", "%PDF", event["body"][:40]):
        assert private not in json.dumps(line)


@pytest.mark.parametrize(
    "queue_assembly",
    [
        lambda stored: composition.completion().complete(
            "acme", stored.completed.id, stored.completed.part_ids
        ),
        lambda stored: composition.blob_check().check(
            PartBlob("acme", stored.completed.id, stored.part.id)
        ),
    ],
    ids=["completion", "blob_check"],
)
def test_assemblies_are_queued_for_the_stacks_function(
    queue_assembly: Callable[[Stored], object],
    stored: Stored,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requested: list[str] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        requested.append(urlsplit(str(request.url)).path)
        return aws_answer(request, 202)

    make = composition.client

    def client(service: str, config: Any) -> Any:
        made = make(service, config)
        if service == "lambda":
            hook(made, "before-send.lambda", answer)
        return made

    monkeypatch.setattr(composition, "client", client)

    queue_assembly(stored)

    assert requested == ["/2015-03-31/functions/assemble-upload/invocations"]


# --- Variables and clients ------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A service.

    Attributes:
        compose: makes it.
        variables: that it needs.
        clients: the AWS services that its function's usual call uses.
        usual: that call.
    """

    compose: Callable[[], Any]
    variables: set[str]
    clients: set[str]
    usual: Callable[[Any, Stored], object]


QUOTA = {"MAX_PROJECT_BYTES", "MAX_PROJECT_FILES"}
TABLE, BOTH = {"FILES_TABLE"}, {"FILES_TABLE", "FILES_BUCKET"}
LIMITS = {
    "PURPOSES",
    "MAX_FILE_BYTES",
    "DEFAULT_LIFETIME_SECONDS",
    "MIN_LIFETIME_SECONDS",
    "MAX_LIFETIME_SECONDS",
}
ASSEMBLE = {"ASSEMBLE_FUNCTION"}
DYNAMODB, WITH_S3 = {"dynamodb"}, {"dynamodb", "s3"}
NEW = NewFile("a.txt", "batch", 3, mime_type="text/plain")


def list_files(listing: Listing, _: Stored) -> object:
    return listing.page("acme", PageRequest(10))


def completed(completion: Completion, stored: Stored) -> object:
    return completion.complete("acme", stored.open.id, (stored.part.id,))


def assembled(assembly: Assembly, stored: Stored) -> None:
    assembly.run("acme", stored.completed.id)


def checked(check: BlobCheck, stored: Stored) -> None:
    check.check(FileBlob("acme", stored.file.id, direct=False))


CASES = [
    Case(
        composition.listing,
        TABLE | {"PURPOSES", "DELETE_EXPIRED_FUNCTION"},
        DYNAMODB,
        list_files,
    ),
    Case(composition.expiry, TABLE, DYNAMODB, lambda s, _: s.delete("acme")),
    Case(composition.retrieval, BOTH, DYNAMODB, lambda s, has: s.retrieve("acme", has.file.id)),
    Case(composition.files, BOTH, WITH_S3, lambda s, has: s.delete("acme", has.file.id)),
    Case(
        composition.downloads,
        BOTH | {"DOWNLOAD_URL_SECONDS"},
        WITH_S3,
        lambda s, has: s.content("acme", has.file.id),
    ),
    Case(
        composition.intake,
        BOTH | LIMITS | QUOTA,
        WITH_S3,
        lambda s, _: s.create("acme", NEW, b"abc"),
    ),
    Case(composition.uploads, TABLE | LIMITS | QUOTA, DYNAMODB, lambda s, _: s.create("acme", NEW)),
    Case(
        composition.usage,
        TABLE | QUOTA | {"MAX_FILE_BYTES"},
        DYNAMODB,
        lambda s, _: s[0].public("acme", NO_OWN, s[1]),
    ),
    Case(composition.cancellation, TABLE, DYNAMODB, lambda s, has: s.cancel("acme", has.open.id)),
    Case(composition.parts, BOTH, WITH_S3, lambda s, has: s.add("acme", has.open.id, b"abc")),
    Case(composition.completion, BOTH | ASSEMBLE, WITH_S3, completed),
    Case(composition.assembly, BOTH | {"AWS_LAMBDA_FUNCTION_NAME"}, WITH_S3, assembled),
    Case(
        composition.failed_assembly,
        BOTH,
        WITH_S3,
        lambda s, has: s.record("acme", has.completed.id),
    ),
    Case(
        composition.purge, BOTH, WITH_S3, lambda s, has: s.removed([RemovedFile("acme", has.file)])
    ),
    Case(composition.blob_check, BOTH | ASSEMBLE, DYNAMODB, checked),
    Case(composition.keys, {"KEYS_TABLE"}, DYNAMODB, lambda s, has: s.find(has.secret)),
]
every_service = pytest.mark.parametrize("case", CASES, ids=lambda case: case.compose.__name__)


@every_service
def test_a_service_needs_its_variables_and_no_others(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT.keys() - case.variables:
        monkeypatch.delenv(name)
    case.compose()
    for name in case.variables:
        with monkeypatch.context() as patch:
            patch.delenv(name)
            with pytest.raises(KeyError, match=name):
                case.compose()


@every_service
def test_a_service_starts_with_the_clients_of_its_usual_call(
    case: Case, clients: Clients, stored: Stored, hook: Hook
) -> None:
    service = case.compose()
    assert {name: len(made) for name, made in clients.made.items()} == dict.fromkeys(
        case.clients, 1
    )
    used: set[str] = set()
    for name in case.clients:
        hook(
            clients.only(name),
            "before-call",
            lambda model, **_: used.add(model.service_model.service_name),
        )

    case.usual(service, stored)

    assert used == case.clients
    assert clients.made.keys() == case.clients


@pytest.mark.parametrize(
    ("compose", "call"),
    [
        (composition.retrieval, lambda files, has: files.retrieve("acme", has.pending.id)),
        (composition.blob_check, lambda check, has: check.check(has.orphan)),
    ],
    ids=["pending file", "orphan"],
)
def test_an_s3_client_that_is_seldom_needed_is_made_late(
    compose: Callable[[], Any],
    call: Callable[[Any, Stored], object],
    clients: Clients,
    stored: Stored,
) -> None:
    service = compose()
    assert "s3" not in clients.made

    call(service, stored)

    assert clients.only("s3")


@pytest.mark.usefixtures("no_cached_clients")
def test_services_share_clients_with_the_same_configuration() -> None:
    for _ in range(2):
        composition.files()
        composition.intake()

    assert composition.client.cache_info().misses == 2


# --- How the clients are configured ---------------------------------------------------------------


REGIONS = {
    "us-east-1": "amazonaws.com",
    "eu-west-1": "amazonaws.com",
    "eu-central-1": "amazonaws.com",
    "eu-south-2": "amazonaws.com",  # opened after March 2019
    "ap-southeast-5": "amazonaws.com",
    "mx-central-1": "amazonaws.com",
    "us-gov-west-1": "amazonaws.com",
    "cn-north-1": "amazonaws.com.cn",
}
COMPOSERS = [each.compose for each in CASES if "s3" in each.clients]


@pytest.mark.parametrize("compose", COMPOSERS, ids=lambda compose: compose.__name__)
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.usefixtures("no_cached_clients")
def test_urls_name_the_bucket_in_its_region(
    region: str, compose: Callable[[], Any], clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    compose()
    blobs = S3Blobs(clients.only("s3"), FILES_BUCKET)

    put = urlsplit(blobs.presign_put("direct/acme/1", 3, None, 900).url)
    get = urlsplit(blobs.presign_get("direct/acme/1", "a.txt", 900).url)

    for url in (put, get):
        assert url.scheme == "https"
        assert url.netloc == f"{FILES_BUCKET.lower()}.s3.{region}.{REGIONS[region]}"
        assert url.path == "/direct/acme/1"
        credential = parse_qs(url.query)["X-Amz-Credential"][0]
        assert credential.endswith(f"/{region}/s3/aws4_request")
    signed = parse_qs(put.query)["X-Amz-SignedHeaders"]
    assert signed == ["content-length;content-type;host;if-none-match"]


@pytest.mark.usefixtures("no_cached_clients")
def test_urls_keep_an_endpoint_that_the_environment_names(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:3001")
    composition.files()

    url = S3Blobs(clients.only("s3"), FILES_BUCKET).presign_get("files/acme/1", "a.txt", 900).url

    assert url.startswith(f"http://127.0.0.1:3001/{FILES_BUCKET}/files/acme/1?")


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.usefixtures("no_cached_clients")
def test_dynamodb_is_called_at_the_regions_endpoint(
    region: str, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")  # as the SAM CLI does
    composition.retrieval()
    called = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        called.append(urlsplit(str(request.url)).netloc)
        return aws_answer(request, 200, "{}")

    clients.only("dynamodb").meta.events.register("before-send.dynamodb", answer)
    DynamoFileRecords(clients.only("dynamodb"), FILES_TABLE).get("acme", new_id())

    assert called == [f"dynamodb.{region}.{REGIONS[region]}"]


@pytest.mark.parametrize(
    "compose",
    [
        composition.listing,
        composition.retrieval,
        composition.files,
        composition.downloads,
        composition.intake,
        composition.uploads,
        composition.cancellation,
        composition.parts,
        composition.keys,
    ],
    ids=lambda compose: compose.__name__,
)
def test_a_request_to_aws_fits_the_gateway_timeout(
    compose: Callable[[], Any], clients: Clients
) -> None:
    compose()

    for client in (client for made in clients.made.values() for client in made.values()):
        config = client.meta.config
        attempts = config.retries["total_max_attempts"]
        assert attempts > 1
        assert attempts * (config.connect_timeout + config.read_timeout) < 29


def test_an_assembly_at_once_fits_the_gateway_timeout(clients: Clients) -> None:
    composition.completion()

    config = clients.only("s3").meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts > 1
    assert AT_ONCE_SECONDS + attempts * (config.connect_timeout + config.read_timeout) <= 26


@pytest.mark.parametrize(
    ("compose", "assemble"),
    [(composition.completion, completed), (composition.assembly, assembled)],
    ids=["completion", "assembly"],
)
def test_an_assemblys_parts_are_sent_without_a_checksum(
    compose: Callable[[], Any],
    assemble: Callable[[Any, Stored], object],
    clients: Clients,
    stored: Stored,
    hook: Hook,
) -> None:
    service = compose()
    sent: list[str] = []
    hook(
        clients.only("s3"),
        "before-send.s3.UploadPart",
        lambda request, **_: sent.extend(request.headers),
    )

    assemble(service, stored)

    assert sent
    assert [name for name in sent if "checksum" in name.lower() or "trailer" in name.lower()] == []
