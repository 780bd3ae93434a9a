"""A fresh stack: its parameters, and many first calls at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tools.local.stack import LocalStack

CALLS = 20


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that no call has reached yet."""
    parameters = {"AuthorizerTtlSeconds": "0", "MaxFileBytes": "100"}
    with LocalStack(tmp_path_factory.mktemp("fresh"), parameters=parameters) as stack:
        yield stack


@pytest.fixture(scope="module")
def api(fresh: LocalStack) -> Iterator[httpx2.Client]:
    store = DynamoKeyStore(fresh.client("dynamodb"), fresh.outputs["KeysTable"])
    headers = {"Authorization": f"Bearer {Keys(store).create('burst')[1]}"}
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


def test_parameters_reach_functions_and_gateway(fresh: LocalStack, api: httpx2.Client) -> None:
    assert [create(api, bytes(size)).status_code for size in (100, 101)] == [200, 413]
    gateway = fresh.client("apigateway")
    (found,) = gateway.get_authorizers(restApiId=fresh.outputs["ApiId"])["items"]
    assert found["authorizerResultTtlInSeconds"] == 0
