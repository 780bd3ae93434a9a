"""GET /v1/files/{file_id}: one file's metadata."""

from typing import Any

from files_api import composition
from files_api.files import Files
from files_api.http import Api, Request

api = Api(composition.files)


@api.get("/v1/files/{file_id}", scope="files:read")
def retrieve_file(files: Files, request: Request, file_id: str) -> dict[str, Any]:
    return files.retrieve(request.project, file_id).public()


lambda_handler = api.handler
