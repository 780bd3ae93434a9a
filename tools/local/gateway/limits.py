"""The size limits of API Gateway and Lambda, which MiniStack does not enforce."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

# AWS, "Quotas for configuring and running a REST API in API Gateway": 10 MB, not adjustable.
BODY: Final = 10 * 1024 * 1024
# The same page, for all headers together; enforced here for each of them.
HEADERS: Final = 10 * 1024
# AWS, "Lambda quotas": 6 MB each for the request and the response of a synchronous invocation. Its
# error messages say exactly: "Request must be smaller than 6291456 bytes", "Response payload size
# exceeded maximum allowed payload size (6291556 bytes)".
EVENT: Final = 6 * 1024 * 1024
RESULT: Final = 6 * 1024 * 1024 + 100
# The rest of an event, besides body, path and headers: mostly the context of the request.
EVENT_OVERHEAD: Final = 2048


def event_fits(path: str, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
    """Whether the event of a request is small enough for Lambda.

    The size is an estimate: the body as base64, path and headers as JSON (twice, as in the event),
    and a constant for the rest.
    """
    texts = [name.decode("latin-1") + value.decode("latin-1") for name, value in headers]
    return _base64_size(body) + 2 * len(json.dumps([path, *texts])) + EVENT_OVERHEAD < EVENT


def result_fits(headers: Mapping[str, str], content: bytes) -> bool:
    """Whether the result of a function is small enough for Lambda.

    The size is an estimate: the result contains JSON as a JSON string, anything else as base64.
    """
    if headers.get("Content-Type", "").startswith("application/json"):
        return len(json.dumps(content.decode(errors="replace"))) <= RESULT
    return _base64_size(content) <= RESULT


def _base64_size(content: bytes) -> int:
    return 4 * ((len(content) + 2) // 3)
