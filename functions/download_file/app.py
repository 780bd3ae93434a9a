"""GET /v1/files/{file_id}/content: one file's bytes, or where they are."""

from files_api import composition
from files_api.files import Downloads
from files_api.http import Api, Request, Response, attachment, redirect
from files_api.model import Link
from files_api.observability import count_bytes

api = Api(composition.downloads)


@api.get("/v1/files/{file_id}/content", scope="files:read")
def download_file(downloads: Downloads, request: Request, file_id: str) -> Response:
    file, content = downloads.content(request.project, file_id)
    if isinstance(content, Link):
        return redirect(content.url)
    count_bytes("DownloadedBytes", file.bytes)
    return attachment(file.filename, content)


lambda_handler = api.handler
