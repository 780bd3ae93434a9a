"""A queue of storage events, 15 minutes old: deletes orphans, resumes unfinished work."""

from files_api import composition
from files_api.api.triggers import BatchTrigger
from files_api.aws.events import queued_blob
from files_api.service.blob_check import BlobCheck
from files_api.service.blob_keys import FileBlob, PartBlob

trigger = BatchTrigger(composition.blob_check, queued_blob)


@trigger.handles
def check_blob(blob_check: BlobCheck, blob: FileBlob | PartBlob) -> None:
    blob_check.check(blob)


lambda_handler = trigger
