"""GET /v1/files/{file_id}/content: one file's bytes."""

from files_api import composition
from files_api.files import Files
from files_api.http import Api, Request, Response, attachment
from files_api.observability import count_bytes

api = Api(composition.files)


@api.get("/v1/files/{file_id}/content", scope="files:read")
def download_file(files: Files, request: Request, file_id: str) -> Response:
    file, content = files.content(request.project, file_id)
    count_bytes("DownloadedBytes", file.bytes)
    return attachment(file.filename, content)


lambda_handler = api.handler
