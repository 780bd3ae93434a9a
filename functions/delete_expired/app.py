"""Called by ListFiles, which does not wait for it: deletes a project's expired files."""

from typing import Any

from files_api import composition
from files_api.api.triggers import Trigger
from files_api.service.expiry import Expiry

trigger = Trigger(composition.expiry, dict[str, Any])


@trigger.handles
def delete_expired(expiry: Expiry, work: dict[str, Any]) -> None:
    expiry.delete(work["project"])


lambda_handler = trigger
