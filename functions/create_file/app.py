"""POST /v1/files: a small file, as multipart/form-data."""

from typing import Any

from files_api import composition, forms
from files_api.errors import MissingField
from files_api.files import Intake
from files_api.http import Api, Request
from files_api.observability import count_bytes
from files_api.parameters import UploadForm, nested, validated

api = Api(composition.intake)


@api.post("/v1/files", scope="files:write")
def create_file(intake: Intake, request: Request) -> dict[str, Any]:
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


lambda_handler = api.handler
