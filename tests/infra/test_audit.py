"""The record of who did what: the gateway's access log, the functions' lines, CloudTrail's."""

import inspect
import json
import re
from typing import Any

import pytest

from files_api.api import audit
from tests.infra.test_resources import PRIVATE, over_tls_only
from tests.support.template import ROOT, Stack, default_stack

TRAIL = (
    "arn:<AWS::Partition>:cloudtrail:<AWS::Region>:<AWS::AccountId>:trail/<AWS::StackName>-objects"
)
# AWS CloudTrail, "CloudTrail record contents".
TRAIL_FIELDS = {"eventName", "sourceIPAddress", "requestParameters.key"}


@pytest.fixture(scope="module")
def recorded() -> Stack:
    return Stack(LogObjectAccess="true", LogRetentionDays="7")


def access_log() -> dict[str, str]:
    """What a line of the access log has, by name."""
    setting = default_stack().only("AWS::ApiGateway::Stage")["AccessLogSetting"]["Format"]
    line: dict[str, str] = json.loads(setting)
    return line


def test_access_log_names_path_project_key_and_outcome() -> None:
    assert {
        "path": "$context.path",  # with the ids of files and uploads
        "project": "$context.authorizer.project",
        "key": "$context.authorizer.principalId",
        "status": "$context.status",
        "source_ip": "$context.identity.sourceIp",
    }.items() <= access_log().items()


def test_queries_ask_for_fields_that_the_lines_have() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    queries = re.findall(r"```\n(fields @timestamp.*?)```", text, re.DOTALL)
    assert len(queries) == 2
    by_functions = set(re.findall(r'"(\w+)":', inspect.getsource(audit)))
    known = {"@timestamp", *access_log(), *by_functions, *TRAIL_FIELDS}
    for query in queries:
        words = re.sub(r'"[^"]*"', "", query)  # without what it compares with
        names = set(re.findall(r"@?[a-z][\w.]+", words))
        syntax = {"fields", "filter", "sort", "desc", "like", "or", "coalesce", "as", "call", "ip"}
        assert names - syntax <= known


def test_functions_name_things_as_the_access_log_does() -> None:
    by_functions = set(re.findall(r'^        "(\w+)":', inspect.getsource(audit), re.MULTILINE))
    assert by_functions - {"level", "message"} <= set(access_log())


def test_objects_are_not_recorded_unless_the_deployer_says_so() -> None:
    assert not [name for name in default_stack().resources if name.startswith("ObjectTrail")]


def test_trail_records_objects_of_the_files_bucket_alone(recorded: Stack) -> None:
    trail = recorded.only("AWS::CloudTrail::Trail")
    (selector,) = trail.pop("AdvancedEventSelectors")
    assert selector["FieldSelectors"] == [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "StartsWith": ["FilesBucket.Arn/"]},
    ]
    assert trail == {
        "TrailName": "<AWS::StackName>-objects",
        "IsLogging": True,
        "IncludeGlobalServiceEvents": False,
        "EnableLogFileValidation": True,
        "S3BucketName": "ObjectTrailBucket",
        "CloudWatchLogsLogGroupArn": "ObjectTrailLog.Arn",
        "CloudWatchLogsRoleArn": "ObjectTrailRole.Arn",
    }


def test_trail_alone_writes_to_its_log_and_bucket(recorded: Stack) -> None:
    def allowed(sid: str, action: str, resource: str) -> dict[str, Any]:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": action,
            "Resource": resource,
            "Condition": {"StringEquals": {"aws:SourceArn": TRAIL}},
        }

    bucket = "ObjectTrailBucket"
    policy = over_tls_only(bucket)
    policy["PolicyDocument"]["Statement"] += [
        allowed("Check", "s3:GetBucketAcl", f"{bucket}.Arn"),
        allowed("Write", "s3:PutObject", f"{bucket}.Arn/AWSLogs/<AWS::AccountId>/*"),
    ]
    assert recorded.resources[f"{bucket}Policy"]["Properties"] == policy
    role = recorded.resources["ObjectTrailRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    ((statement,),) = [each["PolicyDocument"]["Statement"] for each in role["Policies"]]
    assert statement == {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "ObjectTrailLog.Arn",
    }


def test_trails_bucket_is_private_and_forgets_as_logs_do(recorded: Stack) -> None:
    bucket = recorded.resources["ObjectTrailBucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == (
        "RetainExceptOnCreate",
        "Retain",
    )
    properties = dict(bucket["Properties"])
    (rule,) = properties.pop("LifecycleConfiguration")["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "7")
    assert properties == PRIVATE
    assert recorded.of_type("AWS::Logs::LogGroup")["ObjectTrailLog"] == {"RetentionInDays": "7"}
