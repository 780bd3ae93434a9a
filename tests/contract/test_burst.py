"""Many first calls at once, each of which needs a new worker of the authorizer and the function."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tools.local.stack import LocalStack

CALLS = 20


def test_a_burst_of_first_calls_is_answered(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as stack:
        store = DynamoKeyStore(stack.client("dynamodb"), stack.outputs["KeysTable"])
        _, key = Keys(store).create("burst")
        headers = {"Authorization": f"Bearer {key}"}
        with (
            httpx2.Client(base_url=stack.base_url, headers=headers, timeout=60) as http,
            ThreadPoolExecutor(CALLS) as pool,
        ):
            calls = [
                pool.submit(
                    http.post,
                    "/files",
                    data={"purpose": "user_data"},
                    files={"file": ("a.txt", b"content")},
                )
                for _ in range(CALLS)
            ]
            answers = [call.result() for call in calls]
            listed = http.get("/files").json()["data"]

    assert [answer.status_code for answer in answers] == [200] * CALLS
    assert {answer.json()["id"] for answer in answers} == {file["id"] for file in listed}
