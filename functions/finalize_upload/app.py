"""A storage event: the bytes of a direct upload have come."""

from files_api import composition
from files_api.files import Files
from files_api.model import parse_blob_key
from files_api.triggers import Trigger, created_blob

api = Trigger(composition.files, created_blob)


@api.single
def finalize_upload(files: Files, key: str) -> None:
    project, file_id, _ = parse_blob_key(key)
    files.settle(project, file_id)


lambda_handler = api.handler
