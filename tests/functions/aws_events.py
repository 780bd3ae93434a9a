"""Events as AWS makes them, of what has really happened in the tests' stack."""

import hashlib
import json
from itertools import count
from typing import Any

_REGION, _ACCOUNT = "eu-central-1", "123456789012"
_BUCKET, _TABLE, _QUEUE = "stack-filesbucket", "stack-filestable", "stack-blobchecks"
_number = count(1)


def object_created(key: str, size: int) -> dict[str, Any]:
    """An object has come (Amazon S3, "EventBridge event message structure")."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": _ACCOUNT,
        "time": "2026-06-01T08:03:20Z",
        "region": _REGION,
        "resources": [f"arn:aws:s3:::{_BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": _BUCKET},
            "object": {
                "key": key,
                "size": size,
                "etag": hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
                "sequencer": "00617F08299329D189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": _ACCOUNT,
            "source-ip-address": "198.51.100.7",
            "reason": "PutObject",
        },
    }


def removed(item: dict[str, Any], *, expired: bool = False) -> dict[str, Any]:
    """An item has gone (Amazon DynamoDB, "DynamoDB Streams and AWS Lambda triggers").

    `expired` says that the table's TTL removed it and not a call.
    """
    number = next(_number)
    record = {
        "eventID": hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(),
        "eventName": "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": _REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": 1780301000,
            "Keys": {"PK": item["PK"], "SK": item["SK"]},
            "OldImage": item,
            "SequenceNumber": f"{100_000_000_000_000_000_000 + number}",
            "SizeBytes": len(json.dumps(item)),
            "StreamViewType": "OLD_IMAGE",
        },
        "eventSourceARN": f"arn:aws:dynamodb:{_REGION}:{_ACCOUNT}:table/{_TABLE}"
        "/stream/2026-06-01T07:00:00.000",
    }
    if expired:
        record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return record


def queued(event: dict[str, Any]) -> dict[str, Any]:
    """An event that waited in a queue (AWS Lambda, "Using Lambda with Amazon SQS")."""
    number = next(_number)
    body = json.dumps(event, separators=(",", ":"))
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012}",
        "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number:06}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1780301000000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1780301900000",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{_QUEUE}",
        "awsRegion": _REGION,
    }


def batch(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda hands over of a stream or a queue."""
    return {"Records": records}
