"""Every error a caller can be answered with, as one tree.

    ApiError
    ├── InsufficientPermissions   403  insufficient_permissions
    ├── FileNotFound              404
    ├── UploadNotFound            404
    ├── MalformedBody             400
    ├── MissingField              400
    ├── InvalidValue              400  invalid_value
    ├── EmptyFile                 400  empty_file
    ├── FileNotReady              400  file_not_ready
    ├── FileTooLarge              413  file_too_large
    └── InternalError             500

Raised where it is noticed, turned into an answer in `http`. What the gateway answers by itself
(no key, unknown route, throttled) stands in the template, in the same form.
"""

from typing import ClassVar


class ApiError(Exception):
    """An answer of OpenAI's error form.

    Attributes:
        status: the HTTP status.
        type: the class of error that an SDK's user sees.
        code: what a program can act on, where there is something to act on.
        message: a sentence for a person.
        param: the field at fault, if one is.
    """

    status: ClassVar[int] = 400
    type: ClassVar[str] = "invalid_request_error"
    code: ClassVar[str | None] = None

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def public(self) -> dict[str, dict[str, str | None]]:
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
    """The key is good, but was not given the scope that this call needs."""

    status = 403
    code = "insufficient_permissions"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope '{scope}'.")


class FileNotFound(ApiError):
    """The project has no such file: unknown, another's, deleted, expired, or no id at all."""

    status = 404

    def __init__(self, file_id: str) -> None:
        super().__init__(f"No such File object: {file_id}", "id")


class UploadNotFound(ApiError):
    """The project has no such upload: unknown, another's, or no id at all."""

    status = 404

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"No such Upload object: {upload_id}", "id")


class MalformedBody(ApiError):
    """The body is not what its Content-Type says, or ends before it should."""


class MissingField(ApiError):
    """A field that the call cannot do without is absent."""

    def __init__(self, param: str, hint: str = "") -> None:
        super().__init__(f"Missing required parameter: '{param}'.{hint and ' ' + hint}", param)


class InvalidValue(ApiError):
    """A field holds what it may not hold."""

    code = "invalid_value"

    def __init__(self, param: str, reason: str) -> None:
        super().__init__(f"Invalid '{param}': {reason}", param)


class EmptyFile(ApiError):
    """The file has no bytes."""

    code = "empty_file"

    def __init__(self, param: str = "file") -> None:
        super().__init__(f"The {param} is empty.", param)


class FileNotReady(ApiError):
    """The file's bytes have not been uploaded yet."""

    code = "file_not_ready"

    def __init__(self, file_id: str) -> None:
        super().__init__(f"The File object {file_id} has no content yet.", "id")


class FileTooLarge(ApiError):
    """The file is larger than this door, or this stack, takes."""

    status = 413
    code = "file_too_large"

    @classmethod
    def for_plain_upload(cls, limit: int) -> "FileTooLarge":
        """More than `limit` bytes, which is what a request through the gateway holds."""
        return cls(
            f"A plain upload takes files of up to {limit} bytes. Send larger ones by direct upload "
            "(POST /v1/files with a JSON body) or with the Uploads API (POST /v1/uploads).",
            "file",
        )

    @classmethod
    def for_direct_upload(cls, limit: int) -> "FileTooLarge":
        """More than `limit` bytes, which is what one PUT takes."""
        return cls(
            f"A direct upload takes files of up to {limit} bytes. Send larger ones with the "
            "Uploads API (POST /v1/uploads).",
            "bytes",
        )

    @classmethod
    def for_plain_part(cls, limit: int) -> "FileTooLarge":
        """More than `limit` bytes, which is what a request through the gateway holds."""
        return cls(
            f"A part sent this way has up to {limit} bytes. For a larger one, ask for an upload "
            'URL with a JSON body: {"bytes": …}.',
            "data",
        )

    @classmethod
    def for_direct_part(cls, limit: int) -> "FileTooLarge":
        """More than `limit` bytes, which is what one PUT takes."""
        return cls(f"A part has up to {limit} bytes.", "bytes")

    @classmethod
    def for_stack(cls, limit: int) -> "FileTooLarge":
        """More than `limit` bytes, which the operator set as this stack's maximum."""
        return cls(f"Files may have up to {limit} bytes here.", "bytes")


class InternalError(ApiError):
    """Our fault. Says nothing of what happened inside; the log does."""

    status = 500
    type = "server_error"

    def __init__(self) -> None:
        super().__init__("The server had an error while processing your request. Please retry.")
