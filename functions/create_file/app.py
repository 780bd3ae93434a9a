"""POST /v1/files: a file in the request body, or a direct upload announced in JSON."""

from typing import Any

from files_api import composition
from files_api.api import forms
from files_api.api.http import Api, Request
from files_api.api.parameters import DirectUpload, FileForm, nested, validated
from files_api.observability import count_bytes
from files_api.service.errors import MissingField
from files_api.service.intake import Intake

api = Api(composition.intake)


@api.post("/v1/files", scope="files:write")
def create_file(intake: Intake, request: Request) -> dict[str, Any]:
    if request.media_type == "application/json":
        fields = validated(DirectUpload, request.json())
        file, url = intake.create_pending(request.project, fields.new_file(), fields.sha256)
        return file.public() | {"upload": url.put()}
    form = forms.parse(request.header("content-type"), request.body)
    if "file" not in form.files:
        raise MissingField("file", "Send it as a form part with a filename.")
    filename, content = form.files["file"]
    new = validated(FileForm, nested(form.texts)).new_file(filename, len(content))
    file = intake.create(request.project, new, content)
    count_bytes("UploadedBytes", file.bytes)
    return file.public()


lambda_handler = api
