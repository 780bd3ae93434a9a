"""Each function's role: just what the function does, found by letting it do all of it on moto."""

import runpy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from files_api import composition
from files_api.aws import file_records
from files_api.service import assembly
from files_api.service.model import Part
from tests.functions import samples, upload_samples
from tests.support import functions, moto_stack
from tests.support.clients import CLIENTS
from tests.support.template import ROOT, Stack, default_stack, listed

# What AWS's own policies let a function do: write its log, send its traces.
MANAGED = [
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
]

# What AWS's own policies let Lambda read for a function: a stream, a queue.
READING = {
    "purge": ["arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"],
    "check_blob": ["arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"],
}
# By what Lambda passes on, in a function's name, the events that it gave up.
_TO_DEAD_LETTERS = ("sqs:SendMessage", "DeadLetters.Arn")
GIVING_UP = {
    "finalize_file": _TO_DEAD_LETTERS,
    "fail_assembly": _TO_DEAD_LETTERS,
    "assemble_upload": ("lambda:InvokeFunction", "FailAssembly.Arn"),
    "purge": ("s3:PutObject", "FailedRecordsBucket.Arn/*"),
}
# What else Lambda needs for that.
_LISTING_FAILED_RECORDS = ("s3:ListBucket", "FailedRecordsBucket.Arn")

# All that any function may touch: two tables, the bucket's list and what is in it, the functions
# that others call, and the queue of dead letters.
RESOURCES = {
    "FilesTable.Arn",
    "KeysTable.Arn",
    "FilesBucket.Arn",
    "FilesBucket.Arn/files/*",
    "FilesBucket.Arn/direct/*",
    "FilesBucket.Arn/parts/*",
    "AssembleUpload.Arn",
    "FailAssembly.Arn",
    "DeleteExpired.Arn",
    "DeadLetters.Arn",
    "FailedRecordsBucket.Arn",
    "FailedRecordsBucket.Arn/*",
}

# Where IAM calls an action otherwise than S3 its operation (Amazon S3, "Required permissions for
# Amazon S3 API operations").
S3_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
}

pytestmark = pytest.mark.xdist_group("roles")  # the calls of a function are recorded once
every_function = pytest.mark.parametrize("folder", functions.FOLDERS)


def statements(folder: str) -> list[dict[str, Any]]:
    name = f"{functions.resources()[folder]}Role"
    apart = default_stack().of_type("AWS::IAM::Policy").values()
    return [
        statement
        for policy in [
            *default_stack().resources[name]["Properties"].get("Policies", []),
            *(each for each in apart if each["Roles"] == [name]),
        ]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def granted(folder: str) -> set[tuple[str, str]]:
    """(action, resource) of all that the role allows."""
    return {
        (action, resource)
        for statement in statements(folder)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


# --- What they do --------------------------------------------------------------------------------


@dataclass
class Calls:
    """Every request to AWS, as IAM sees it, and by its name.

    Attributes:
        arns: what the template calls the ARN of each table and bucket in moto, by its name.
        actions: (action, resource), resources as the template names them.
        operations: (service, operation).
    """

    arns: dict[str, str]
    actions: set[tuple[str, str]] = field(default_factory=set)
    operations: set[tuple[str, str]] = field(default_factory=set)

    def record(self, **event: Any) -> None:
        """Takes botocore's event `before-parameter-build`, which presigning a URL makes too."""
        model, asked = event["model"], event["params"]
        service = model.service_model.signing_name
        self.operations.add((service, model.name))
        if service == "s3":
            self._record_s3(model.name, asked)
        elif service == "lambda":
            self.actions.add(("lambda:InvokeFunction", self.arns[asked["FunctionName"]]))
        else:
            for action, table in _parts(model.name, asked):
                self.actions.add((f"{service}:{action}", self.arns[table]))

    def _record_s3(self, operation: str, asked: dict[str, Any]) -> None:
        bucket = self.arns[asked["Bucket"]]
        if operation in ("GetObject", "HeadObject", "ListObjectsV2"):
            # S3 tells what is missing from what is forbidden only to those who may list (Amazon S3
            # API reference, "GetObject", permissions).
            self.actions.add(("s3:ListBucket", bucket))
        if operation == "DeleteObjects":  # IAM asks for each of them
            for each in asked["Delete"]["Objects"]:
                self.actions.add(("s3:DeleteObject", f"{bucket}/{each['Key']}"))
        elif operation != "ListObjectsV2":
            action = S3_ACTIONS.get(operation, operation)
            resource = f"{bucket}/{asked['Key']}" if "Key" in asked else bucket
            self.actions.add((f"s3:{action}", resource))
        if "CopySource" in asked:
            source, _, key = asked["CopySource"].partition("/")
            self.actions.add(("s3:GetObject", f"{self.arns[source]}/{key}"))

    def covered_by(self, resources: set[str]) -> set[tuple[str, str]]:
        """The actions, each with that one of the resources which covers its own."""
        return {
            (action, next((each for each in resources if fnmatchcase(resource, each)), resource))
            for action, resource in self.actions
        }


def _parts(operation: str, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """Actions and tables. IAM asks for each part of a transaction, by its own operation's name."""
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [(operation, table) for table in asked["RequestItems"]]
    if operation != "TransactWriteItems":
        return [(operation, asked["TableName"])]
    return [
        (f"{kind}Item", part["TableName"])
        for item in asked["TransactItems"]
        for kind, part in item.items()
    ]


class Mishap(Exception):
    """AWS did not answer."""


type Happen = Callable[[moto_stack.Stack], None]


def nothing(_: moto_stack.Stack) -> None:
    """All goes well."""


def no_answer(_: moto_stack.Stack) -> None:
    """The assembly breaks off."""
    raise Mishap


def deletion(stack: moto_stack.Stack) -> None:
    """The file is deleted while it is assembled."""
    for item in stack.dynamodb.scan(TableName=samples.FILES_TABLE)["Items"]:
        if item["SK"]["S"].startswith("PENDING#"):
            key = {"PK": item["PK"], "SK": item["SK"]}
            stack.dynamodb.delete_item(TableName=samples.FILES_TABLE, Key=key)


def half_of_another(stack: moto_stack.Stack) -> None:
    """An earlier try has made parts of another object."""
    key = upload_samples.WAITING_FILE.blob_key("acme")
    upload_id = stack.s3.create_multipart_upload(Bucket=samples.FILES_BUCKET, Key=key)["UploadId"]
    stack.s3.upload_part(
        Bucket=samples.FILES_BUCKET, Key=key, UploadId=upload_id, PartNumber=1, Body=b"Hel"
    )


def no_time(_: moto_stack.Stack) -> None:
    """One run is not enough."""


def leftovers(stack: moto_stack.Stack) -> None:
    """Parts have outlived their uploads."""
    for upload in (upload_samples.COMPLETED, upload_samples.CANCELLED):
        for part_id in (upload_samples.HELLO_ID, upload_samples.WORLD_ID):
            upload_samples.records(stack).add_part("acme", Part(part_id, upload.id, 7, 1))


def sent_in_parts(stack: moto_stack.Stack) -> None:
    """The bytes of a file have arrived, but in parts."""
    key = samples.ARRIVED.blob_key("acme")
    stack.s3.delete_object(Bucket=samples.FILES_BUCKET, Key=key)
    samples.send_part(stack, samples.ARRIVED, 1)


def many_expired(_: moto_stack.Stack) -> None:
    """There are so many expired files that a list hands them over."""


# What may have happened before a function is called; and just before S3 makes one object of parts.
BEFORE: dict[str, list[Happen]] = {
    "assemble_upload": [half_of_another, no_time],
    "fail_assembly": [half_of_another],
    "check_blob": [leftovers, sent_in_parts],
    "list_files": [many_expired],
    "list_file_parts": [sent_in_parts],
    "retrieve_file": [sent_in_parts],
    "download_file": [sent_in_parts],
    "get_file_url": [sent_in_parts],
    "delete_file": [sent_in_parts],
    "finalize_file": [sent_in_parts],
}
MEANWHILE: dict[str, list[Happen]] = {
    "complete_upload": [no_answer, deletion],
    "assemble_upload": [no_answer, deletion],
}


@cache
def calls_of(folder: str) -> Calls:
    """What a function asks of AWS while it answers all of its sample payloads, mishaps included."""
    names = default_stack().resources
    recorded = Calls({moto_stack.physical_name(name): f"{name}.Arn" for name in names})
    for before in [nothing, *BEFORE.get(folder, [])]:
        _answer_all(folder, recorded, before, nothing)
    for meanwhile in MEANWHILE.get(folder, []):
        _answer_all(folder, recorded, nothing, meanwhile)
    return recorded


def _answer_all(folder: str, recorded: Calls, before: Happen, meanwhile: Happen) -> None:
    """Has a function answer its sample payloads, in a stack of its own."""
    with pytest.MonkeyPatch.context() as monkeypatch, moto_stack.stack(monkeypatch) as stack:
        samples.store_files(stack)
        samples.store_keys(stack)
        upload_samples.store_uploads(stack)
        before(stack)
        monkeypatch.setattr(assembly, "RUN_SECONDS", -1 if before is no_time else 600)
        if before is many_expired:
            monkeypatch.setattr(file_records, "MANY_EXPIRED", 1)
        for name, value in moto_stack.environment(folder).items():
            monkeypatch.setenv(name, value)

        def happen(**_: object) -> None:
            meanwhile(stack)

        monkeypatch.setattr(composition, "client", CLIENTS)
        with (
            CLIENTS.hooked("before-parameter-build", recorded.record),
            CLIENTS.hooked("before-call.s3.CompleteMultipartUpload", happen),
            upload_samples.queue(),
        ):
            handler = functions.load_app(folder).lambda_handler
            for path in sorted((samples.EVENTS / folder).glob("*.json")):
                with suppress(Mishap):
                    handler(samples.event(folder, path.stem), None)


# --- What they may do ----------------------------------------------------------------------------


@every_function
def test_role_allows_exactly_what_its_function_does(folder: str) -> None:
    # When the function has answered all of its sample payloads
    calls = calls_of(folder)
    # Then its role allows each thing that it did, on what it did it to, and nothing more
    giving_up = {GIVING_UP[folder]} if folder in GIVING_UP else set()
    if folder == "purge":
        giving_up.add(_LISTING_FAILED_RECORDS)
    own = granted(folder) - giving_up
    assert calls.covered_by({resource for _, resource in own}) == own
    assert giving_up <= granted(folder)


# The service asks for the key in the name of its caller (the S3 API reference, permissions of each
# operation; Amazon DynamoDB, "DynamoDB encryption at rest"; Amazon SQS, "Key management"; AWS
# Lambda, "Capturing records of Lambda asynchronous invocations").
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234"
ENCRYPTING = {("s3", "PutObject"), ("s3", "CreateMultipartUpload")}
DECRYPTING = {("s3", "GetObject"), ("s3", "UploadPart"), ("s3", "UploadPartCopy")}
VIA = {
    "kms:Decrypt": ["dynamodb", "s3", "sqs"],
    "kms:GenerateDataKey": ["s3", "sqs"],
}


def uses_of_key(folder: str) -> set[str]:
    """What a function's work with encrypted tables, buckets and queues asks of the key."""
    operations = calls_of(folder).operations
    destination, _ = GIVING_UP.get(folder, ("", ""))
    encrypts = operations & ENCRYPTING or destination in {"sqs:SendMessage", "s3:PutObject"}
    decrypts = {service for service, _ in operations} & {"dynamodb"} or operations & DECRYPTING
    # With a bucket key, and for each message, what was generated is decrypted, too.
    return {
        *({"kms:GenerateDataKey", "kms:Decrypt"} if encrypts else ()),
        *({"kms:Decrypt"} if decrypts or folder in READING else ()),
    }


@cache
def encrypted_stack() -> Stack:
    return Stack(KmsKeyArn=KEY)


@every_function
def test_role_may_use_the_key_just_as_its_function_does(folder: str) -> None:
    role = f"{functions.resources()[folder]}Role"
    apart = encrypted_stack().of_type("AWS::IAM::Policy").values()
    allowed = [
        statement
        for policy in apart
        if role in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == KEY
    ]
    assert {each["Action"] for each in allowed} == uses_of_key(folder)
    for each in allowed:
        services = [f"{name}.<AWS::Region>.<AWS::URLSuffix>" for name in VIA[each["Action"]]]
        assert each == {
            "Effect": "Allow",
            "Action": each["Action"],
            "Resource": KEY,
            "Condition": {"StringEquals": {"kms:ViaService": services}},
        }
    # And else it may do what it may without a key
    properties = [
        stack.resources[role]["Properties"] for stack in (encrypted_stack(), default_stack())
    ]
    assert properties[0] == properties[1]


def test_failure_destinations_are_those_that_roles_allow() -> None:
    started = [
        *default_stack().of_type("AWS::Lambda::EventInvokeConfig").values(),
        *default_stack().of_type("AWS::Lambda::EventSourceMapping").values(),
    ]
    destinations = {
        each["FunctionName"]: each["DestinationConfig"]["OnFailure"]["Destination"]
        for each in started
        if each.get("DestinationConfig")
    }
    names = functions.resources()
    assert destinations == {
        names[folder]: arn.removesuffix("/*") for folder, (_, arn) in GIVING_UP.items()
    }


def test_presigned_url_grants_no_more_than_its_call() -> None:
    # Who holds a presigned URL has the permission of the role that signed it
    s3 = {
        folder: {(action, resource) for action, resource in granted(folder) if "s3:" in action}
        for folder in ("create_file", "get_file_url")
    }
    both = ("FilesBucket.Arn/files/*", "FilesBucket.Arn/direct/*")
    assert s3["create_file"] == {("s3:PutObject", prefix) for prefix in both}
    assert s3["get_file_url"] == {
        *(("s3:GetObject", prefix) for prefix in both),
        ("s3:ListBucket", "FilesBucket.Arn"),
        # To finalize a direct upload in parts; its URLs are signed for GET alone.
        *((f"s3:{action}", both[1]) for action in ("PutObject", "ListMultipartUploadParts")),
    }


def test_layer_describes_exactly_the_operations_called() -> None:
    slim = runpy.run_path(str(ROOT / "layers" / "dependencies" / "slim_botocore.py"))
    kept = {(service, name) for service, names in slim["OPERATIONS"].items() for name in names}
    called = set().union(*(calls_of(folder).operations for folder in functions.FOLDERS))
    assert kept == called


@every_function
def test_role_is_lambdas_alone_and_names_single_actions(folder: str) -> None:
    for statement in statements(folder):
        assert set(statement) - {"Sid", "Condition"} == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
    assert not [action for action, _ in granted(folder) if "*" in action]
    assert {resource for _, resource in granted(folder)} <= RESOURCES
    role = default_stack().resources[f"{functions.resources()[folder]}Role"]["Properties"]
    assert role["ManagedPolicyArns"] == MANAGED + READING.get(folder, [])
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Action": ["sts:AssumeRole"],
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com"]},
        }
    ]
