"""That each service is made of what its function's variables name, and of nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest

from files_api import completion, composition
from files_api.blobs import S3Blobs
from files_api.errors import FileTooLarge, InvalidValue
from files_api.files import MAX_INLINE_BYTES
from files_api.keys import DynamoKeyStore, Keys
from files_api.model import Link
from files_api.records import DynamoRecords
from files_api.segments import plan
from tests.integration.samples import FILES_BUCKET, FILES_TABLE, KEYS_TABLE
from tests.moto_stack import Stack
from tests.unit.samples import a_file


@pytest.fixture(autouse=True)
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILES_TABLE", FILES_TABLE)
    monkeypatch.setenv("FILES_BUCKET", FILES_BUCKET)
    monkeypatch.setenv("KEYS_TABLE", KEYS_TABLE)
    monkeypatch.setenv("PURPOSES", "reports,batch")
    monkeypatch.setenv("MAX_FILE_BYTES", "10")
    monkeypatch.setenv("DOWNLOAD_LINK_SECONDS", "77")
    monkeypatch.setenv("ASSEMBLE_FUNCTION", "assemble-upload")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "itself")


def test_files_taken_in_are_in_the_stacks_table_and_bucket(stack: Stack) -> None:
    file = composition.intake().create(
        "acme", filename="a.txt", purpose="reports", content=b"0123456789"
    )

    assert DynamoRecords(stack.dynamodb, FILES_TABLE).get("acme", file.id) == file
    assert S3Blobs(stack.s3, FILES_BUCKET).get(file.key("acme")) == b"0123456789"
    assert composition.files().retrieve("acme", file.id) == file
    assert composition.downloads().content("acme", file.id) == (file, b"0123456789")
    assert composition.listing().page("acme", limit=10).docs == [file.doc()]


def test_purposes_and_the_largest_file_are_the_stacks() -> None:
    with pytest.raises(InvalidValue, match="must be one of reports, batch"):
        composition.intake().create("acme", filename="a", purpose="vision", content=b"a")
    with pytest.raises(InvalidValue, match="must be one of reports, batch"):
        composition.listing().page("acme", purpose="vision", limit=10)
    with pytest.raises(FileTooLarge, match="up to 10 bytes"):
        composition.intake().create("acme", filename="a", purpose="batch", content=b"0" * 11)


def test_the_link_to_a_large_file_is_good_as_long_as_the_stack_says(stack: Stack) -> None:
    file = replace(a_file(), bytes=MAX_INLINE_BYTES + 1)
    DynamoRecords(stack.dynamodb, FILES_TABLE).add("acme", file)

    _, link = composition.downloads().content("acme", file.id)

    assert isinstance(link, Link)
    assert parse_qs(urlsplit(link.url).query)["X-Amz-Expires"] == ["77"]


def test_what_nothing_owns_is_removed_from_the_stacks_table_and_bucket(stack: Stack) -> None:
    blobs, records = S3Blobs(stack.s3, FILES_BUCKET), DynamoRecords(stack.dynamodb, FILES_TABLE)
    file = a_file()
    records.add("acme", file)
    blobs.put(file.key("acme"), b"abc")

    composition.purge().file_removed("acme", file)

    assert (records.get("acme", file.id), blobs.get(file.key("acme"))) == (None, None)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_urls_are_signed_alike_in_every_region(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setattr(botocore.session, "get_session", botocore.session.Session)

    link = composition.files()._blobs.put_link("direct/acme/1", 3, None, 900)

    query = parse_qs(urlsplit(link.url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
    assert query["X-Amz-Credential"][0].endswith(f"/{region}/s3/aws4_request")


def test_keys_are_in_the_stacks_table(stack: Stack) -> None:
    key, secret = Keys(DynamoKeyStore(stack.dynamodb, KEYS_TABLE)).create("acme")

    assert composition.keys().find(secret) == key


@pytest.mark.parametrize(
    ("compose", "variables"),
    [
        (composition.listing, {"FILES_TABLE", "PURPOSES"}),
        (composition.files, {"FILES_TABLE", "FILES_BUCKET"}),
        (composition.downloads, {"FILES_TABLE", "FILES_BUCKET", "DOWNLOAD_LINK_SECONDS"}),
        (composition.purge, {"FILES_TABLE", "FILES_BUCKET"}),
        (composition.intake, {"FILES_TABLE", "FILES_BUCKET", "PURPOSES", "MAX_FILE_BYTES"}),
        (composition.uploads, {"FILES_TABLE", "PURPOSES", "MAX_FILE_BYTES"}),
        (composition.parts, {"FILES_TABLE", "FILES_BUCKET"}),
        (composition.completion, {"FILES_TABLE", "FILES_BUCKET", "ASSEMBLE_FUNCTION"}),
        (composition.assembly, {"FILES_TABLE", "FILES_BUCKET", "AWS_LAMBDA_FUNCTION_NAME"}),
        (composition.sweep, {"FILES_TABLE", "FILES_BUCKET", "ASSEMBLE_FUNCTION"}),
        (composition.keys, {"KEYS_TABLE"}),
    ],
)
def test_a_service_needs_its_variables_and_no_other(
    compose: Callable[[], Any], variables: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {
        "FILES_TABLE",
        "FILES_BUCKET",
        "KEYS_TABLE",
        "PURPOSES",
        "MAX_FILE_BYTES",
        "DOWNLOAD_LINK_SECONDS",
        "ASSEMBLE_FUNCTION",
        "AWS_LAMBDA_FUNCTION_NAME",
    }
    for name in every - variables:
        monkeypatch.delenv(name)
    compose()
    for name in variables:
        with monkeypatch.context() as patch:
            patch.delenv(name)
            with pytest.raises(KeyError, match=name):
                compose()


def test_a_call_that_aws_does_not_answer_is_given_up_before_the_gateway_gives_up() -> None:
    config = composition.files()._records._table.client.meta.config  # type: ignore[attr-defined]

    attempts = config.retries["total_max_attempts"]
    assert attempts > 1
    assert attempts * (config.connect_timeout + config.read_timeout) < 29


def test_what_is_begun_while_a_caller_waits_is_over_before_the_gateway_gives_up() -> None:
    config = composition.completion()._blobs._client.meta.config  # type: ignore[attr-defined]

    tries = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
    assert completion._AT_ONCE_SECONDS + tries < 28


@pytest.mark.parametrize("compose", [composition.completion, composition.assembly])
def test_parts_of_an_assembly_are_sent_without_checksums_that_s3_was_not_told_of(
    compose: Callable[[], Any], stack: Stack
) -> None:
    blobs = compose()._blobs
    sent: list[str] = []
    blobs._client.meta.events.register(
        "before-send.s3.UploadPart", lambda request, **_: sent.extend(request.headers)
    )
    blobs.put("parts/acme/1/1", b"abc")

    blobs.assemble("files/acme/1", plan([("parts/acme/1/1", 3)]), float("inf"))

    assert sent
    assert [name for name in sent if "checksum" in name.lower() or "trailer" in name.lower()] == []


def test_a_record_of_another_stack_is_not_seen(stack: Stack) -> None:
    file = a_file()
    DynamoRecords(stack.dynamodb, FILES_TABLE).add("acme", file)

    assert composition.listing().page("globex", limit=10).docs == []
