"""A queue of storage events, some minutes old: bytes that nothing owns by now are removed."""

from files_api import composition
from files_api.purge import Purge
from files_api.triggers import Trigger, queued_blob

api = Trigger(composition.purge, queued_blob)


@api.batch
def remove_orphan(purge: Purge, key: str) -> None:
    purge.blob_created(key)


lambda_handler = api.handler
