"""Work after the calls: what starts it, how often it is tried, where failures end."""

from typing import Any

import pytest

from tests.support.template import default_stack

DEAD_LETTERS = "DeadLetters.Arn"


def properties(name: str) -> dict[str, Any]:
    return dict(default_stack().resources[name]["Properties"])


def triggered() -> dict[str, dict[str, Any]]:
    """The functions that a stream or a queue starts, by name, and how."""
    mappings = default_stack().of_type("AWS::Lambda::EventSourceMapping").values()
    return {mapping["FunctionName"]: mapping for mapping in mappings}


# --- Storage events -------------------------------------------------------------------------------


def test_bucket_sends_its_events_to_eventbridge() -> None:
    assert properties("FilesBucket")["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_new_blob_of_a_direct_upload_starts_finalize_file() -> None:
    assert properties("FinalizeFileUploaded") == {
        "EventPattern": {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": ["FilesBucket"]},
                "object": {"key": [{"prefix": "direct/"}]},
            },
        },
        "Targets": [
            {
                "Id": "FinalizeFileUploadedLambdaTarget",
                "Arn": "FinalizeFile.Arn",
                "DeadLetterConfig": {"Arn": DEAD_LETTERS},
            }
        ],
    }
    (permission,) = [
        each
        for each in default_stack().of_type("AWS::Lambda::Permission").values()
        if each["Principal"] == "events.amazonaws.com"
    ]
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "FinalizeFile",
        "Principal": "events.amazonaws.com",
        "SourceArn": "FinalizeFileUploaded.Arn",
    }


def test_asynchronous_functions_are_tried_three_times() -> None:
    found = default_stack().of_type("AWS::Lambda::EventInvokeConfig").values()
    assert sorted(found, key=lambda each: str(each["FunctionName"])) == [
        {
            "FunctionName": function,
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {"OnFailure": {"Destination": destination}},
        }
        for function, destination in [
            ("AssembleUpload", "FailAssembly.Arn"),
            ("FailAssembly", DEAD_LETTERS),
            ("FinalizeFile", DEAD_LETTERS),
        ]
    ]


def test_every_new_blob_is_queued_for_its_check() -> None:
    rule = properties("BlobChecksRule")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["FilesBucket"]},
            "object": {"key": [{"prefix": f"{each}/"} for each in ("files", "direct", "parts")]},
        },
    }
    assert rule["Targets"] == [
        {
            "Id": "BlobChecks",
            "Arn": "BlobChecks.Arn",
            "DeadLetterConfig": {"Arn": DEAD_LETTERS},
        }
    ]


# --- Queues ---------------------------------------------------------------------------------------


def test_blob_checks_wait_longer_than_any_call() -> None:
    queue = properties("BlobChecks")
    functions = default_stack().of_type("AWS::Lambda::Function")
    assert queue == {
        "DelaySeconds": 900,
        "VisibilityTimeout": 240,
        "SqsManagedSseEnabled": True,
        "RedrivePolicy": {"deadLetterTargetArn": DEAD_LETTERS, "maxReceiveCount": 5},
    }
    # An assembly may take longer, but its pending file owns the blob meanwhile.
    timeouts = [each["Timeout"] for name, each in functions.items() if name != "AssembleUpload"]
    assert queue["DelaySeconds"] > 10 * max(timeouts)
    # AWS Lambda, "Creating and configuring an Amazon SQS event source mapping".
    window = triggered()["CheckBlob"]["MaximumBatchingWindowInSeconds"]
    assert queue["VisibilityTimeout"] >= 6 * functions["CheckBlob"]["Timeout"] + window


def test_blob_checks_queue_retries_failed_records_only() -> None:
    assert triggered()["CheckBlob"] == {
        "FunctionName": "CheckBlob",
        "EventSourceArn": "BlobChecks.Arn",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 60,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }


def test_dead_letters_are_kept_for_14_days() -> None:
    assert properties("DeadLetters") == {
        "MessageRetentionPeriod": 14 * 86_400,
        "SqsManagedSseEnabled": True,
    }


@pytest.mark.parametrize(
    ("queue", "rules"),
    [
        ("BlobChecks", "BlobChecksRule.Arn"),
        ("DeadLetters", ["FinalizeFileUploaded.Arn", "BlobChecksRule.Arn"]),
    ],
)
def test_only_rules_of_the_stack_may_send_to_a_queue(queue: str, rules: object) -> None:
    policies = default_stack().of_type("AWS::SQS::QueuePolicy").values()
    (policy,) = [each for each in policies if each["Queues"] == [queue]]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"{queue}.Arn",
            "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
        }
    ]


def test_every_queue_has_a_policy_and_a_dead_letter_queue() -> None:
    queues = default_stack().of_type("AWS::SQS::Queue")
    policies = default_stack().of_type("AWS::SQS::QueuePolicy").values()
    assert sorted(name for each in policies for name in each["Queues"]) == sorted(queues)
    endless = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}
    assert endless == {"DeadLetters"}


# --- The table's stream ---------------------------------------------------------------------------


def test_removed_items_start_the_purge_which_retries_ten_times() -> None:
    assert triggered()["Purge"] == {
        "FunctionName": "Purge",
        "EventSourceArn": "FilesTable.StreamArn",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["REMOVE"]}'}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 10,
        "DestinationConfig": {"OnFailure": {"Destination": DEAD_LETTERS}},
    }


def test_only_two_functions_have_a_stream_or_queue() -> None:
    assert set(triggered()) == {"Purge", "CheckBlob"}
    assert set(default_stack().of_type("AWS::Events::Rule")) == {
        "FinalizeFileUploaded",
        "BlobChecksRule",
    }
