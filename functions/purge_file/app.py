"""The table's stream: an item is gone, deleted or expired; what belonged to it goes, too."""

from files_api import composition
from files_api.purge import Purge
from files_api.records import Removed
from files_api.triggers import RemovedUpload, Trigger, removed_item

api = Trigger(composition.purge, removed_item)


@api.batch
def purge_file(purge: Purge, item: Removed | RemovedUpload) -> None:
    match item:
        case RemovedUpload(project, upload_id, None):
            purge.upload_removed(project, upload_id)
        case RemovedUpload(project, upload_id, str(part_id)):
            purge.part_removed(project, upload_id, part_id)
        case Removed(project, file, promised=True):
            purge.promise_removed(project, file)
        case Removed(project, file):
            purge.file_removed(project, file)


lambda_handler = api.handler
