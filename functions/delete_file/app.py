"""DELETE /v1/files/{file_id}: deletes a file, for good."""

from typing import Any

from files_api import composition
from files_api.api.http import Api, Request
from files_api.service.files import Files

api = Api(composition.files, composition.allowed_origin)


@api.delete("/v1/files/{file_id}", scope="files:write")
def delete_file(files: Files, request: Request, file_id: str) -> dict[str, Any]:
    files.delete(request.project, file_id)
    return {"id": file_id, "object": "file", "deleted": True}


lambda_handler = api
