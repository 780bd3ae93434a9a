"""Work that no caller waits for: Lambda queues each invocation of a function, and retries it."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class _LambdaQueue:
    """A function's queue of asynchronous invocations.

    Args:
        client: a Lambda client.
        function: the function's name.
    """

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def _invoke(self, **work: str) -> None:
        answer = self._client.invoke(
            FunctionName=self._function, InvocationType="Event", Payload=json.dumps(work)
        )
        answer["Payload"].read()  # empty, but once it is read the connection can be reused


class LambdaAssemblyQueue(_LambdaQueue):
    """`service.ports.AssemblyQueue`."""

    def send(self, project: str, upload_id: str) -> None:
        self._invoke(project=project, upload_id=upload_id)


class LambdaExpiryQueue(_LambdaQueue):
    """`service.ports.ExpiryQueue`."""

    def send(self, project: str) -> None:
        self._invoke(project=project)
