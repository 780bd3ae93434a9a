"""Parameters of calls: query strings, forms and JSON bodies become typed values, or errors."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import ErrorDetails

from files_api.api import documents
from files_api.api.forms import Field as FormField
from files_api.api.forms import Form
from files_api.service import ids
from files_api.service.errors import (
    ApiError,
    InvalidValue,
    MalformedBody,
    MissingField,
    UnknownParameter,
)
from files_api.service.media_types import MAX_LENGTH, PATTERN
from files_api.service.model import MAX_DIRECT_BYTES, NewFile
from files_api.service.part_plan import MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES
from files_api.service.ports import PageRequest

MAX_PAGE = 10_000  # OpenAI: "Limit can range between 1 and 10,000, and the default is 10,000"

_DIGITS = re.compile(r"0|[1-9][0-9]{0,11}")
_SHA256, _MD5 = "^[0-9a-fA-F]{64}$", "^[0-9a-fA-F]{32}$"
# RFC 6838, "Naming Requirements": at most 127 ASCII characters on either side of the slash.
_ASCII = "^[ -~]*$"
# `expires_after[seconds]` and `expires_after.seconds`
_NESTED = re.compile(r"\[(anchor|seconds)\]|\.(anchor|seconds)")

# --- Types ----------------------------------------------------------------------------------------


def _id(text: str) -> str:
    if not ids.is_id(text):
        raise ValueError("must be an id")
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _number(text: object) -> object:
    """Digits as a number; anything else stays as it is, and is then refused."""
    return int(text) if isinstance(text, str) and _DIGITS.fullmatch(text) else text


Id = Annotated[str, AfterValidator(_id), Field(json_schema_extra={"pattern": ids.PATTERN})]
# pydantic's own `min_length` would refuse lone surrogates, which names lose later.
Filename = Annotated[str, AfterValidator(_not_empty), Field(json_schema_extra={"minLength": 1})]
Sha256 = Annotated[str, Field(pattern=_SHA256)]
Md5 = Annotated[str, Field(pattern=_MD5)]
Size = Annotated[int, Field(strict=True, ge=1)]
Digits = Annotated[int, Field(strict=True), BeforeValidator(_number)]
"""A whole number in a query string."""

# --- Calls ----------------------------------------------------------------------------------------


class Query(BaseModel):
    """A query string."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Body(BaseModel):
    """A body."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListQuery(Query):
    """The query of `GET /v1/files`."""

    purpose: str | None = Field(None, description="Only files of this purpose.")
    limit: Digits = Field(MAX_PAGE, ge=1, le=MAX_PAGE, description="Files on a page, at most.")
    order: Literal["asc", "desc"] = Field("desc", description="Of creation.")
    after: Id | None = Field(None, description="The id of the file behind which the page begins.")

    def page(self) -> PageRequest:
        """The page that the caller asks for."""
        return PageRequest(self.limit, self.purpose, self.order == "desc", self.after)


class PartsQuery(Query):
    """The query of `GET /v1/files/{file_id}/parts`."""

    limit: Digits = Field(100, ge=1, le=1_000, description="Parts on a page, at most.")
    after: Digits = Field(
        0, ge=0, le=MAX_PARTS, description="The number of the part behind which the page begins."
    )


class UrlQuery(Query):
    """The query of `GET /v1/files/{file_id}/url`."""

    # At most an hour: a URL expires with the credentials of the role that signed it.
    expires_in: Digits = Field(900, ge=60, le=3_600, description="Seconds that the URL works.")


class ExpiresAfter(Body):
    """When a file expires, counted from its creation."""

    anchor: Literal["created_at"]
    seconds: int = Field(strict=True)  # `Limits` knows the bounds


class _FileFields(Body):
    purpose: str
    expires_after: ExpiresAfter | None = None

    @property
    def _lifetime(self) -> int | None:
        return self.expires_after.seconds if self.expires_after else None


class FileForm(_FileFields):
    """The form of `POST /v1/files`, except the file itself."""

    def new_file(self, sent: FormField) -> NewFile:
        """The file that the caller sends in this field."""
        name, size = sent.filename or "", len(sent.content)
        return NewFile(name, self.purpose, size, self._lifetime, sent.content_type)


class DirectUpload(_FileFields):
    """The JSON body of `POST /v1/files`: a file whose bytes the client sends to S3."""

    filename: Filename
    bytes: Size
    sha256: Sha256 | None = Field(None, description="Of the content, in hex. S3 checks it.")
    mime_type: str | None = Field(
        None,
        max_length=MAX_LENGTH,
        pattern=PATTERN,
        description="Media type of the content; by default that of the file name.",
    )
    part_size: int | None = Field(
        None,
        strict=True,
        ge=MIN_PART_BYTES,
        le=MAX_PART_BYTES,
        description="Bytes of each part but the last, for a direct upload in parts.",
    )

    @property
    def in_parts(self) -> bool:
        """Whether the bytes come in parts: as the caller wishes, or because one PUT is too small.

        Raises InvalidValue: S3 cannot check the SHA-256 of parts.
        """
        in_parts = self.part_size is not None or self.bytes > MAX_DIRECT_BYTES
        if in_parts and self.sha256 is not None:
            raise InvalidValue("sha256", "a direct upload in parts has no SHA-256 of the whole.")
        return in_parts

    def new_file(self) -> NewFile:
        """The file that the caller announces."""
        return NewFile(self.filename, self.purpose, self.bytes, self._lifetime, self.mime_type)


class NewUpload(_FileFields):
    """The body of `POST /v1/uploads`."""

    filename: Filename
    bytes: Size
    mime_type: str = Field(max_length=255, pattern=_ASCII)

    def new_file(self) -> NewFile:
        """The file that the caller announces."""
        return NewFile(self.filename, self.purpose, self.bytes, self._lifetime, self.mime_type)


class PresignedPart(Body):
    """The JSON body of `POST /v1/uploads/{upload_id}/parts`: a part that the client sends to S3."""

    bytes: Size = Field(json_schema_extra={"maximum": MAX_DIRECT_BYTES})
    sha256: Sha256 | None = Field(None, description="Of the content, in hex. S3 checks it.")


class CompleteUpload(Body):
    """The body of `POST /v1/uploads/{upload_id}/complete`."""

    # The first bad one is enough: millions of errors would not fit into memory.
    part_ids: tuple[Id, ...] = Field(
        fail_fast=True,
        description="The parts in the order of the content.",
        json_schema_extra={"minItems": 1, "uniqueItems": True},
    )
    md5: Md5 | None = Field(None, description="Of the whole content, in hex, to be checked.")


# --- Validation -----------------------------------------------------------------------------------

# What a value must be, by pydantic's name for what is wrong with it.
_MUST = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must be an object",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be a string",
    "tuple_type": "must be a list",
}
_MEDIA_TYPE = "must be a media type such as text/plain"
_PATTERNS = {
    _SHA256: "must have 64 hexadecimal digits",
    _MD5: "must have 32 hexadecimal digits",
    _ASCII: _MEDIA_TYPE,
    PATTERN: _MEDIA_TYPE,
}
_NUMBER_ERRORS = ("int_type", "int_parsing", "int_from_float")


def validated[Model: BaseModel](model: type[Model], values: Mapping[str, Any]) -> Model:
    """Validates the values of a call.

    Args:
        model: one of the classes of this module.
        values: as received.

    Raises:
        MissingField, UnknownParameter, InvalidValue, MalformedBody: for the first invalid value.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _error(error.errors(include_url=False, include_input=False)[0]) from None


def _error(found: ErrorDetails) -> ApiError:
    if not found["loc"]:  # a name that is not Unicode
        return MalformedBody("A name in the JSON body is not valid Unicode.")
    param, *inner = (str(each) for each in found["loc"])
    if found["type"] == "extra_forbidden":
        return UnknownParameter(".".join([param, *inner]))
    if found["type"] == "missing" and not inner:
        return MissingField(param)
    where = f"{inner[0]} " if inner and not inner[0].isdecimal() else ""
    return InvalidValue(param, f"{where}{_reason(found)}.")


def _reason(found: ErrorDetails) -> str:
    """What is wrong, in the API's own words."""
    kind, context = found["type"], found.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context["error"])
    if kind in _NUMBER_ERRORS:
        return "must be a whole number"
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]]
    return _MUST.get(kind, "has an invalid value").format(**context)


def form_values(form: Form) -> dict[str, Any]:
    """The values of the form of `POST /v1/files`, except the file. Other fields are ignored.

    Raises:
        InvalidValue: a field was sent more than once, or its name or value cannot be understood.
    """
    values: dict[str, Any] = {}
    purpose = form.text("purpose")
    if purpose is not None:
        values["purpose"] = purpose
    wish = form.texts("expires_after")
    if wish:
        values["expires_after"] = _expires_after(wish)
    return values


def _expires_after(fields: Mapping[str, str]) -> Any:
    """The wish to expire, which clients encode in several ways. It is never dropped in silence."""
    if "expires_after" in fields and len(fields) == 1:
        return _whole(fields["expires_after"])
    values: dict[str, Any] = {}
    for name, text in fields.items():
        found = _NESTED.fullmatch(name.removeprefix("expires_after"))
        if found is None:
            raise InvalidValue(name, "is not part of expires_after.")
        key = found[1] or found[2]
        if key in values:
            raise InvalidValue("expires_after", f"{key} was sent more than once.")
        values[key] = _number(text) if key == "seconds" else text
    return values


def _whole(text: str) -> Any:
    """`expires_after` in one field: JSON text, or plain seconds."""
    try:
        value = documents.loads(text)
    except MalformedBody:
        value = None
    if isinstance(value, int) and _DIGITS.fullmatch(text):
        return {"anchor": "created_at", "seconds": value}
    if not isinstance(value, dict):
        raise InvalidValue("expires_after", "must be a JSON object or a number of seconds.")
    return value
