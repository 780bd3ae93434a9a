"""What comes from outside, validated: query strings and forms become typed values or errors."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from files_api.errors import InvalidValue, MissingField
from files_api.ids import is_file_id

MAX_PAGE = 10_000  # OpenAI: "Limit can range between 1 and 10,000, and the default is 10,000"
MIN_LIFETIME = 3_600  # OpenAI: "Must be between 3600 (1 hour) and 2592000 (30 days)"
MAX_LIFETIME = 2_592_000


def _file_id(text: str) -> str:
    if not is_file_id(text):
        raise ValueError("must be the id of a file")
    return text


FileId = Annotated[str, AfterValidator(_file_id)]


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ListQuery(_Parameters):
    """The query of `GET /v1/files`."""

    purpose: str | None = None
    limit: int = Field(default=MAX_PAGE, ge=1, le=MAX_PAGE)
    order: Literal["asc", "desc"] = "desc"
    after: FileId | None = None


class LinkQuery(_Parameters):
    """The query of `GET /v1/files/{file_id}/url`."""

    # Not longer: a URL is good no longer than the credentials of the role that signed it.
    expires_in: int = Field(default=900, ge=60, le=3_600)


class ExpiresAfter(_Parameters):
    """When a file expires: so many seconds after its creation."""

    anchor: Literal["created_at"]
    seconds: int = Field(ge=MIN_LIFETIME, le=MAX_LIFETIME)


class UploadForm(_Parameters):
    """The fields beside the file of `POST /v1/files`."""

    purpose: str
    expires_after: ExpiresAfter | None = None

    @property
    def lifetime(self) -> int | None:
        """Seconds until the file expires, where the caller says so."""
        return self.expires_after.seconds if self.expires_after else None


class DirectUpload(UploadForm):
    """The JSON body of `POST /v1/files`: a file whose bytes go straight to the store."""

    filename: str
    bytes: int = Field(strict=True, ge=1)
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")


class NewUpload(UploadForm):
    """The body of `POST /v1/uploads`."""

    filename: str
    bytes: int = Field(strict=True, ge=1)
    # RFC 6838, "Naming Requirements": 127 characters on either side, none beyond ASCII.
    mime_type: str = Field(max_length=255, pattern="^[ -~]*$")


class DirectPart(_Parameters):
    """The JSON body of `POST /v1/uploads/{upload_id}/parts`."""

    bytes: int = Field(strict=True, ge=1)
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")


class CompleteUpload(_Parameters):
    """The body of `POST /v1/uploads/{upload_id}/complete`."""

    part_ids: tuple[str, ...]
    md5: str | None = Field(default=None, pattern="^[0-9a-fA-F]{32}$")


def validated[Model: BaseModel](model: type[Model], values: Mapping[str, Any]) -> Model:
    """The values as a `model`.

    Args:
        model: one of the classes here.
        values: as they came; what the model does not name is ignored.

    Raises:
        MissingField, InvalidValue: for the first value at fault.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        param = str(first["loc"][0])
        if first["type"] == "missing" and len(first["loc"]) == 1:
            raise MissingField(param) from None
        if first["type"] == "model_type":
            raise InvalidValue(param, "must be an object.") from None
        where = "".join(f"[{part}]" for part in first["loc"][1:])
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidValue(param, f"{where and where + ' '}{reason}.") from None


def nested(texts: Mapping[str, str]) -> dict[str, Any]:
    """A form's texts with `name[key]` fields folded into `{"name": {"key": …}}`."""
    values: dict[str, Any] = {}
    for name, text in texts.items():
        outer, bracket, rest = name.partition("[")
        if bracket and rest.endswith("]"):
            inner = values.setdefault(outer, {})
            if isinstance(inner, dict):
                inner[rest[:-1]] = text
        else:
            values[name] = text
    return values
