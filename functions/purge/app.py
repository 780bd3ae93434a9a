"""The table's stream: records were deleted or have expired; so is what they leave behind."""

from files_api import composition
from files_api.api.triggers import WholeBatchTrigger
from files_api.aws.events import removed_record
from files_api.service.purge import Purge, Removed

trigger = WholeBatchTrigger(composition.purge, removed_record)


@trigger.handles_all
def delete_leftovers(purge: Purge, records: list[Removed]) -> set[Removed]:
    return purge.removed(records)


lambda_handler = trigger
