"""POST /v1/uploads/{upload_id}/cancel: ends an upload and deletes its parts."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.service.objects import UploadObject
from files_api.service.uploads import Cancellation

api = Api(composition.cancellation, composition.allowed_origin)


@api.post("/v1/uploads/{upload_id}/cancel", scope="files:write")
def cancel_upload(uploads: Cancellation, request: Request, upload_id: str) -> UploadObject:
    return uploads.cancel(request.project, upload_id).public()


lambda_handler = api
