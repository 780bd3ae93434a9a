"""POST /v1/uploads: opens an upload, a file that is sent in parts."""

from files_api import composition
from files_api.api.http import Api, Request
from files_api.api.parameters import NewUpload, validated
from files_api.service.objects import UploadObject
from files_api.service.uploads import Uploads

api = Api(composition.uploads, composition.allowed_origin)


@api.post("/v1/uploads", scope="files:write")
def create_upload(uploads: Uploads, request: Request) -> UploadObject:
    new = validated(NewUpload, request.json()).new_file()
    return uploads.create(request.project, new, request.terms).public()


lambda_handler = api
