"""Every error that the API answers, as one tree.

    ApiError
    ├── InsufficientPermissions   403  insufficient_permissions
    ├── StorageLimitExceeded      403  storage_limit_exceeded
    ├── UnknownUrl                404  unknown_url
    ├── FileNotFound              404
    ├── UploadNotFound            404
    ├── MalformedBody             400
    ├── MissingField              400
    ├── InvalidValue              400  invalid_value
    ├── UnknownParameter          400  unknown_parameter
    ├── IdempotencyKeyReused      400  idempotency_key_reused
    ├── EmptyFile                 400  empty_file
    ├── FileNotReady              400  file_not_ready
    ├── FileTooLarge              413  file_too_large
    ├── UnsupportedEncoding       415  unsupported_encoding
    ├── InvalidRange              416  invalid_range
    ├── RateLimitExceeded         429  rate_limit_exceeded
    └── InternalError             500

An error is raised where it is noticed; `api.http` turns it into an answer. The gateway's own
answers (no key, unknown route, throttled) are in the template, in the same form.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from files_api.service.objects import ErrorObject

_QUOTED_CHARACTERS = 100


def quoted(text: str) -> str:
    """A caller's text for a message: at most 100 characters, all of which UTF-8 can encode."""
    text = text[:_QUOTED_CHARACTERS] + "…" * (len(text) > _QUOTED_CHARACTERS)
    return text.encode(errors="replace").decode()


class ApiError(Exception):
    """An error in OpenAI's form.

    Attributes:
        status: the HTTP status.
        type: OpenAI's class of error.
        code: a constant for programs to act on, if any.
        headers: headers of the answer.
        message: a sentence for people.
        param: the field that caused it, if any.
    """

    status: ClassVar[int] = 400
    type: ClassVar[str] = "invalid_request_error"
    code: ClassVar[str | None] = None
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = None if param is None else quoted(param)

    def public(self) -> ErrorObject:
        """The body of the answer: always the same four keys."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


class InsufficientPermissions(ApiError):
    """The key is valid, but lacks the scope that this call needs."""

    status = 403
    code = "insufficient_permissions"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope '{scope}'.")


class StorageLimitExceeded(ApiError):
    """The project may not store as much more.

    Args:
        what: `files` or `bytes`.
        limit: at most so many.
        used: so many are stored.
        more: so many were to be added.
    """

    status = 403
    code = "storage_limit_exceeded"

    def __init__(self, what: str, *, limit: int, used: int, more: int) -> None:
        super().__init__(
            f"The project can store at most {limit} {what}, and stores {used}: {more} more are too "
            "many. Delete files, or ask the operator for a higher limit."
        )


class UnknownUrl(ApiError):
    """No page has this URL. For unknown routes, the gateway answers the same.

    Args:
        method: of the request.
        path: of the request.
    """

    status = 404
    code = "unknown_url"

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Invalid URL ({method} {quoted(path)})")


class FileNotFound(ApiError):
    """The project has no such file: unknown, foreign, deleted, expired, or a malformed id."""

    status = 404

    def __init__(self, file_id: str) -> None:
        super().__init__(f"No such File object: {quoted(file_id)}", "id")


class UploadNotFound(ApiError):
    """The project has no such upload: unknown, foreign, or a malformed id."""

    status = 404

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"No such Upload object: {quoted(upload_id)}", "id")


class MalformedBody(ApiError):
    """The body does not match its Content-Type, or is truncated."""


class MissingField(ApiError):
    """A required field is missing."""

    def __init__(self, param: str, hint: str = "") -> None:
        super().__init__(
            f"Missing required parameter: '{quoted(param)}'.{hint and ' ' + hint}", param
        )


class InvalidValue(ApiError):
    """A field has a value that is not allowed."""

    code = "invalid_value"

    def __init__(self, param: str, reason: str) -> None:
        super().__init__(f"Invalid '{quoted(param)}': {reason}", param)


class UnknownParameter(ApiError):
    """A JSON body has a field that the call does not know."""

    code = "unknown_parameter"

    def __init__(self, param: str) -> None:
        super().__init__(f"Unknown parameter: '{quoted(param)}'.", param)


class IdempotencyKeyReused(ApiError):
    """Another request was made with this key."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was sent with another request. Choose a new one for each.",
            "Idempotency-Key",
        )


class EmptyFile(ApiError):
    """The file has no bytes."""

    code = "empty_file"

    def __init__(self, param: str = "file") -> None:
        super().__init__(f"The {param} is empty.", param)


class FileNotReady(ApiError):
    """The file's content is not in place yet."""

    code = "file_not_ready"

    def __init__(self, file_id: str) -> None:
        super().__init__(f"The File object {quoted(file_id)} has no content yet.", "id")


class FileTooLarge(ApiError):
    """The file or part is larger than this call, or this deployment, accepts."""

    status = 413
    code = "file_too_large"

    @classmethod
    def for_request_body(cls, limit: int) -> "FileTooLarge":
        """The file exceeds the `limit`, in bytes, of a request through the gateway."""
        return cls(
            f"A file in the request body can have at most {limit} bytes. Send a larger file by "
            "direct upload (POST /v1/files with a JSON body, in parts with part_size) or with the "
            "Uploads API (POST /v1/uploads).",
            "file",
        )

    @classmethod
    def for_part_in_request_body(cls, limit: int) -> "FileTooLarge":
        """The part exceeds the `limit`, in bytes, of a request through the gateway."""
        return cls(
            f"A part in the request body can have at most {limit} bytes. For a larger part, "
            'request a presigned URL with a JSON body: {"bytes": …}.',
            "data",
        )

    @classmethod
    def for_presigned_part(cls, limit: int) -> "FileTooLarge":
        """The part exceeds the `limit`, in bytes, of one PUT."""
        return cls(f"The maximum part size is {limit} bytes.", "bytes")

    @classmethod
    def for_deployment(cls, limit: int, param: str) -> "FileTooLarge":
        """The file exceeds the `limit`, in bytes, that the operator has set."""
        return cls(f"The maximum file size is {limit} bytes.", param)


class UnsupportedEncoding(ApiError):
    """The body, or a field of a form, has an encoding that this API does not undo."""

    status = 415
    code = "unsupported_encoding"

    def __init__(self, header: str, encoding: str) -> None:
        super().__init__(
            f"{header} '{quoted(encoding)}' is not supported: send the bytes as they are."
        )


class InvalidRange(ApiError):
    """The requested range is beyond the end of the content."""

    status = 416
    code = "invalid_range"

    def __init__(self, size: int) -> None:
        super().__init__(f"The range is beyond the end of the content, which has {size} bytes.")
        self.headers = MappingProxyType({"Content-Range": f"bytes */{size}"})


class RateLimitExceeded(ApiError):
    """AWS asks to slow down, and there is no time to wait for it."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    headers = MappingProxyType({"Retry-After": "1"})

    def __init__(self) -> None:
        super().__init__("Too many requests. Retry after a second.")


class InternalError(ApiError):
    """An error of our own. The details are in the log, not in the answer."""

    status = 500
    type = "server_error"

    def __init__(self) -> None:
        super().__init__("The server had an error while processing your request. Please retry.")
