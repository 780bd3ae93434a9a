"""GET /v1/files: the project's files, page by page."""

from files_api import composition
from files_api.http import Api, Request, Response
from files_api.listing import Listing
from files_api.parameters import ListQuery, validated

api = Api(composition.listing)


@api.get("/v1/files", scope="files:read")
def list_files(listing: Listing, request: Request) -> Response:
    query = validated(ListQuery, request.query)
    page = listing.page(
        request.project,
        purpose=query.purpose,
        limit=query.limit,
        newest_first=query.order == "desc",
        after=query.after,
    )
    return Response(page.json())


lambda_handler = api.handler
