"""GET /v1/files/{file_id}: a file's metadata."""

from typing import Any

from files_api import composition
from files_api.api.http import Api, Request
from files_api.service.files import Files

api = Api(composition.retrieval, composition.allowed_origin)


@api.get("/v1/files/{file_id}", scope="files:read")
def retrieve_file(files: Files, request: Request, file_id: str) -> dict[str, Any]:
    return files.retrieve(request.project, file_id).public()


lambda_handler = api
