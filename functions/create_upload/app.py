"""POST /v1/uploads: opens an upload, for a file that comes in parts."""

from typing import Any

from files_api import composition
from files_api.http import Api, Request
from files_api.parameters import NewUpload, validated
from files_api.uploads import Uploads

api = Api(composition.uploads)


@api.post("/v1/uploads", scope="files:write")
def create_upload(uploads: Uploads, request: Request) -> dict[str, Any]:
    fields = validated(NewUpload, request.json())
    return uploads.create(
        request.project,
        filename=fields.filename,
        purpose=fields.purpose,
        size=fields.bytes,
        mime_type=fields.mime_type,
        lifetime=fields.lifetime,
    ).public()


lambda_handler = api.handler
