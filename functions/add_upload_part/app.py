"""POST /v1/uploads/{upload_id}/parts: a part in the request body, or a presigned part."""

from files_api import composition
from files_api.api import forms
from files_api.api.http import Api, Request
from files_api.api.parameters import PresignedPart, validated
from files_api.service.errors import MissingField
from files_api.service.objects import PresignedPartObject, UploadPartObject
from files_api.service.uploads import Parts

api = Api(composition.parts, composition.allowed_origin)


@api.post("/v1/uploads/{upload_id}/parts", scope="files:write")
def add_upload_part(
    parts: Parts, request: Request, upload_id: str
) -> UploadPartObject | PresignedPartObject:
    if request.media_type == "application/json":
        fields = validated(PresignedPart, request.json())
        part, url = parts.presign(request.project, upload_id, fields.bytes, fields.sha256)
        return {**part.public(), "upload": url.put()}
    data = forms.parse(request.header("content-type"), request.body).field("data")
    if data is None:
        raise MissingField("data", "Send it as a form field.")
    return parts.add(request.project, upload_id, data.content).public()


lambda_handler = api
