"""POST /v1/uploads/{upload_id}/complete: makes a file of an upload's parts."""

from typing import Any

from files_api import composition
from files_api.completion import Completion
from files_api.http import Api, Request
from files_api.parameters import CompleteUpload, validated

api = Api(composition.completion)


@api.post("/v1/uploads/{upload_id}/complete", scope="files:write")
def complete_upload(completion: Completion, request: Request, upload_id: str) -> dict[str, Any]:
    fields = validated(CompleteUpload, request.json())
    upload, file = completion.complete(request.project, upload_id, fields.part_ids, fields.md5)
    return upload.public(file)


lambda_handler = api.handler
