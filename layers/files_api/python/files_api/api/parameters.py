"""Parameters of calls: query strings, forms and JSON bodies become typed values, or errors."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from files_api.service.errors import InvalidValue, MissingField
from files_api.service.ids import is_id
from files_api.service.model import NewFile
from files_api.service.ports import PageRequest

MAX_PAGE = 10_000  # OpenAI: "Limit can range between 1 and 10,000, and the default is 10,000"
MIN_LIFETIME = 3_600  # OpenAI: "Must be between 3600 (1 hour) and 2592000 (30 days)"
MAX_LIFETIME = 2_592_000


def _file_id(text: str) -> str:
    if not is_id(text):
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

    def page(self) -> PageRequest:
        """The page that the caller asks for."""
        return PageRequest(self.limit, self.purpose, self.order == "desc", self.after)


class UrlQuery(_Parameters):
    """The query of `GET /v1/files/{file_id}/url`."""

    # At most an hour: a URL expires with the credentials of the role that signed it.
    expires_in: int = Field(default=900, ge=60, le=3_600)


class ExpiresAfter(_Parameters):
    """When a file expires, counted from its creation."""

    anchor: Literal["created_at"]
    seconds: int = Field(ge=MIN_LIFETIME, le=MAX_LIFETIME)


class _FileFields(_Parameters):
    purpose: str
    expires_after: ExpiresAfter | None = None

    @property
    def _lifetime(self) -> int | None:
        return self.expires_after.seconds if self.expires_after else None


class FileForm(_FileFields):
    """The form of `POST /v1/files`, except the file itself."""

    def new_file(self, filename: str, size: int) -> NewFile:
        """The file that the caller sends, with its name as sent and its size in bytes."""
        return NewFile(filename, self.purpose, size, self._lifetime)


class DirectUpload(_FileFields):
    """The JSON body of `POST /v1/files`: a file whose bytes the client sends to S3."""

    filename: str
    bytes: int = Field(strict=True, ge=1)
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")

    def new_file(self) -> NewFile:
        """The file that the caller announces."""
        return NewFile(self.filename, self.purpose, self.bytes, self._lifetime)


class NewUpload(_FileFields):
    """The body of `POST /v1/uploads`."""

    filename: str
    bytes: int = Field(strict=True, ge=1)
    # RFC 6838, "Naming Requirements": at most 127 ASCII characters on either side of the slash.
    mime_type: str = Field(max_length=255, pattern="^[ -~]*$")

    def new_file(self) -> NewFile:
        """The file that the caller announces."""
        return NewFile(self.filename, self.purpose, self.bytes, self._lifetime, self.mime_type)


class PresignedPart(_Parameters):
    """The JSON body of `POST /v1/uploads/{upload_id}/parts`."""

    bytes: int = Field(strict=True, ge=1)
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")


class CompleteUpload(_Parameters):
    """The body of `POST /v1/uploads/{upload_id}/complete`."""

    part_ids: tuple[str, ...]
    md5: str | None = Field(default=None, pattern="^[0-9a-fA-F]{32}$")


def validated[Model: BaseModel](model: type[Model], values: Mapping[str, Any]) -> Model:
    """Validates the values of a call.

    Args:
        model: one of the classes of this module.
        values: as received; unknown names are ignored.

    Raises:
        MissingField, InvalidValue: for the first invalid value.
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
    """The texts of a form; fields `name[key]` become `{"name": {"key": …}}`."""
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
