"""POST /v1/uploads/{upload_id}/cancel: ends an upload; nothing of it stays."""

from typing import Any

from files_api import composition
from files_api.http import Api, Request
from files_api.uploads import Uploads

api = Api(composition.uploads)


@api.post("/v1/uploads/{upload_id}/cancel", scope="files:write")
def cancel_upload(uploads: Uploads, request: Request, upload_id: str) -> dict[str, Any]:
    return uploads.cancel(request.project, upload_id).public()


lambda_handler = api.handler
