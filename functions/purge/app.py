"""The table's stream: a record was deleted or has expired; so is what it leaves behind."""

from files_api import composition
from files_api.api.triggers import BatchTrigger
from files_api.aws.events import removed_record
from files_api.service.purge import Purge, Removed

trigger = BatchTrigger(composition.purge, removed_record)


@trigger.handles
def delete_leftovers(purge: Purge, record: Removed) -> None:
    purge.removed(record)


lambda_handler = trigger
