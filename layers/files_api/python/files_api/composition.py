"""Who gets what: the one place that reads the environment and knows every adapter.

The variables are the template's; each function is given just those that it needs here.
"""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from files_api.assembly import Assembly
from files_api.blobs import S3Blobs
from files_api.completion import Completion
from files_api.files import Downloads, Files
from files_api.intake import Intake
from files_api.keys import DynamoKeyStore, Keys
from files_api.later import LambdaLater
from files_api.listing import Listing
from files_api.purge import Purge
from files_api.records import DynamoRecords
from files_api.sweep import Sweep
from files_api.upload_records import DynamoUploadRecords
from files_api.uploads import Parts, Uploads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# The gateway waits 29 s for an answer ("Amazon API Gateway quotas"): three tries fit.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=6,
    retries={"mode": "standard", "total_max_attempts": 3},
)
# Said outright: botocore would sign URLs for the oldest region in a way that leaves out headers.
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))
# For making one object of parts: S3 was not told of checksums when that began, so no part has any.
_PARTS_S3_CONFIG = _S3_CONFIG.merge(Config(request_checksum_calculation="when_required"))
# While a caller waits: two tries after `completion._AT_ONCE_SECONDS` fit.
_HURRIED_S3_CONFIG = _PARTS_S3_CONFIG.merge(
    Config(read_timeout=7, retries={"mode": "standard", "total_max_attempts": 2})
)
# S3 answers a copy, and what makes one of thousands of parts, when it is done.
_PATIENT_S3_CONFIG = _PARTS_S3_CONFIG.merge(Config(read_timeout=600))


def listing() -> Listing:
    """For calls that list files."""
    return Listing(_Adapters().records, _purposes())


def files() -> Files:
    """For calls on one file."""
    adapters = _Adapters()
    return Files(adapters.records, adapters.blobs)


def downloads() -> Downloads:
    """For calls that give a file's bytes."""
    adapters = _Adapters()
    link_seconds = int(os.environ["DOWNLOAD_LINK_SECONDS"])
    return Downloads(adapters.records, adapters.blobs, link_seconds=link_seconds)


def intake() -> Intake:
    """For calls that take files in."""
    adapters = _Adapters()
    return Intake(
        adapters.records,
        adapters.blobs,
        purposes=_purposes(),
        max_file_bytes=_max_file_bytes(),
    )


def uploads() -> Uploads:
    """For calls that open and cancel uploads."""
    return Uploads(_Adapters().uploads, purposes=_purposes(), max_file_bytes=_max_file_bytes())


def parts() -> Parts:
    """For calls that add parts."""
    adapters = _Adapters()
    return Parts(adapters.uploads, adapters.blobs)


def completion() -> Completion:
    """For calls that complete uploads."""
    adapters = _Adapters(_HURRIED_S3_CONFIG)
    stores = (adapters.uploads, adapters.records, adapters.blobs)
    later = _later(os.environ["ASSEMBLE_FUNCTION"])
    return Completion(*stores, assembly=Assembly(*stores, later), later=later)


def assembly() -> Assembly:
    """For making files of parts: by a function that calls itself again where it takes longer."""
    adapters = _Adapters(_PATIENT_S3_CONFIG)
    itself = _later(os.environ["AWS_LAMBDA_FUNCTION_NAME"])  # Lambda sets it
    return Assembly(adapters.uploads, adapters.records, adapters.blobs, itself)


def purge() -> Purge:
    """For what is due when an item of the table is gone, or an assembly was given up."""
    adapters = _Adapters()
    return Purge(adapters.records, adapters.uploads, adapters.blobs)


def sweep() -> Sweep:
    """For what is due some minutes after an object came to be."""
    adapters = _Adapters()
    later = _later(os.environ["ASSEMBLE_FUNCTION"])
    return Sweep(adapters.records, adapters.uploads, adapters.blobs, later)


def keys() -> Keys:
    """The stack's API keys."""
    return Keys(DynamoKeyStore(_dynamodb(), os.environ["KEYS_TABLE"]))


class _Adapters:
    """A function's adapters; those on one service share its client, and so its connections."""

    def __init__(self, s3_config: Config | None = None) -> None:
        self._s3_config = s3_config or _S3_CONFIG

    @cached_property
    def records(self) -> DynamoRecords:
        return DynamoRecords(self._dynamodb, os.environ["FILES_TABLE"])

    @cached_property
    def uploads(self) -> DynamoUploadRecords:
        return DynamoUploadRecords(self._dynamodb, os.environ["FILES_TABLE"])

    @cached_property
    def blobs(self) -> S3Blobs:
        return S3Blobs(_s3(self._s3_config), os.environ["FILES_BUCKET"])

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return _dynamodb()


def _dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb", _CONFIG)
    return client


def _s3(config: Config = _S3_CONFIG) -> "S3Client":
    client: S3Client = _client("s3", config)
    return client


def _later(function: str) -> LambdaLater:
    return LambdaLater(_client("lambda", _CONFIG), function)


def _client(service: str, config: Config) -> Any:
    return botocore.session.get_session().create_client(service, config=config)


def _purposes() -> tuple[str, ...]:
    return tuple(os.environ["PURPOSES"].split(","))


def _max_file_bytes() -> int:
    return int(os.environ["MAX_FILE_BYTES"])
