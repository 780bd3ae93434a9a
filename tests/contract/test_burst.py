"""A fresh stack: many first calls at once, its parameters, its first restart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.contract.conftest import eventually
from tools.local.stack import LocalStack

pytestmark = pytest.mark.xdist_group("fresh-stack")  # its fixtures are made once
CALLS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fresh")


@pytest.fixture(scope="module")
def fresh(folder: Path) -> Iterator[LocalStack]:
    """A stack that no call has reached yet."""
    parameters = {"AuthorizerTtlSeconds": "0", "MaxFileBytes": "100"}
    with LocalStack(folder, parameters=parameters) as stack:
        yield stack


@pytest.fixture(scope="module")
def api(fresh: LocalStack) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {fresh.keys.create('burst')[1]}"}
    with httpx2.Client(base_url=fresh.base_url, headers=headers, timeout=60) as client:
        yield client


def create(api: httpx2.Client, content: bytes) -> httpx2.Response:
    files = {"file": ("a.txt", content)}
    return api.post("/files", data={"purpose": "user_data"}, files=files)


def test_a_burst_of_first_calls_is_answered(api: httpx2.Client) -> None:
    with ThreadPoolExecutor(CALLS) as pool:
        answers = [*pool.map(lambda _: create(api, b"content"), range(CALLS))]

    assert [answer.status_code for answer in answers] == [200] * CALLS
    listed = api.get("/files").json()["data"]
    assert {answer.json()["id"] for answer in answers} == {file["id"] for file in listed}


def test_a_functions_workers_are_few_and_share_its_layers(api: httpx2.Client, folder: Path) -> None:
    assert create(api, b"content").status_code == 200

    temporary = folder / "aws" / "temporary"
    assert 1 <= len([*temporary.glob("ministack-lambda-*-CreateFile-*")]) <= 4
    assert not [*temporary.glob("ministack-lambda-*/layer_*")]


def test_parameters_reach_functions_and_gateway(fresh: LocalStack, api: httpx2.Client) -> None:
    assert [create(api, bytes(size)).status_code for size in (100, 101)] == [200, 413]
    gateway = fresh.client("apigateway")
    (found,) = gateway.get_authorizers(restApiId=fresh.outputs["ApiId"])["items"]
    assert found["authorizerResultTtlInSeconds"] == 0


def test_streams_are_read_after_a_restart(fresh: LocalStack, api: httpx2.Client) -> None:
    expire(fresh, create(api, b"content").json()["id"])

    fresh.__exit__(None, None, None)
    fresh.__enter__()

    expire(fresh, create(api, b"content").json()["id"])


def expire(fresh: LocalStack, file_id: str) -> None:
    """Deletes a file's item, as the table's TTL does; waits until its blob is deleted, too."""
    key = {"PK": {"S": "burst"}, "SK": {"S": f"FILE#{file_id}"}}
    fresh.client("dynamodb").delete_item(TableName=fresh.outputs["FilesTable"], Key=key)
    s3, blob = fresh.client("s3"), {"Bucket": fresh.outputs["FilesBucket"], "Prefix": "files/"}
    eventually(lambda: file_id not in str(s3.list_objects_v2(**blob).get("Contents")))
