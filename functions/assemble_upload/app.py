"""Called by complete_upload, not waited for: makes a file of parts where that takes longer."""

from typing import Any

from files_api import composition
from files_api.assembly import Assembly
from files_api.triggers import Trigger

api = Trigger(composition.assembly, dict[str, Any])


@api.single
def assemble_upload(assembly: Assembly, work: dict[str, Any]) -> None:
    assembly.run(work["project"], work["upload_id"])


lambda_handler = api.handler
