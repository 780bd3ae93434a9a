"""GET /v1/files: the project's files, page by page."""

from typing import Annotated

from files_api import composition
from files_api.api.http import Api, Request, Response
from files_api.api.parameters import ListQuery, validated
from files_api.service.listing import Listing
from files_api.service.objects import FileList

api = Api(composition.listing, composition.allowed_origin)


@api.get("/v1/files", scope="files:read")
def list_files(listing: Listing, request: Request) -> Annotated[Response, FileList]:
    query = validated(ListQuery, request.query)
    return Response(listing.page(request.project, query.page()).json())


lambda_handler = api
