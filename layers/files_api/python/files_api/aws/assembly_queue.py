"""The assembly queue: asynchronous invocations of the function that assembles uploads."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaAssemblyQueue:
    """`service.ports.AssemblyQueue`: Lambda queues each invocation and retries it.

    Args:
        client: a Lambda client.
        function: name of the function that assembles.
    """

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def send(self, project: str, upload_id: str) -> None:
        answer = self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps({"project": project, "upload_id": upload_id}),
        )
        answer["Payload"].read()  # empty, but once it is read the connection can be reused
