"""Work that no caller waits for, handed to a function of its own."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaLater:
    """`ports.Later` by asynchronous invocation: Lambda queues the work and tries it again.

    Args:
        client: a Lambda client.
        function: the name of the function that assembles.
    """

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def assemble(self, project: str, upload_id: str) -> None:
        answer = self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps({"project": project, "upload_id": upload_id}),
        )
        answer["Payload"].read()  # nothing, but the connection can be used again
