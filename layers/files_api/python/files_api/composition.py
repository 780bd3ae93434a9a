"""Who gets what: makes each function's service. Only this module reads the environment.

The template sets the variables; each function has those that its service needs here. A function's
usual call should find its clients ready, and no function should spend its cold start on a client
that it seldom uses: those are made when first needed.
"""

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from files_api.aws.assembler import S3Assembler
from files_api.aws.blobs import S3Blobs
from files_api.aws.clients import guard
from files_api.aws.direct_parts import S3DirectParts
from files_api.aws.file_records import DynamoFileRecords
from files_api.aws.key_store import DynamoKeyStore
from files_api.aws.queues import LambdaAssemblyQueue, LambdaExpiryQueue
from files_api.aws.upload_records import DynamoUploadRecords
from files_api.service.assembly import Assembly, FailedAssembly
from files_api.service.blob_check import BlobCheck
from files_api.service.completion import Completion
from files_api.service.expiry import Expiry
from files_api.service.files import Downloads, Files
from files_api.service.intake import Intake
from files_api.service.keys import Keys
from files_api.service.lifetimes import Lifetimes
from files_api.service.limits import Limits
from files_api.service.listing import Listing
from files_api.service.part_listing import PartListing
from files_api.service.purge import Purge
from files_api.service.quota import NO_LIMIT, Quota
from files_api.service.storage import Storage
from files_api.service.uploads import Cancellation, Parts, Uploads

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# At level INFO, botocore tells at each cold start where it found its credentials; at DEBUG, these
# libraries log headers, bodies and URLs.
for _library in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=6,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Else botocore calls an endpoint of the account that `AWS_ACCOUNT_ID` names, if it is set.
    account_id_endpoint_mode="disabled",
)
# By default botocore presigns URLs of the oldest region in a way that signs no headers, and names a
# global host that new regions refuse. These URLs name the region's own host (Amazon S3, "Virtual
# hosting of buckets").
_S3_CONFIG = _CONFIG.merge(
    Config(
        signature_version="s3v4",
        s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
    )
)
# Multipart uploads are created without a checksum algorithm, so their parts must have no checksum.
_ASSEMBLY_S3_CONFIG = _S3_CONFIG.merge(Config(request_checksum_calculation="when_required"))
# While a caller waits: two attempts fit behind `completion.AT_ONCE_SECONDS`.
_HURRIED_S3_CONFIG = _ASSEMBLY_S3_CONFIG.merge(
    Config(read_timeout=7, retries={"mode": "standard", "total_max_attempts": 2})
)
# S3 answers a copy, or the completion of thousands of parts, only once it is done.
_PATIENT_S3_CONFIG = _ASSEMBLY_S3_CONFIG.merge(Config(read_timeout=600))


@cache
def client(service: str, config: Config) -> Any:
    """A client of an AWS service; all adapters with the same needs share one."""
    return guard(_session().client(service, config=config))


@cache
def _session() -> Any:
    return boto3.Session()


def listing() -> Listing:
    """For ListFiles."""
    function = os.environ["DELETE_EXPIRED_FUNCTION"]
    queue = LambdaExpiryQueue(_when_needed(lambda: client("lambda", _CONFIG)), function)
    return Listing(_file_records(), _purposes(), queue)


def expiry() -> Expiry:
    """For DeleteExpired."""
    return Expiry(_file_records())


def retrieval() -> Files:
    """For RetrieveFile, which needs S3 for pending files alone."""
    return _files(_when_needed(_s3))


def files() -> Files:
    """For DeleteFile, GetFileUrl and FinalizeFile."""
    return _files(_s3())


def part_listing() -> PartListing:
    """For ListFileParts."""
    s3 = _s3()
    return PartListing(_files(s3), _direct_parts(s3))


def downloads() -> Downloads:
    """For DownloadFile."""
    s3, url_seconds = _s3(), int(os.environ["DOWNLOAD_URL_SECONDS"])
    return Downloads(_files(s3), _blobs(s3), url_seconds=url_seconds)


def intake() -> Intake:
    """For CreateFile."""
    s3 = _s3()
    records = _file_records()
    return Intake(records, _blobs(s3), _direct_parts(s3), _limits(), _storage(records))


def uploads() -> Uploads:
    """For CreateUpload."""
    return Uploads(_upload_records(), _limits(), _storage(_file_records()))


def usage() -> tuple[Storage, int]:
    """For GetUsage: the storage, and the size of the largest file, in bytes."""
    return _storage(_file_records()), int(os.environ["MAX_FILE_BYTES"])


def cancellation() -> Cancellation:
    """For CancelUpload."""
    return Cancellation(_upload_records())


def parts() -> Parts:
    """For AddUploadPart."""
    return Parts(_upload_records(), _blobs(_s3()))


def completion() -> Completion:
    """For CompleteUpload."""
    s3, queue = _s3(_HURRIED_S3_CONFIG), _assembly_queue(os.environ["ASSEMBLE_FUNCTION"])
    stores = (_upload_records(), _file_records(), _blobs(s3))
    assembly = Assembly(*stores, assembler=_assembler(s3), queue=queue)
    return Completion(*stores, assembly=assembly, queue=queue)


def assembly() -> Assembly:
    """For AssembleUpload, which calls itself again if one run is not enough."""
    s3 = _s3(_PATIENT_S3_CONFIG)
    queue = _assembly_queue(os.environ["AWS_LAMBDA_FUNCTION_NAME"])  # Lambda sets this variable
    return Assembly(
        _upload_records(), _file_records(), _blobs(s3), assembler=_assembler(s3), queue=queue
    )


def failed_assembly() -> FailedAssembly:
    """For FailAssembly."""
    return FailedAssembly(_upload_records(), _file_records(), _assembler(_s3()))


def purge() -> Purge:
    """For Purge."""
    s3 = _s3()
    return Purge(_file_records(), _upload_records(), _blobs(s3), _direct_parts(s3))


def blob_check() -> BlobCheck:
    """For CheckBlob, which needs S3 for orphans and unfinished uploads alone."""
    s3 = _when_needed(_s3)
    queue = _assembly_queue(os.environ["ASSEMBLE_FUNCTION"])
    return BlobCheck(_file_records(), _upload_records(), _blobs(s3), _direct_parts(s3), queue)


def keys() -> Keys:
    """For Authorize."""
    return Keys(DynamoKeyStore(_dynamodb(), os.environ["KEYS_TABLE"]))


def site() -> tuple[str, Limits]:
    """For Pages: where presigned URLs lead, and what may be uploaded.

    `AWS_ENDPOINT_URL` moves the presigned URLs, as it does for every SDK.
    """
    usual = f"https://{os.environ['BUCKET_DOMAIN']}"
    return os.environ.get("AWS_ENDPOINT_URL") or usual, _limits()


def allowed_origin() -> str:
    """For all that answer calls: the origin whose pages may read the answers; "" for none."""
    return os.environ["ALLOWED_ORIGIN"]


def _file_records() -> DynamoFileRecords:
    return DynamoFileRecords(_dynamodb(), os.environ["FILES_TABLE"])


def _upload_records() -> DynamoUploadRecords:
    return DynamoUploadRecords(_dynamodb(), os.environ["FILES_TABLE"])


def _blobs(s3: "S3Client") -> S3Blobs:
    return S3Blobs(s3, os.environ["FILES_BUCKET"])


def _files(s3: "S3Client") -> Files:
    return Files(_file_records(), _blobs(s3), _direct_parts(s3))


def _direct_parts(s3: "S3Client") -> S3DirectParts:
    return S3DirectParts(s3, os.environ["FILES_BUCKET"])


def _assembler(s3: "S3Client") -> S3Assembler:
    return S3Assembler(s3, os.environ["FILES_BUCKET"])


def _assembly_queue(function: str) -> LambdaAssemblyQueue:
    return LambdaAssemblyQueue(_when_needed(lambda: client("lambda", _CONFIG)), function)


def _limits() -> Limits:
    return Limits(_purposes(), int(os.environ["MAX_FILE_BYTES"]), _lifetimes())


def _lifetimes() -> Lifetimes:
    default, least, most = (
        int(os.environ[f"{name}_LIFETIME_SECONDS"]) for name in ("DEFAULT", "MIN", "MAX")
    )
    # CloudFormation cannot compare the two: if they contradict each other, the maximum holds.
    return Lifetimes(default, min(least, most), most)


def _storage(records: DynamoFileRecords) -> Storage:
    limits = (int(os.environ[name]) for name in ("MAX_PROJECT_FILES", "MAX_PROJECT_BYTES"))
    return Storage(records, Quota(*(limit or NO_LIMIT for limit in limits)))


def _purposes() -> tuple[str, ...]:
    return tuple(os.environ["PURPOSES"].split(","))


class _WhenNeeded:
    """A client that is made when first used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def _when_needed(make: Callable[[], Any]) -> Any:
    return _WhenNeeded(make)


def _dynamodb() -> Any:
    return client("dynamodb", _CONFIG)


def _s3(config: Config = _S3_CONFIG) -> Any:
    return client("s3", config)
