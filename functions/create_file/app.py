"""POST /v1/files: a small file as multipart/form-data, or the promise of any as JSON."""

from typing import Any

from files_api import composition, forms
from files_api.errors import MissingField
from files_api.http import Api, Request
from files_api.intake import Intake
from files_api.observability import count_bytes
from files_api.parameters import DirectUpload, UploadForm, nested, validated

api = Api(composition.intake)


@api.post("/v1/files", scope="files:write")
def create_file(intake: Intake, request: Request) -> dict[str, Any]:
    if request.media_type == "application/json":
        return promise(intake, request)
    form = forms.parse(request.header("content-type"), request.body)
    if "file" not in form.files:
        raise MissingField("file", "Send it as a part with a filename.")
    filename, content = form.files["file"]
    fields = validated(UploadForm, nested(form.texts))
    file = intake.create(
        request.project,
        filename=filename,
        purpose=fields.purpose,
        content=content,
        lifetime=fields.lifetime,
    )
    count_bytes("UploadedBytes", file.bytes)
    return file.public()


def promise(intake: Intake, request: Request) -> dict[str, Any]:
    fields = validated(DirectUpload, request.json())
    file, link = intake.promise(
        request.project,
        filename=fields.filename,
        purpose=fields.purpose,
        size=fields.bytes,
        sha256=fields.sha256,
        lifetime=fields.lifetime,
    )
    return file.public() | {"upload": {"method": "PUT"} | link.public()}


lambda_handler = api.handler
