"""A stack to work on: the local one of `make dev`, or one deployed to AWS."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys
from tools.errors import StackError
from tools.local import ministack
from tools.local.deployment import STACK

ENDPOINT = ministack.LOCAL / "endpoint"  # the local stack writes it, and deletes it at its end

NOT_RUNNING = (
    "The local stack is not running: start it with `make dev`, "
    "or name a deployed stack with --stack-name."
)
SIGN_IN = "sign in, or use --profile."
EXPIRED = "The AWS credentials have expired: sign in again."
UNKNOWN = f"AWS does not know these credentials: {SIGN_IN}"
# Each AWS service has its own code for this.
CODES = {
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "RequestExpired": EXPIRED,
    "InvalidClientTokenId": UNKNOWN,
    "UnrecognizedClientException": UNKNOWN,
}
SENTENCES: dict[type[BotoCoreError], str] = {
    CredentialRetrievalError: f"The AWS credentials could not be loaded: {SIGN_IN}",
    NoCredentialsError: f"No AWS credentials were found: {SIGN_IN}",
    NoRegionError: "No AWS region is set: use --region, AWS_REGION or the region of a profile.",
    PartialCredentialsError: f"The AWS credentials are incomplete: {SIGN_IN}",
    SSOError: EXPIRED,
    TokenRetrievalError: EXPIRED,
}


def sentence(error: BotoCoreError | ClientError) -> str:
    """The message for the person at the terminal."""
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return CODES.get(code, f"AWS rejected {error.operation_name}: {message}")
    if isinstance(error, ProfileNotFound):
        return f"There is no AWS profile {error.kwargs['profile']}."
    known = (text for kind, text in SENTENCES.items() if isinstance(error, kind))
    return next(known, " ".join(str(error).split()))


@dataclass(frozen=True)
class Stack:
    """A completed deployment.

    Attributes:
        session: where it is.
        options: of each client.
        outputs: of the stack, by name.
        parameters: of the template, by name.
    """

    session: boto3.Session
    options: Mapping[str, Any]
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    def parameter(self, name: str) -> int:
        """A parameter that is a number."""
        return int(self.parameters[name])

    def client(self, service: str) -> Any:
        """A client of an AWS service."""
        return self.session.client(service, **self.options)  # type: ignore[call-overload]

    @property
    def keys(self) -> Keys:
        """The stack's keys."""
        store = DynamoKeyStore(self.client("dynamodb"), self.outputs["KeysTable"])
        return Keys(store, prefix=self.outputs["KeyPrefix"])

    @property
    def cache_sentence(self) -> str:
        """How soon the gateway refuses a key that ends."""
        seconds = self.parameter("AuthorizerTtlSeconds")
        if not seconds:
            return "The authorizer caches nothing, so the key is refused from then on."
        return f"The authorizer's cache may accept it for up to {seconds} more seconds."

    @property
    def quota_sentence(self) -> str:
        """How soon a project's new quota holds."""
        seconds = self.parameter("AuthorizerTtlSeconds")
        return f"It holds within {seconds} seconds." if seconds else "It holds from now on."


@dataclass(frozen=True)
class Place:
    """Where the stack is, according to the options before the command."""

    stack_name: str | None
    region: str | None
    profile: str | None

    def open(self) -> Stack:
        """Finds the stack. Raises StackError, or what boto3 raises."""
        return self._deployed(self.stack_name) if self.stack_name else self._local()

    def _local(self) -> Stack:
        try:
            endpoint = ENDPOINT.read_text().strip()
        except FileNotFoundError:
            raise StackError(NOT_RUNNING) from None
        once = Config(connect_timeout=2, proxies={}, retries={"total_max_attempts": 1})
        try:
            stack = _stack(ministack.session(), STACK, endpoint_url=endpoint, config=once)
        except (EndpointConnectionError, HTTPClientError, ResponseParserError):
            stack = None  # nothing listens there, or another program does
        if stack is None:
            raise StackError(NOT_RUNNING)
        return stack

    def _deployed(self, name: str) -> Stack:
        # Other AWS tools read AWS_REGION; boto3 reads only AWS_DEFAULT_REGION.
        region = self.region or os.environ.get("AWS_REGION")
        session = boto3.Session(profile_name=self.profile, region_name=region)
        stack = _stack(session, name)
        if stack is None:
            raise StackError(f"There is no stack {name} in {session.region_name}.")
        return stack


def _stack(session: boto3.Session, name: str, **options: Any) -> Stack | None:
    """The CloudFormation stack; None if there is no such stack."""
    try:
        found = session.client("cloudformation", **options).describe_stacks(StackName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    (stack,) = found["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])
    }
    if "KeyPrefix" not in outputs or "AuthorizerTtlSeconds" not in parameters:
        raise StackError(f"The stack {name} is not a completed deployment of this API.")
    return Stack(session, options, outputs, parameters)
