from typing import Any

import pytest

from tools.local.gateway import responses
from tools.local.gateway.responses import GatewayResponse


def described(kind: str, status: str | None, *, customized: bool = True) -> dict[str, Any]:
    return {
        "responseType": kind,
        "responseTemplates": {"application/json": f"{{}} {kind}"},
        "responseParameters": {
            "gatewayresponse.header.x-request-id": "context.requestId",
            "integration.other": "x",
        },
        "defaultResponse": not customized,
    } | ({"statusCode": status} if status else {})


def test_a_description_of_an_answer_is_read() -> None:
    read = responses.read([described("THROTTLED", "429")])

    headers = {"x-request-id": "context.requestId"}
    assert read == {"THROTTLED": GatewayResponse(429, headers, "{} THROTTLED")}


@pytest.mark.parametrize(
    ("family", "status"),
    [(None, 502), ("500", 500)],  # 502 is what AWS answers for a failed function
)
def test_a_type_without_a_status_has_that_of_its_family(family: str | None, status: int) -> None:
    failure = described("INTEGRATION_FAILURE", "504", customized=False)

    read = responses.read([failure, described("DEFAULT_5XX", family)])

    assert read["INTEGRATION_FAILURE"].status == status


def test_rendering_fills_in_headers_and_body() -> None:
    response = GatewayResponse(
        404,
        {"x-request-id": "context.requestId", "Retry-After": "'1'", "x-none": "context.none"},
        '{"error":{"message":$context.error.messageString,"path":"$context.path $context.no"}}',
    )

    headers, body = response.render(
        {"requestId": "one", "error.message": 'no "such"', "path": '/"\\'}
    )

    json_headers = {"Content-Type": "application/json"}
    assert headers == json_headers | {"x-request-id": "one", "Retry-After": "1"}
    assert body == (
        '{"error":{"message":"no \\"such\\"","path":"/\\"\\\\ $context.no"}}'
    )  # still JSON, whatever the request contains
