"""POST /v1/uploads/{upload_id}/parts: a small part as multipart/form-data, or a promise as JSON."""

from typing import Any

from files_api import composition, forms
from files_api.errors import MissingField
from files_api.http import Api, Request
from files_api.parameters import DirectPart, validated
from files_api.uploads import Parts

api = Api(composition.parts)


@api.post("/v1/uploads/{upload_id}/parts", scope="files:write")
def add_upload_part(parts: Parts, request: Request, upload_id: str) -> dict[str, Any]:
    if request.media_type == "application/json":
        fields = validated(DirectPart, request.json())
        part, link = parts.promise(request.project, upload_id, fields.bytes, fields.sha256)
        return part.public() | {"upload": {"method": "PUT"} | link.public()}
    form = forms.parse(request.header("content-type"), request.body)
    if "data" not in form.files:
        raise MissingField("data", "Send it as a part with a filename.")
    _, content = form.files["data"]
    return parts.add(request.project, upload_id, content).public()


lambda_handler = api.handler
