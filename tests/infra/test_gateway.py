"""The door: the gateway's own answers, its access log, throttling, who may come in."""

import json
import re
from typing import Any

import pytest

from files_api.service.errors import FileTooLarge, InternalError
from files_api.service.files import MAX_INLINE_BYTES
from tests.support.template import Stack, default_stack, listed, source

INVALID = "invalid_request_error"
# What the gateway answers by itself: status, message, type, param, code. Without a status of its
# own, a kind keeps those of the cases that it stands for.
ERRORS: dict[str, tuple[str | None, str, str, str | None, str | None]] = {
    "UNAUTHORIZED": (
        "401",
        "You did not provide an API key. Send it in an Authorization header: Bearer YOUR_KEY.",
        INVALID,
        None,
        None,
    ),
    "ACCESS_DENIED": ("401", "Incorrect API key provided.", INVALID, None, "invalid_api_key"),
    **dict.fromkeys(
        ["MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE"],
        ("404", "Invalid URL (PATCH /v1/nothing)", INVALID, None, "unknown_url"),
    ),
    # It may have been a part: then the file's own ways out are of no use.
    "REQUEST_TOO_LARGE": (
        "413",
        f"A file or part in the request body can have at most {MAX_INLINE_BYTES} bytes. Send a "
        "larger file by direct upload (POST /v1/files with a JSON body, in parts with part_size) "
        "or with the Uploads API "
        "(POST /v1/uploads), and a larger part to a presigned URL (request it with a JSON body).",
        INVALID,
        "file",
        "file_too_large",
    ),
    "THROTTLED": (
        "429",
        "Too many requests. Retry after a second.",
        "rate_limit_error",
        None,
        "rate_limit_exceeded",
    ),
    "AUTHORIZER_FAILURE": (
        "429",
        "The API key cannot be checked now. Retry after a second.",
        "rate_limit_error",
        None,
        "rate_limit_exceeded",
    ),
    "WAF_FILTERED": (
        "429",
        "Too many requests. Retry after 30 seconds.",
        "rate_limit_error",
        None,
        "rate_limit_exceeded",
    ),
    "DEFAULT_4XX": (None, "The request cannot be processed.", INVALID, None, None),
    "DEFAULT_5XX": (
        "500",
        "The server had an error while processing your request. Please retry.",
        "server_error",
        None,
        None,
    ),
}
OWN_HEADERS = {
    "UNAUTHORIZED": {"WWW-Authenticate": "'Bearer'"},
    "ACCESS_DENIED": {"WWW-Authenticate": "'Bearer error=\"invalid_token\"'"},
    "THROTTLED": {"Retry-After": "'1'"},
    "AUTHORIZER_FAILURE": {"Retry-After": "'1'"},
    "WAF_FILTERED": {"Retry-After": "'30'"},
}
CONTEXT = {
    "httpMethod": "PATCH",
    "path": "/v1/nothing",
    "error.messageString": json.dumps('The "body" is not what it should be.'),
}


def answers() -> dict[str, Any]:
    body = default_stack().only("AWS::ApiGateway::RestApi")["Body"]
    return dict(body["x-amazon-apigateway-gateway-responses"])


def rendered(kind: str) -> Any:
    """The answer's body, filled in as the gateway does."""
    template = answers()[kind]["responseTemplates"]["application/json"]
    variable = r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)"
    return json.loads(re.sub(variable, lambda found: CONTEXT[found[1]], template))


# --- Its own answers -----------------------------------------------------------------------------


def test_gateway_answers_exactly_the_cases_of_the_contract() -> None:
    assert set(answers()) == set(ERRORS)


@pytest.mark.parametrize("kind", ERRORS)
def test_gateway_answers_the_whole_error_with_the_request_id(kind: str) -> None:
    status, *fields = ERRORS[kind]
    answer = dict(answers()[kind])
    assert rendered(kind) == {
        "error": dict(zip(("message", "type", "param", "code"), fields, strict=True))
    }
    assert list(answer.pop("responseTemplates")) == ["application/json"]
    headers = {"x-request-id": "context.requestId", **OWN_HEADERS.get(kind, {})}
    assert answer == {
        "responseParameters": {
            f"gatewayresponse.header.{name}": value for name, value in headers.items()
        }
    } | ({"statusCode": status} if status else {})


def test_gateway_answers_large_bodies_as_functions_do() -> None:
    same = FileTooLarge.for_request_body(MAX_INLINE_BYTES).public()["error"]
    found = rendered("REQUEST_TOO_LARGE")["error"]
    assert found | {"message": ""} == same | {"message": ""}
    assert answers()["REQUEST_TOO_LARGE"]["statusCode"] == str(FileTooLarge.status)
    assert rendered("DEFAULT_5XX") == InternalError().public()
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
    assert "$input" not in log
    for name in ("authorizer.project", "authorizer.principalId", "requestId"):
        assert f'"$context.{name}"' in log


def test_gateway_log_role_can_be_left_out_and_outlives_the_stack() -> None:
    names = {"ApiGatewayLogging", "ApiGatewayLoggingRole"}
    assert not names & set(Stack(ManageApiGatewayLogging="false").resources)
    for name in names:  # other APIs of the account may use it
        resource = default_stack().resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain",) * 2
    # API Gateway refuses a stage with an access log in an account that has no such role.
    assert "ApiGatewayLogging" in listed(default_stack().resources["Api"]["DependsOn"])


# --- Throttling, keys, bytes ---------------------------------------------------------------------


def test_stage_is_throttled_and_traced_on_every_route_as_chosen() -> None:
    stack = Stack(Stage="prod", ThrottleRate="7", ThrottleBurst="9")
    stage = stack.only("AWS::ApiGateway::Stage")
    assert stage["StageName"] == "prod"
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
        "identityValidationExpression": "[ -~]{1,300}",
    }


def test_api_is_regional_and_passes_bodies_byte_for_byte() -> None:
    api = default_stack().only("AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["Body"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]


# --- Other origins -------------------------------------------------------------------------------

PREFLIGHT = {
    "x-request-id": "context.requestId",
    "Access-Control-Allow-Origin": "'https://app.example'",
    "Access-Control-Allow-Methods": "'GET,HEAD,POST,DELETE'",
    "Access-Control-Allow-Headers": "'Authorization,*'",
    "Access-Control-Max-Age": "'3600'",
}


def test_gateway_answers_preflights_of_every_path_without_a_key() -> None:
    paths = Stack(AllowedOrigin="https://app.example").only("AWS::ApiGateway::RestApi")["Body"][
        "paths"
    ]
    asked = {path for path, operations in paths.items() if "options" in operations}
    assert asked == {"/{proxy+}"}
    operation = paths["/{proxy+}"]["options"]
    assert "security" not in operation
    assert set(operation["responses"]["200"]["headers"]) == set(PREFLIGHT)
    answer = operation["x-amazon-apigateway-integration"]["responses"]["default"]
    assert answer["responseParameters"] == {
        f"method.response.header.{name}": value for name, value in PREFLIGHT.items()
    }


def test_preflight_allows_every_method_of_the_api() -> None:
    paths = default_stack().only("AWS::ApiGateway::RestApi")["Body"]["paths"]
    methods = {method.upper() for operations in paths.values() for method in operations}
    assert PREFLIGHT["Access-Control-Allow-Methods"] == "'GET,HEAD,POST,DELETE'"
    assert methods == {"GET", "HEAD", "POST", "DELETE"}


@pytest.mark.parametrize("kind", ERRORS)
def test_answers_of_the_gateway_name_the_allowed_origin(kind: str) -> None:
    usual = answers()[kind]
    body = Stack(AllowedOrigin="https://app.example").only("AWS::ApiGateway::RestApi")["Body"]
    found = body["x-amazon-apigateway-gateway-responses"][kind]
    more = {
        "gatewayresponse.header.Access-Control-Allow-Origin": "'https://app.example'",
        "gatewayresponse.header.Access-Control-Expose-Headers": "'x-request-id,Retry-After'",
    }
    assert found == usual | {"responseParameters": usual["responseParameters"] | more}


def test_changed_parameters_reach_the_stage_by_a_new_deployment() -> None:
    # Else nothing but a change of the template's text would make one.
    assert source()["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("", True),
        ("*", True),
        ("https://app.example", True),
        ("http://localhost:5173", True),
        ("https://app.example/", False),
        ("https://*.example", False),
        ("null", False),
        ("https://a.example,https://b.example", False),
    ],
)
def test_allowed_origin_is_one_origin_or_all(origin: str, allowed: bool) -> None:
    pattern = source()["Parameters"]["AllowedOrigin"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, origin)) == allowed
