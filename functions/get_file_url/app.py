"""GET /v1/files/{file_id}/url: a presigned URL of a file's content."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.api.parameters import UrlQuery, validated
from files_api.service.files import Files
from files_api.service.objects import FileUrl

api = Api(composition.files, composition.allowed_origin)


@api.get("/v1/files/{file_id}/url", scope="files:read")
def get_file_url(files: Files, request: Request, file_id: str) -> FileUrl:
    query = validated(UrlQuery, request.query)
    file = files.processed(request.project, file_id)
    url = files.presign(request.project, file, query.expires_in, file.media_type)
    return {"url": url.url, "expires_at": url.expires_at}


lambda_handler = api
