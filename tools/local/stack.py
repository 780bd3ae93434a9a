"""The whole system on this machine: the template, deployed to MiniStack, behind a local gateway.

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

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tools.errors import StackError
from tools.local import parameters as template_parameters
from tools.local.deployment import Deployment
from tools.local.gateway import responses
from tools.local.gateway.edge import Edge
from tools.local.ministack import HOST, ROOT, MiniStack, free_port

type Progress = Callable[[str], AbstractContextManager[object]]


class LocalStack:
    """A running system; use it in a `with` statement.

    Args:
        folder: where files, keys, builds and the log are kept.
        port: where the API listens on 127.0.0.1; 0 for any free port.
        parameters: of the template, if they differ from its defaults.
        project: the folder with template.yaml.
        progress: called with the name of each step; returns a context manager for the step.

    Attributes:
        outputs: the stack's outputs, name to value.
        log: the file with the output of MiniStack and the AWS SAM CLI.
        progress: as given.

    Raises:
        StackError: a parameter is invalid.
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
        self.progress = progress
        self._folder = folder
        self._port = port
        self._parameters = template_parameters.complete(project / "template.yaml", parameters or {})
        self._project = project
        # Tells the other commands of this checkout where the stack is, while it runs.
        self._endpoint_file = folder / "endpoint"
        self._ministack: MiniStack
        self._edge: Edge | None = None

    @property
    def base_url(self) -> str:
        """The `base_url` for an OpenAI SDK."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def console_url(self) -> str:
        """The console, for people with a key."""
        return f"http://{HOST}:{self._port}/"

    @property
    def reference_url(self) -> str:
        """The reference of the API, in which its calls can be tried."""
        return f"{self.console_url}docs"

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return self._ministack.endpoint

    @property
    def has_usual_ports(self) -> bool:
        """Whether the AWS services listen on the port after the API's.

        Presigned URLs contain that port: if it stays the same, they outlive a restart.
        """
        return self._ministack.port == self._port + 1

    @property
    def keys(self) -> Keys:
        """Its API keys."""
        return Keys(DynamoKeyStore(self.client("dynamodb"), self.outputs["KeysTable"]))

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of this AWS, with all permissions."""
        return self._ministack.client(service, config)

    def wait(self) -> None:
        """Blocks until MiniStack ends, then raises StackError: only `__exit__` should end it."""
        self._ministack.wait()

    def __enter__(self) -> Self:
        """Starts the stack, and deploys what has changed since the last start.

        Raises:
            StackError: the stack cannot start.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        listener = self._listen()
        self._ministack = MiniStack(self._folder / "aws", free_port(self._port + 1), self.log)
        try:
            with self.progress("Starting MiniStack"):
                self._ministack.start()
            self._deploy()
            self._edge = self._new_edge(listener)
            self._edge.start()
            self._endpoint_file.write_text(self.endpoint + "\n")
        except BaseException as error:
            # The next start must not find half a deployment, so this one's changes are not saved.
            # Nobody has stored anything meanwhile: the edge was not running.
            listener.close()
            self._ministack.stop(save=False)
            if isinstance(error, (BotoCoreError, ClientError)):
                raise StackError(f"MiniStack rejected a request: {error}.", self.log) from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finishes the requests in progress, saves, and stops everything."""
        self._endpoint_file.unlink(missing_ok=True)
        if self._edge is not None:
            self._edge.stop()
        self._ministack.stop()

    def _listen(self) -> socket.socket:
        """Takes the port first, so that a port in use is reported before the slow steps."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._port))
        except OSError as error:
            listener.close()
            raise StackError(
                f"Port {self._port} is in use: stop the program that listens there, or set PORT."
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
            with self.progress("Building functions and layers"):
                deployment.build()
            with self.progress("Deploying template.yaml"):
                deployment.deploy()
        self.outputs = deployment.outputs()

    def _new_edge(self, listener: socket.socket) -> Edge:
        api, stage = self.outputs["ApiId"], self.outputs["StageName"]
        described = self.client("apigateway").get_gateway_responses(restApiId=api)["items"]
        target = f"{self.endpoint}/_aws/execute-api/{api}/{stage}"
        return Edge(listener, target, responses.read(described))
