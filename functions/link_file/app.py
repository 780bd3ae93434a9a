"""GET /v1/files/{file_id}/url: a link to one file's bytes, for whom only a URL will do."""

from typing import Any

from files_api import composition
from files_api.files import Files
from files_api.http import Api, Request
from files_api.parameters import LinkQuery, validated

api = Api(composition.files)


@api.get("/v1/files/{file_id}/url", scope="files:read")
def link_file(files: Files, request: Request, file_id: str) -> dict[str, Any]:
    query = validated(LinkQuery, request.query)
    link = files.link(request.project, file_id, query.expires_in)
    return {"url": link.url, "expires_at": link.expires_at}


lambda_handler = api.handler
