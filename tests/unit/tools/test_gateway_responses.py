from typing import Any

import pytest

from tools import gateway_responses
from tools.gateway_responses import GatewayResponse

UNKNOWN_URL = (
    '{"message":"Invalid URL ($context.httpMethod $context.path)","id":"$context.requestId"}'
)


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
    read = gateway_responses.read([described("THROTTLED", "429")])

    headers = {"x-request-id": "context.requestId"}
    assert read == {"THROTTLED": GatewayResponse(429, headers, "{} THROTTLED")}


@pytest.mark.parametrize(
    ("family", "own", "status"),
    [
        (None, "504", 502),  # what AWS answers for a failed function
        ("500", "504", 500),
    ],
)
def test_a_type_without_a_status_has_that_of_its_family(
    family: str | None, own: str, status: int
) -> None:
    read = gateway_responses.read(
        [
            described("INTEGRATION_FAILURE", own, customized=False),
            described("DEFAULT_5XX", family),
        ]
    )

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


def test_completing_fills_in_only_what_was_left() -> None:
    response = GatewayResponse(404, {}, UNKNOWN_URL)
    body = UNKNOWN_URL.replace("$context.requestId", "one")

    completed = response.complete(body, {"httpMethod": "GET", "path": "/v1/x", "requestId": "two"})

    assert completed == '{"message":"Invalid URL (GET /v1/x)","id":"one"}'


@pytest.mark.parametrize(
    "body", ["", "{}", UNKNOWN_URL + " ", "x" + UNKNOWN_URL, "Invalid URL (x)"]
)
def test_completing_does_not_change_other_bodies(body: str) -> None:
    response = GatewayResponse(404, {}, UNKNOWN_URL)

    assert response.complete(body, {"httpMethod": "GET", "path": "/"}) is None


def test_completing_skips_templates_with_nothing_left() -> None:
    response = GatewayResponse(400, {}, '{"message":"$context.requestId"}')

    assert response.complete('{"message":"one"}', {"httpMethod": "GET", "path": "/"}) is None
