"""The firewall: it limits the rate of one key, or of one address, if the deployer says so."""

import json
from typing import Any

import pytest

from files_api.service.errors import RateLimitExceeded
from tests.support.template import Stack, default_stack

ACL, ASSOCIATION = "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"
COUNTED_BY: dict[str, dict[str, Any]] = {
    "RequestsPerKey": {
        "AggregateKeyType": "CUSTOM_KEYS",
        "CustomKeys": [
            {
                "Header": {
                    "Name": "Authorization",
                    "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
                }
            }
        ],
    },
    "RequestsPerAddress": {"AggregateKeyType": "IP"},
}


def test_no_rate_is_limited_unless_the_deployer_says_so() -> None:
    assert default_stack().of_type(ACL) == default_stack().of_type(ASSOCIATION) == {}


@pytest.mark.parametrize("limits", [["RequestsPerKey"], ["RequestsPerAddress"], [*COUNTED_BY]])
def test_rates_are_limited_as_the_deployer_says(limits: list[str]) -> None:
    stack = Stack(**{name: str(100 + number) for number, name in enumerate(limits)})

    acl = stack.only(ACL)
    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    assert [rule["Name"] for rule in acl["Rules"]] == limits
    for number, rule in enumerate(acl["Rules"]):
        limit = {"Limit": str(100 + number), "EvaluationWindowSec": 300}
        assert rule["Statement"] == {"RateBasedStatement": limit | COUNTED_BY[rule["Name"]]}
    priorities = [rule["Priority"] for rule in acl["Rules"]]
    assert priorities == sorted(set(priorities))
    assert stack.only(ASSOCIATION) == {
        "WebACLArn": "WebAcl.Arn",
        "ResourceArn": "arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/Api/stages/"
        "ApiStage",
    }


def test_refusal_has_the_form_of_the_apis_errors() -> None:
    acl = Stack(RequestsPerKey="100", RequestsPerAddress="100").only(ACL)

    for rule in acl["Rules"]:
        assert rule["Action"]["Block"]["CustomResponse"] == {
            "ResponseCode": RateLimitExceeded.status,
            "ResponseHeaders": [{"Name": "Retry-After", "Value": "60"}],
            "CustomResponseBodyKey": "RateLimitExceeded",
        }
    body = acl["CustomResponseBodies"]["RateLimitExceeded"]
    assert body["ContentType"] == "APPLICATION_JSON"
    answer, usual = json.loads(body["Content"])["error"], RateLimitExceeded().public()["error"]
    assert answer == usual | {"message": "Too many requests. Retry after a minute."}


def test_firewall_keeps_no_requests_whose_headers_have_keys() -> None:
    acl = Stack(RequestsPerKey="100", RequestsPerAddress="100").only(ACL)

    for each in (acl, *acl["Rules"]):
        assert each["VisibilityConfig"]["SampledRequestsEnabled"] is False
