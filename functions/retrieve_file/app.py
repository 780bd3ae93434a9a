"""GET /v1/files/{file_id}: a file's metadata."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.service.files import Files
from files_api.service.objects import FileObject

api = Api(composition.retrieval, composition.allowed_origin)


@api.get("/v1/files/{file_id}", scope="files:read")
def retrieve_file(files: Files, request: Request, file_id: str) -> FileObject:
    return files.retrieve(request.project, file_id).public()


lambda_handler = api
