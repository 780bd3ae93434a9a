"""POST /v1/files: a file in the request body, or a direct upload announced in JSON."""

from files_api import composition
from files_api.api import forms
from files_api.api.http import Api, Request
from files_api.api.parameters import DirectUpload, FileForm, form_values, validated
from files_api.metrics import count_bytes
from files_api.service.errors import MissingField
from files_api.service.intake import Intake
from files_api.service.objects import FileObject, PendingFileObject

api = Api(composition.intake, composition.allowed_origin)


@api.post("/v1/files", scope="files:write")
def create_file(intake: Intake, request: Request) -> FileObject | PendingFileObject:
    if request.media_type == "application/json":
        fields = validated(DirectUpload, request.json())
        if fields.in_parts:
            pending, whole = intake.create_pending_in_parts(
                request.project, fields.new_file(), fields.part_size, request.terms
            )
            return {**pending.file.public(), "upload": whole.public(pending.expires_at)}
        file, url = intake.create_pending(
            request.project, fields.new_file(), fields.sha256, request.terms
        )
        return {**file.public(), "upload": url.put()}
    form = forms.parse(request.header("content-type"), request.body)
    sent = form.field("file")
    if sent is None or sent.filename is None:
        raise MissingField("file", "Send it as a form field with a filename.")
    new = validated(FileForm, form_values(form)).new_file(sent)
    file = intake.create(request.project, new, sent.content, request.terms)
    count_bytes("UploadedBytes", file.bytes)
    return file.public()


lambda_handler = api
