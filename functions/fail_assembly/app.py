"""Called by Lambda when assemble_upload has failed for good: the file gets the status error."""

from files_api import composition
from files_api.api.function import Event
from files_api.api.triggers import Trigger
from files_api.aws.events import failed_event
from files_api.service.assembly import FailedAssembly

trigger = Trigger(composition.failed_assembly, failed_event)


@trigger.handles
def fail_assembly(failed: FailedAssembly, work: Event) -> None:
    failed.record(work["project"], work["upload_id"])


lambda_handler = trigger
