"""Called by Lambda when assemble_upload has failed for good: the upload's file says so."""

from files_api import composition
from files_api.purge import Purge
from files_api.triggers import Event, Trigger, given_up

api = Trigger(composition.purge, given_up)


@api.single
def fail_upload(purge: Purge, work: Event) -> None:
    purge.assembly_failed(work["project"], work["upload_id"])


lambda_handler = api.handler
