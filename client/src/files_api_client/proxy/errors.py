"""The proxy's own errors, in the API's form."""

import uuid

from aiohttp import web


class ProxyError(Exception):
    """A call that the proxy itself must refuse.

    Args:
        status: of the answer.
        message: a sentence for people.
        param: the field that caused it, if any.
        code: a constant for programs to act on, if any.
    """

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    def answer(self) -> web.Response:
        """The answer, which is never sent twice."""
        own = self.status >= web.HTTPInternalServerError.status_code
        error = {
            "message": self.message,
            "type": "server_error" if own else "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }
        headers = {"x-request-id": str(uuid.uuid4())}
        return web.json_response({"error": error}, status=self.status, headers=headers)
