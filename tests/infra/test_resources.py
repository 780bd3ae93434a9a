"""What is kept, what starts work after the calls, and who is told: whole resources, by type."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.template import Stack, default_stack

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
DEAD_LETTERS = "DeadLetters.Arn"
DAY = 86_400

# --- Stores: safe from loss, and from everybody else ----------------------------------------------


def table(*keys: str, **more: Any) -> dict[str, Any]:
    """A table of strings: backed up, paid by request, without an index."""
    kinds = ("HASH", "RANGE")
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": [
            {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)
        ],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": True,
        **more,
    }


TABLES = {
    "FilesTable": table(
        "PK",
        "SK",
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
        StreamSpecification={"StreamViewType": "OLD_IMAGE"},
    ),
    "KeysTable": table("hash"),
}
PRIVATE = {
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    },
}


def lifecycle(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled"} | rule for rule in rules]}}


def files_bucket(
    recovery_days: int | str = 1, allowed: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    deleted = {
        "Id": "ExpireDeletedVersions",
        "NoncurrentVersionExpiration": {"NoncurrentDays": recovery_days},
        "ExpiredObjectDeleteMarker": True,
    }
    multipart = {
        "Id": "AbortIncompleteMultipartUploads",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 4},
    }
    parts = {
        "Id": "ExpireParts",
        "Prefix": "parts/",
        "ExpirationInDays": 9,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    events = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    browsers = {
        "AllowedOrigins": [
            "https://*.execute-api.<AWS::Region>.<AWS::URLSuffix>",
            "http://127.0.0.1:*",
            *allowed,
        ],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["content-type", "if-none-match", "range", "x-amz-checksum-sha256"],
        "ExposedHeaders": ["ETag", "Content-Range", "Accept-Ranges"],
        "MaxAge": 3600,
    }
    return (
        PRIVATE
        | {"NotificationConfiguration": events, "CorsConfiguration": {"CorsRules": [browsers]}}
        | lifecycle(deleted, multipart, parts)
        | more
    )


BUCKETS = {
    "FilesBucket": files_bucket(),
    "FailedRecordsBucket": PRIVATE | lifecycle({"Id": "ExpireRecords", "ExpirationInDays": 365}),
}


def over_tls_only(bucket: str) -> dict[str, Any]:
    """Nobody may use the bucket without TLS, or with an old version of it."""
    denied = {
        "OnlyOverTls": {"Bool": {"aws:SecureTransport": "false"}},
        "OnlyOverTls12": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    }
    statements = [
        {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"{bucket}.Arn", f"{bucket}.Arn/*"],
            "Condition": condition,
        }
        for sid, condition in denied.items()
    ]
    return {"Bucket": bucket, "PolicyDocument": policy(*statements)}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


# --- Work after the calls: what starts it, how often it is tried, where failures end --------------


def new_blobs(*folders: str, target: str, id: str) -> dict[str, Any]:
    """A rule for new objects; what it cannot deliver is a dead letter."""
    return {
        "EventPattern": {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": ["FilesBucket"]},
                "object": {"key": [{"prefix": f"{folder}/"} for folder in folders]},
            },
        },
        "Targets": [{"Id": id, "Arn": target, "DeadLetterConfig": {"Arn": DEAD_LETTERS}}],
    }


def tried_three_times(function: str, destination: str) -> dict[str, Any]:
    """An asynchronous function."""
    return {
        "FunctionName": function,
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Destination": destination}},
    }


def fed_by(queue: str, rules: str | list[str]) -> dict[str, Any]:
    """Only these rules may send to the queue."""
    return {
        "Queues": [queue],
        "PolicyDocument": policy(
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": f"{queue}.Arn",
                "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
            }
        ),
    }


RULES = {
    "FinalizeFileUploaded": new_blobs(
        "direct", target="FinalizeFile.Arn", id="FinalizeFileUploadedLambdaTarget"
    ),
    "BlobChecksRule": new_blobs(
        "files", "direct", "parts", target="BlobChecks.Arn", id="BlobChecks"
    ),
}
QUEUES: dict[str, dict[str, Any]] = {
    "BlobChecks": {
        "DelaySeconds": 900,
        "VisibilityTimeout": 240,
        "SqsManagedSseEnabled": True,
        "RedrivePolicy": {"deadLetterTargetArn": DEAD_LETTERS, "maxReceiveCount": 5},
    },
    "DeadLetters": {"MessageRetentionPeriod": 14 * DAY, "SqsManagedSseEnabled": True},
}
# Failed records alone are tried again.
STREAMS_AND_QUEUES: dict[str, dict[str, Any]] = {
    "PurgeRemoved": {
        "FunctionName": "Purge",
        "EventSourceArn": "FilesTable.StreamArn",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 500,
        "ParallelizationFactor": 10,
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["REMOVE"]}'}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 10,
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "DestinationConfig": {"OnFailure": {"Destination": "FailedRecordsBucket.Arn"}},
    },
    "CheckBlobCreated": {
        "FunctionName": "CheckBlob",
        "EventSourceArn": "BlobChecks.Arn",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 60,
        "ScalingConfig": {"MaximumConcurrency": 5},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    },
}

# --- Alarms ---------------------------------------------------------------------------------------


def alarm(
    namespace: str, metric: str, dimensions: dict[str, str], threshold: Any, **more: Any
) -> dict[str, Any]:
    """An alarm on more than the threshold within five minutes, which tells the topic."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    statistic = {} if "ExtendedStatistic" in more else {"Statistic": "Sum"}
    return {
        "Namespace": f"AWS/{namespace}",
        "MetricName": metric,
        **({"Dimensions": named} if named else {}),
        **statistic,
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": threshold,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [TOPIC],
        **more,
    }


def throttles(id: str, *functions: str) -> dict[str, Any]:
    """The calls that Lambda refused in five minutes: of a function, or of all in the account."""
    metric: dict[str, Any] = {"Namespace": "AWS/Lambda", "MetricName": "Throttles"}
    if functions:
        metric["Dimensions"] = [{"Name": "FunctionName", "Value": each} for each in functions]
    stat = {"Stat": "Sum", "Period": 300, "Metric": metric}
    return {"Id": id, "ReturnData": False, "MetricStat": stat}


LATE = {"Statistic": "Maximum", "EvaluationPeriods": 3}
API = {"ApiName": "<AWS::StackName>", "Stage": "prod"}
ALARMS = {
    "ServerErrorAlarm": alarm("ApiGateway", "5XXError", API, 0.01, Statistic="Average"),
    "AuthorizerErrorAlarm": alarm("Lambda", "Errors", {"FunctionName": "Authorize"}, 0, Period=60),
    "LatencyAlarm": alarm(
        "ApiGateway", "Latency", API, "750", ExtendedStatistic="p99", EvaluationPeriods=3
    ),
    "DeadLetterAlarm": alarm(
        "SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": "DeadLetters.QueueName"},
        0,
        Statistic="Maximum",
    ),
    "AssemblyAlarm": alarm("Lambda", "Invocations", {"FunctionName": "FailAssembly"}, 0),
    "FailedRecordsAlarm": alarm(
        "Lambda",
        "OnFailureDestinationDeliveredEventCount",
        {"EventSourceMappingUUID": "PurgeRemoved"},
        0,
    ),
    "PurgeAgeAlarm": alarm("Lambda", "IteratorAge", {"FunctionName": "Purge"}, 600_000, **LATE),
    "BlobChecksAgeAlarm": alarm(
        "SQS",
        "ApproximateAgeOfOldestMessage",
        {"QueueName": "BlobChecks.QueueName"},
        QUEUES["BlobChecks"]["DelaySeconds"] + 900,
        **LATE,
    ),
    "LambdaThrottleAlarm": {
        "Metrics": [
            {"Id": "refused", "Expression": "all - FILL(finalizing, 0) - FILL(assembling, 0)"},
            throttles("all"),
            throttles("finalizing", "FinalizeFile"),
            throttles("assembling", "AssembleUpload"),
        ],
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [TOPIC],
    },
    "TableReadThrottleAlarm": alarm(
        "DynamoDB", "ReadThrottleEvents", {"TableName": "FilesTable"}, 0
    ),
    "TableWriteThrottleAlarm": alarm(
        "DynamoDB", "WriteThrottleEvents", {"TableName": "FilesTable"}, 0
    ),
    "ConcurrencyAlarm": alarm("Lambda", "ClaimedAccountConcurrency", {}, "80", Statistic="Maximum"),
}

# --- All of them ----------------------------------------------------------------------------------

RESOURCES: dict[str, dict[str, Any]] = {
    "AWS::DynamoDB::Table": TABLES,
    "AWS::S3::Bucket": BUCKETS,
    "AWS::S3::BucketPolicy": {f"{name}Policy": over_tls_only(name) for name in BUCKETS},
    "AWS::Events::Rule": RULES,
    "AWS::SQS::Queue": QUEUES,
    "AWS::SQS::QueuePolicy": {
        "BlobChecksPolicy": fed_by("BlobChecks", "BlobChecksRule.Arn"),
        "DeadLettersPolicy": fed_by(
            "DeadLetters", ["FinalizeFileUploaded.Arn", "BlobChecksRule.Arn"]
        ),
    },
    "AWS::Lambda::EventSourceMapping": STREAMS_AND_QUEUES,
    "AWS::Lambda::EventInvokeConfig": {
        "AssembleUploadEventInvokeConfig": tried_three_times("AssembleUpload", "FailAssembly.Arn"),
        "DeleteExpiredEventInvokeConfig": {
            "FunctionName": "DeleteExpired",
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 0,
            "DestinationConfig": {},
        },
        "FailAssemblyEventInvokeConfig": tried_three_times("FailAssembly", DEAD_LETTERS),
        "FinalizeFileEventInvokeConfig": tried_three_times("FinalizeFile", DEAD_LETTERS),
    },
    "AWS::CloudWatch::Alarm": ALARMS,
}


@pytest.fixture(scope="module")
def production() -> Stack:
    return Stack(
        Stage="prod",
        LatencyAlarmMilliseconds="750",
        AlarmTopicArn=TOPIC,
        ConcurrencyAlarmExecutions="80",
        DeletionProtection="true",
    )


@pytest.mark.parametrize("type", RESOURCES)
def test_resources_of_a_type_are_exactly_these(type: str, production: Stack) -> None:
    found = {
        name: {key: value for key, value in properties.items() if not key.endswith("Description")}
        for name, properties in production.of_type(type).items()
    }
    assert found == RESOURCES[type]


def test_tables_can_be_deleted_unless_the_deployer_says_otherwise() -> None:
    tables = default_stack().of_type("AWS::DynamoDB::Table")
    unprotected = {"DeletionProtectionEnabled": False}
    assert tables == {name: table | unprotected for name, table in TABLES.items()}


def test_stores_outlive_the_stack_but_no_failed_creation() -> None:
    for name in (*TABLES, *BUCKETS):
        resource = default_stack().resources[name]
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_deleted_bytes_are_kept_as_long_as_the_deployer_says() -> None:
    bucket = Stack(RecoveryDays="7").of_type("AWS::S3::Bucket")["FilesBucket"]
    assert bucket == files_bucket("7", VersioningConfiguration={"Status": "Enabled"})


@pytest.mark.parametrize("origin", ["https://app.example", "*"])
def test_pages_of_the_allowed_origin_exchange_bytes_with_the_bucket(origin: str) -> None:
    bucket = Stack(AllowedOrigin=origin).of_type("AWS::S3::Bucket")["FilesBucket"]
    assert bucket == files_bucket(allowed=[origin])


def test_background_work_takes_as_many_executions_as_it_may() -> None:
    def reserved(stack: Stack) -> dict[str, Any]:
        functions = stack.of_type("AWS::Lambda::Function")
        key = "ReservedConcurrentExecutions"
        return {name: each[key] for name, each in functions.items() if key in each}

    assert reserved(default_stack()) == {}
    assert reserved(Stack(BackgroundConcurrency="5")) == {
        "FinalizeFile": "5",
        "AssembleUpload": "5",
    }


def test_blob_checks_wait_longer_than_any_call() -> None:
    functions = default_stack().of_type("AWS::Lambda::Function")
    # An assembly may take longer, but its pending file owns the blob meanwhile; DeleteExpired makes
    # no blobs.
    patient = {"AssembleUpload", "DeleteExpired"}
    timeouts = [each["Timeout"] for name, each in functions.items() if name not in patient]
    assert QUEUES["BlobChecks"]["DelaySeconds"] > 10 * max(timeouts)
    # AWS Lambda, "Creating and configuring an Amazon SQS event source mapping".
    window = STREAMS_AND_QUEUES["CheckBlobCreated"]["MaximumBatchingWindowInSeconds"]
    visibility = QUEUES["BlobChecks"]["VisibilityTimeout"]
    assert visibility >= 6 * functions["CheckBlob"]["Timeout"] + window


def test_alarms_are_described_and_tell_nobody_by_default() -> None:
    for alarm in default_stack().of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmDescription"]
        assert "AlarmActions" not in alarm
        assert {"Name": "Stage", "Value": "prod"} not in alarm.get("Dimensions", [])


def test_throttle_alarm_leaves_out_what_a_limit_makes_wait() -> None:
    limited = Stack(BackgroundConcurrency="5").of_type("AWS::Lambda::Function")
    waiting = {name for name, each in limited.items() if "ReservedConcurrentExecutions" in each}
    _, _, *subtracted = ALARMS["LambdaThrottleAlarm"]["Metrics"]
    named = [each["MetricStat"]["Metric"]["Dimensions"] for each in subtracted]
    assert {dimension["Value"] for (dimension,) in named} == waiting


def test_background_work_leaves_a_new_account_half_its_executions() -> None:
    # AWS Lambda, "Lambda quotas": new accounts begin with less than 1,000; 10 has been seen.
    mapping = STREAMS_AND_QUEUES["CheckBlobCreated"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] <= 10 / 2
