"""A storage event: the bytes of a direct upload have come."""

from files_api import composition
from files_api.files import Files
from files_api.model import FileKey, parse_key
from files_api.triggers import Trigger, created_blob

api = Trigger(composition.files, created_blob)


@api.single
def finalize_upload(files: Files, key: str) -> None:
    match parse_key(key):
        case FileKey(project, file_id):
            files.settle(project, file_id)


lambda_handler = api.handler
