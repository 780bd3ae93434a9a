"""Called by other functions, which do not wait for it: assembles a completed upload."""

from typing import Any

from files_api import composition
from files_api.api.triggers import Trigger
from files_api.service.assembly import Assembly

trigger = Trigger(composition.assembly, dict[str, Any])


@trigger.handles
def assemble_upload(assembly: Assembly, work: dict[str, Any]) -> None:
    assembly.run(work["project"], work["upload_id"])


lambda_handler = trigger
