"""The firewall: it limits the rate of one key, or of one address, if the deployer says so."""

import re
from collections.abc import Callable
from functools import reduce
from operator import itemgetter
from typing import Any

import pytest

from tests.support.template import Stack, default_stack, source

ACL, ASSOCIATION = "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"
COUNTED_BY: dict[str, dict[str, Any]] = {
    "RequestsPerKey": {
        "AggregateKeyType": "CUSTOM_KEYS",
        "CustomKeys": [
            {
                "Header": {
                    "Name": "Authorization",
                    "TextTransformations": [
                        {"Priority": 0, "Type": "COMPRESS_WHITE_SPACE"},
                        {"Priority": 1, "Type": "LOWERCASE"},
                    ],
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
        limit = {"Limit": str(100 + number), "EvaluationWindowSec": 60}
        assert rule["Statement"] == {"RateBasedStatement": limit | COUNTED_BY[rule["Name"]]}
    priorities = [rule["Priority"] for rule in acl["Rules"]]
    assert priorities == sorted(set(priorities))
    assert stack.only(ASSOCIATION) == {
        "WebACLArn": "WebAcl.Arn",
        "ResourceArn": "arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/Api/stages/"
        "ApiStage",
    }


def test_refused_request_is_answered_by_the_gateway() -> None:
    # Its answer has a request id, and the form of all errors (test_gateway.py). A custom response
    # of WAF would come before it (API Gateway, "Gateway response types for API Gateway").
    acl = Stack(RequestsPerKey="100", RequestsPerAddress="100").only(ACL)

    assert [rule["Action"] for rule in acl["Rules"]] == [{"Block": {}}] * 2
    assert "CustomResponseBodies" not in acl


@pytest.mark.parametrize("spelling", ["bearer sk-A", "BEARER   sk-A", "Bearer  sk-A"])
def test_every_spelling_of_a_key_is_counted_as_one(spelling: str) -> None:
    # All of them open the API (tests/unit/test_authorizer.py).
    (rule,) = Stack(RequestsPerKey="100").only(ACL)["Rules"]
    (key,) = rule["Statement"]["RateBasedStatement"]["CustomKeys"]
    transform: dict[str, Callable[[str], str]] = {
        "COMPRESS_WHITE_SPACE": lambda text: re.sub(r"\s+", " ", text),
        "LOWERCASE": str.lower,
    }

    def counted_as(header: str) -> str:
        steps = sorted(key["Header"]["TextTransformations"], key=itemgetter("Priority"))
        return reduce(lambda text, step: transform[step["Type"]](text), steps, header)

    assert counted_as(spelling) == counted_as("Bearer sk-A") != counted_as("Bearer sk-B")


@pytest.mark.parametrize("name", COUNTED_BY)
def test_limit_that_waf_would_refuse_is_refused_first(name: str) -> None:
    pattern = source()["Parameters"][name]["AllowedPattern"]

    # AWS WAF takes 10 to 2,000,000,000 (API reference, "RateBasedStatement").
    for value, allowed in {"0": True, "9": False, "10": True, "-1": False, "9" * 9: True}.items():
        assert bool(re.fullmatch(pattern, value)) == allowed, value


def test_firewall_keeps_no_requests_whose_headers_have_keys() -> None:
    acl = Stack(RequestsPerKey="100", RequestsPerAddress="100").only(ACL)

    for each in (acl, *acl["Rules"]):
        assert each["VisibilityConfig"]["SampledRequestsEnabled"] is False
