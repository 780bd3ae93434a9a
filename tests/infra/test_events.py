"""What happens after the calls: what starts it, how often it is tried, where it ends."""

from typing import Any

import pytest

from files_api.model import DIRECT, INLINE, PARTS
from tests.template import default_stack

DEAD_LETTERS = "DeadLetters.Arn"


def properties(name: str) -> dict[str, Any]:
    return dict(default_stack().resources[name]["Properties"])


def triggered() -> dict[str, dict[str, Any]]:
    """The functions that a stream or a queue starts, by name, and how."""
    mappings = default_stack().of_type("AWS::Lambda::EventSourceMapping").values()
    return {mapping["FunctionName"]: mapping for mapping in mappings}


# --- Storage events -------------------------------------------------------------------------------


def test_the_bucket_tells_eventbridge_of_its_objects() -> None:
    assert properties("FilesBucket")["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_bytes_that_came_directly_start_their_finishing_at_once() -> None:
    assert properties("FinalizeUploadUploaded") == {
        "EventPattern": {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": ["FilesBucket"]},
                "object": {"key": [{"prefix": f"{DIRECT}/"}]},
            },
        },
        "Targets": [
            {
                "Id": "FinalizeUploadUploadedLambdaTarget",
                "Arn": "FinalizeUpload.Arn",
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
        "FunctionName": "FinalizeUpload",
        "Principal": "events.amazonaws.com",
        "SourceArn": "FinalizeUploadUploaded.Arn",
    }


def test_what_nobody_waits_for_is_tried_thrice_and_then_given_up() -> None:
    found = default_stack().of_type("AWS::Lambda::EventInvokeConfig").values()
    assert sorted(found, key=lambda each: str(each["FunctionName"])) == [
        {
            "FunctionName": function,
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {"OnFailure": {"Destination": destination}},
        }
        for function, destination in [
            ("AssembleUpload", "FailUpload.Arn"),
            ("FailUpload", DEAD_LETTERS),
            ("FinalizeUpload", DEAD_LETTERS),
        ]
    ]


def test_every_object_of_ours_waits_in_the_queue_to_be_looked_at() -> None:
    rule = properties("CreatedBlobsRule")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["FilesBucket"]},
            "object": {"key": [{"prefix": f"{each}/"} for each in (INLINE, DIRECT, PARTS)]},
        },
    }
    assert rule["Targets"] == [
        {
            "Id": "CreatedBlobs",
            "Arn": "CreatedBlobs.Arn",
            "DeadLetterConfig": {"Arn": DEAD_LETTERS},
        }
    ]


# --- Queues ---------------------------------------------------------------------------------------


def test_what_is_looked_at_is_older_than_any_call_and_tried_five_times() -> None:
    queue = properties("CreatedBlobs")
    functions = default_stack().of_type("AWS::Lambda::Function")
    assert queue == {
        "DelaySeconds": 900,
        "VisibilityTimeout": 240,
        "SqsManagedSseEnabled": True,
        "RedrivePolicy": {"deadLetterTargetArn": DEAD_LETTERS, "maxReceiveCount": 5},
    }
    # An assembly may take longer, but what it makes is promised, and so owned, all the while.
    timeouts = [each["Timeout"] for name, each in functions.items() if name != "AssembleUpload"]
    assert queue["DelaySeconds"] > 10 * max(timeouts)
    # AWS Lambda, "Creating and configuring an Amazon SQS event source mapping".
    window = triggered()["RemoveOrphan"]["MaximumBatchingWindowInSeconds"]
    assert queue["VisibilityTimeout"] >= 6 * functions["RemoveOrphan"]["Timeout"] + window


def test_the_queue_starts_the_sweep_in_batches_of_which_the_failed_part_comes_again() -> None:
    assert triggered()["RemoveOrphan"] == {
        "FunctionName": "RemoveOrphan",
        "EventSourceArn": "CreatedBlobs.Arn",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 60,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }


def test_dead_letters_are_kept_as_long_as_can_be() -> None:
    assert properties("DeadLetters") == {
        "MessageRetentionPeriod": 14 * 86_400,
        "SqsManagedSseEnabled": True,
    }


@pytest.mark.parametrize(
    ("queue", "rules"),
    [
        ("CreatedBlobs", "CreatedBlobsRule.Arn"),
        ("DeadLetters", ["FinalizeUploadUploaded.Arn", "CreatedBlobsRule.Arn"]),
    ],
)
def test_only_the_stacks_rules_may_send_to_a_queue(queue: str, rules: object) -> None:
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


def test_every_queue_has_a_policy_and_an_end() -> None:
    queues = default_stack().of_type("AWS::SQS::Queue")
    policies = default_stack().of_type("AWS::SQS::QueuePolicy").values()
    assert sorted(name for each in policies for name in each["Queues"]) == sorted(queues)
    endless = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}
    assert endless == {"DeadLetters"}


# --- The table's stream ---------------------------------------------------------------------------


def test_whatever_leaves_the_table_starts_the_purge_is_tried_ten_times_again_then_given_up() -> (
    None
):
    assert triggered()["PurgeFile"] == {
        "FunctionName": "PurgeFile",
        "EventSourceArn": "FilesTable.StreamArn",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["REMOVE"]}'}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 10,
        "DestinationConfig": {"OnFailure": {"Destination": DEAD_LETTERS}},
    }


def test_nothing_else_is_started_by_a_stream_or_a_queue() -> None:
    assert set(triggered()) == {"PurgeFile", "RemoveOrphan"}
    assert set(default_stack().of_type("AWS::Events::Rule")) == {
        "FinalizeUploadUploaded",
        "CreatedBlobsRule",
    }
