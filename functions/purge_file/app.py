"""The table's stream: an item is gone, deleted or expired; what belonged to it goes, too."""

from files_api import composition
from files_api.purge import Purge
from files_api.records import Removed
from files_api.triggers import Trigger, removed_item

api = Trigger(composition.purge, removed_item)


@api.batch
def purge_file(purge: Purge, item: Removed) -> None:
    if item.promised:
        purge.promise_removed(item.project, item.file)
    else:
        purge.file_removed(item.project, item.file)


lambda_handler = api.handler
