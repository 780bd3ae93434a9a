"""The whole system on this machine: the template, deployed into MiniStack, behind a front door.

with LocalStack(folder) as stack:
    httpx.get(f"{stack.base_url}/files", headers=...)
    stack.client("dynamodb").scan(TableName=stack.outputs["FilesTable"])
"""

import contextlib
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from tools import gateway_responses
from tools.deployment import Deployment
from tools.edge import Edge
from tools.errors import StackError
from tools.ministack import HOST, ROOT, MiniStack, free_port, is_free

type Progress = Callable[[str], AbstractContextManager[object]]


class LocalStack:
    """A running system; use it in a `with` statement.

    Args:
        folder: keeps everything that is kept: files, keys, builds, the log.
        port: where the API listens on 127.0.0.1; 0 for any free port.
        parameters: of the template, where they differ from its defaults.
        project: the folder with template.yaml.
        progress: called with the name of each step, returns what to run it in.

    Attributes:
        outputs: the stack's outputs, name to value.
        log: the file with everything that MiniStack and the AWS SAM CLI said.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        parameters: Mapping[str, str] | None = None,
        project: Path = ROOT,
        progress: Progress = contextlib.nullcontext,
    ) -> None:
        self.log = folder / "log.txt"
        self.outputs: dict[str, str] = {}
        self._folder = folder
        self._port = port
        self._parameters = parameters or {}
        self._project = project
        self._step = progress
        # Says to other commands of this checkout where the stack is, while it runs.
        self._endpoint_file = folder / "endpoint"
        self._ministack: MiniStack
        self._edge: Edge | None = None

    @property
    def base_url(self) -> str:
        """What an OpenAI SDK takes as `base_url`."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return self._ministack.endpoint

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS, with all rights."""
        return self._ministack.client(service)

    def wait(self) -> None:
        """Block until MiniStack ends. Raises StackError then: only `__exit__` should end it."""
        self._ministack.wait()

    def __enter__(self) -> Self:
        """Start, and deploy what changed since last time.

        Raises:
            StackError: something is in the way.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        listener = self._listen()
        # Signed URLs hold this port: the neighbour keeps them good over a restart.
        neighbour = self._port + 1
        port = neighbour if neighbour < 2**16 and is_free(neighbour) else free_port()
        self._ministack = MiniStack(self._folder / "aws", port, self.log)
        try:
            self._start(listener)
        except BaseException as error:
            # A deployment that was cut off must not be found again, half made: go back to the
            # state before. Nobody has stored anything since, the door was shut.
            listener.close()
            self._ministack.stop(save=False)
            if isinstance(error, (BotoCoreError, ClientError)):
                raise StackError(f"MiniStack refused a step: {error}.", self.log) from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the requests under way, save, stop everything."""
        self._endpoint_file.unlink(missing_ok=True)
        if self._edge is not None:
            self._edge.stop()
        self._ministack.stop()

    def _start(self, listener: socket.socket) -> None:
        with self._step("Starting MiniStack"):
            self._ministack.start()
        self._deploy()
        self._edge = self._front_door(listener)
        self._edge.start()
        self._endpoint_file.write_text(self.endpoint + "\n")

    def _listen(self) -> socket.socket:
        """Take the port first: that it is busy is better said before the slow part."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._port))
        except OSError as error:
            listener.close()
            raise StackError(
                f"Port {self._port} is busy: stop what listens there, or choose another with PORT."
            ) from error
        self._port = listener.getsockname()[1]
        return listener

    def _deploy(self) -> None:
        deployment = Deployment(
            self._ministack,
            project=self._project,
            folder=self._folder / "sam",
            log=self.log,
            parameters=self._parameters,
        )
        if not deployment.is_current():
            with self._step("Building functions and layers"):
                deployment.build()
            with self._step("Deploying template.yaml"):
                deployment.deploy()
        self.outputs = deployment.outputs()

    def _front_door(self, listener: socket.socket) -> Edge:
        api, stage = self.outputs["ApiId"], self.outputs["StageName"]
        described = self.client("apigateway").get_gateway_responses(restApiId=api)["items"]
        target = f"{self.endpoint}/_aws/execute-api/{api}/{stage}"
        return Edge(listener, target, gateway_responses.read(described))
