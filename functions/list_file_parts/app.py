"""GET /v1/files/{file_id}/parts: the parts of a direct upload, with links for the missing ones."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.api.parameters import PartsQuery, validated
from files_api.service.objects import FilePartList
from files_api.service.part_listing import PartListing

api = Api(composition.part_listing, composition.allowed_origin)


@api.get("/v1/files/{file_id}/parts", scope="files:write")
def list_file_parts(listing: PartListing, request: Request, file_id: str) -> FilePartList:
    query = validated(PartsQuery, request.query)
    page = listing.page(request.project, file_id, limit=query.limit, after=query.after)
    return page.public()


lambda_handler = api
