"""GET, HEAD /v1/files/{file_id}/content: a file's bytes, or a redirect to them."""

from files_api import composition
from files_api.api import ranges
from files_api.api.http import Api, Request, Response, attachment, redirect
from files_api.metrics import count_bytes
from files_api.service.files import Downloads
from files_api.service.model import PresignedUrl

api = Api(composition.downloads, composition.allowed_origin)


@api.get("/v1/files/{file_id}/content", scope="files:read", head=True)
def download_file(downloads: Downloads, request: Request, file_id: str) -> Response:
    if request.method == "HEAD":
        return redirect(downloads.head(request.project, file_id).url)
    file, content = downloads.content(request.project, file_id)
    if isinstance(content, PresignedUrl):
        return redirect(content.url)
    span = ranges.wanted(request.header, file.bytes, content.etag)
    response = attachment(file.filename, content.bytes, content.etag, span)
    count_bytes("DownloadedBytes", len(response.body))
    return response


lambda_handler = api
