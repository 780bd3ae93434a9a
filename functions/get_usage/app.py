"""GET /v1/usage: what the project stores, and what it may store."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.service.objects import UsageObject
from files_api.service.storage import Storage

api = Api(composition.usage, composition.allowed_origin)


@api.get("/v1/usage", scope="files:read")
def get_usage(service: tuple[Storage, int], request: Request) -> UsageObject:
    storage, max_file_bytes = service
    return storage.public(request.project, request.terms.quota, max_file_bytes)


lambda_handler = api
