"""DELETE /v1/files/{file_id}: deletes a file, for good."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.service.files import Files
from files_api.service.objects import FileDeleted

api = Api(composition.files, composition.allowed_origin)


@api.delete("/v1/files/{file_id}", scope="files:write")
def delete_file(files: Files, request: Request, file_id: str) -> FileDeleted:
    files.delete(request.project, file_id)
    return {"id": file_id, "object": "file", "deleted": True}


lambda_handler = api
