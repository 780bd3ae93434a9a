"""A storage event: the bytes of a direct upload have arrived."""

from files_api import composition
from files_api.api.triggers import Trigger
from files_api.aws.events import created_blob
from files_api.service.blob_keys import FileBlob, PartBlob
from files_api.service.files import Files

trigger = Trigger(composition.files, created_blob)


@trigger.handles
def finalize_file(files: Files, blob: FileBlob | PartBlob) -> None:
    if isinstance(blob, FileBlob):
        files.finalize(blob.project, blob.file_id)


lambda_handler = trigger
