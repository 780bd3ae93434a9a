"""POST /v1/uploads/{upload_id}/complete: an upload's parts become a file."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.api.parameters import CompleteUpload, validated
from files_api.service.completion import Completion
from files_api.service.objects import UploadObject

api = Api(composition.completion, composition.allowed_origin)


@api.post("/v1/uploads/{upload_id}/complete", scope="files:write")
def complete_upload(completion: Completion, request: Request, upload_id: str) -> UploadObject:
    fields = validated(CompleteUpload, request.json())
    upload, file = completion.complete(request.project, upload_id, fields.part_ids, fields.md5)
    return upload.public(file)


lambda_handler = api
