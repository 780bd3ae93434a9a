"""The door: the gateway's own answers, its access log, throttling, who may come in."""

import json
import re
from typing import Any

import pytest

from files_api.service.errors import FileTooLarge, InternalError
from files_api.service.files import MAX_INLINE_BYTES
from tests.support.template import Stack, default_stack, listed

# The contract's rows for what the gateway answers by itself: status, and all but the message.
# Without a status of its own, a kind keeps those of the cases that it stands for.
INVALID = "invalid_request_error"
CONTRACT: dict[str, tuple[str | None, str, str | None, str | None]] = {
    "UNAUTHORIZED": ("401", INVALID, None, None),
    "ACCESS_DENIED": ("401", INVALID, None, "invalid_api_key"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", INVALID, None, "unknown_url"),
    "REQUEST_TOO_LARGE": ("413", INVALID, "file", "file_too_large"),
    "THROTTLED": ("429", "rate_limit_error", None, "rate_limit_exceeded"),
    "DEFAULT_4XX": (None, INVALID, None, None),
    "DEFAULT_5XX": ("500", "server_error", None, None),
}
OWN_HEADERS = {
    "UNAUTHORIZED": {"WWW-Authenticate": "'Bearer'"},
    "ACCESS_DENIED": {"WWW-Authenticate": "'Bearer error=\"invalid_token\"'"},
    "THROTTLED": {"Retry-After": "'1'"},
}
CONTEXT = {
    "httpMethod": "PATCH",
    "path": "/v1/nothing",
    "error.messageString": json.dumps('The "body" is not what it should be.'),
}

every_answer = pytest.mark.parametrize("kind", CONTRACT)


def answers() -> dict[str, Any]:
    body = default_stack().only("AWS::ApiGateway::RestApi")["Body"]
    return dict(body["x-amazon-apigateway-gateway-responses"])


def rendered(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)", lambda found: values[found[1]], text)


def error(kind: str) -> dict[str, Any]:
    """The answer's body, filled in as the gateway does."""
    (template,) = answers()[kind]["responseTemplates"].values()
    answer: dict[str, Any] = json.loads(rendered(template, CONTEXT))
    return answer


# --- Its own answers -----------------------------------------------------------------------------


def test_gateway_answers_exactly_the_cases_of_the_contract() -> None:
    assert set(answers()) == set(CONTRACT)


@every_answer
def test_gateway_answers_have_the_one_error_form(kind: str) -> None:
    assert list(answers()[kind]["responseTemplates"]) == ["application/json"]
    answer = error(kind)
    assert list(answer) == ["error"]
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert answer["error"]["message"]


@every_answer
def test_gateway_answers_are_those_of_the_contract(kind: str) -> None:
    found = error(kind)["error"]
    status = answers()[kind].get("statusCode")
    assert (status, found["type"], found["param"], found["code"]) == CONTRACT[kind]


@every_answer
def test_gateway_answers_carry_the_request_id(kind: str) -> None:
    wanted = {"x-request-id": "context.requestId", **OWN_HEADERS.get(kind, {})}
    assert answers()[kind]["responseParameters"] == {
        f"gatewayresponse.header.{name}": value for name, value in wanted.items()
    }


def test_gateway_names_an_unknown_route() -> None:
    message = error("MISSING_AUTHENTICATION_TOKEN")["error"]["message"]
    assert message == "Invalid URL (PATCH /v1/nothing)"


def test_gateway_message_of_other_bad_requests_is_passed_on() -> None:
    assert error("DEFAULT_4XX")["error"]["message"] == 'The "body" is not what it should be.'


def test_gateway_answers_too_large_like_the_function() -> None:
    found = error("REQUEST_TOO_LARGE")["error"]
    told = found.pop("message")
    same = FileTooLarge.for_request_body(MAX_INLINE_BYTES).public()["error"]
    assert found == {name: same[name] for name in ("type", "param", "code")}
    assert answers()["REQUEST_TOO_LARGE"]["statusCode"] == str(FileTooLarge.status)
    # It may have been a part: then the file's own ways out are of no use.
    for said in (str(MAX_INLINE_BYTES), "direct upload", "Uploads API", "part", "presigned URL"):
        assert said in told


def test_gateway_answers_a_failed_function_like_an_error() -> None:
    assert error("DEFAULT_5XX") == InternalError().public()
    assert answers()["DEFAULT_5XX"]["statusCode"] == str(InternalError.status)


# --- Access log ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["-", "acme", "200"])
def test_access_log_line_is_json_whatever_values_are_missing(value: str) -> None:
    setting = default_stack().only("AWS::ApiGateway::Stage")["AccessLogSetting"]
    assert setting["DestinationArn"] == "AccessLog.Arn"
    assert "\n" not in setting["Format"]
    line = json.loads(re.sub(r"\$context\.[A-Za-z.]+", value, setting["Format"]))
    assert line == dict.fromkeys(line, value)
    assert {"time", "request_id", "method", "route", "status", "project", "key"} <= set(line)


def test_access_log_names_the_project_and_never_the_key() -> None:
    log = default_stack().only("AWS::ApiGateway::Stage")["AccessLogSetting"]["Format"]
    variables = set(re.findall(r"\$context\.([A-Za-z.]+)", log))
    assert {"authorizer.project", "authorizer.principalId", "requestId"} <= variables
    assert "$input" not in log


@pytest.mark.parametrize(("chosen", "there"), [("true", True), ("false", False)])
def test_gateway_log_role_is_created_unless_switched_off(chosen: str, *, there: bool) -> None:
    stack = Stack(ManageApiGatewayLogging=chosen)
    made = {"ApiGatewayLogging", "ApiGatewayLoggingRole"} & set(stack.resources)
    assert made == ({"ApiGatewayLogging", "ApiGatewayLoggingRole"} if there else set())


def test_gateway_log_role_is_kept_for_other_apis() -> None:
    for name in ("ApiGatewayLogging", "ApiGatewayLoggingRole"):
        resource = default_stack().resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain",) * 2


def test_stage_waits_for_the_gateway_log_role() -> None:
    # API Gateway refuses a stage with an access log in an account that has no such role.
    resources = default_stack().resources
    waiting = [
        name
        for name, resource in resources.items()
        if resource["Type"] in ("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage")
        and "ApiGatewayLogging" in listed(resource.get("DependsOn", []))
    ]
    assert waiting


# --- Throttling, keys, bytes ---------------------------------------------------------------------


def test_throttling_covers_every_route_as_chosen() -> None:
    stage = Stack(ThrottleRate="7", ThrottleBurst="9").only("AWS::ApiGateway::Stage")
    assert stage["MethodSettings"] == [
        {
            "ResourcePath": "/*",
            "HttpMethod": "*",
            "ThrottlingRateLimit": "7",
            "ThrottlingBurstLimit": "9",
            "DataTraceEnabled": False,
        }
    ]
    assert stage["TracingEnabled"] is True


@pytest.mark.parametrize("seconds", ["0", "60", "300"])
def test_authorizer_caches_for_the_chosen_time(seconds: str) -> None:
    body = Stack(AuthorizerTtlSeconds=seconds).only("AWS::ApiGateway::RestApi")["Body"]
    scheme = body["components"]["securitySchemes"]["BearerKey"]
    authorizer = scheme.pop("x-amazon-apigateway-authorizer")
    assert scheme == {
        "in": "header",
        "type": "apiKey",
        "name": "Authorization",
        "x-amazon-apigateway-authtype": "custom",
    }
    assert authorizer.pop("authorizerUri").endswith("/functions/Authorize.Arn/invocations")
    assert {name: str(value) for name, value in authorizer.items()} == {
        "type": "token",
        "authorizerResultTtlInSeconds": seconds,
    }


def test_bodies_pass_byte_for_byte_both_ways() -> None:
    api = default_stack().only("AWS::ApiGateway::RestApi")
    assert api["Body"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_api_is_regional_and_its_stage_is_a_parameter() -> None:
    stack = Stack(Stage="prod")
    assert stack.only("AWS::ApiGateway::RestApi")["EndpointConfiguration"] == {
        "Types": ["REGIONAL"]
    }
    assert stack.only("AWS::ApiGateway::Stage")["StageName"] == "prod"
