"""A queue of storage events, some minutes old: what is still to be done with the bytes is done."""

from files_api import composition
from files_api.sweep import Sweep
from files_api.triggers import Trigger, queued_blob

api = Trigger(composition.sweep, queued_blob)


@api.batch
def remove_orphan(sweep: Sweep, key: str) -> None:
    sweep.blob_created(key)


lambda_handler = api.handler
