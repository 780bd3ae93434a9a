"""The events that AWS calls the functions with."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.stored import CONTENT, PROJECT, SECRET

type Event = dict[str, Any]

_BOUNDARY: Final = "8f14e45fceea167a5a36dedd4bea2543"
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Authorization": f"Bearer {SECRET}",
    "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
    "User-Agent": "OpenAI/Python 3.54.0",
    "X-Amzn-Trace-Id": "Root=1-69220f3a-1f2e3d4c5b6a798081726354",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Async": "false",
    "X-Stainless-Lang": "python",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Package-Version": "3.54.0",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Runtime": "CPython",
    "X-Stainless-Runtime-Version": "3.13.0",
}


def call(
    method: str,
    resource: str,
    ids: Mapping[str, str] | None = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Event:
    """An event of the proxy integration ("Input format of a Lambda function for proxy
    integration"); `ids` are the parameters in the resource's path.
    """
    path = resource.format_map(ids or {})
    sent = _HEADERS | dict(headers or {})
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {n: [v] for n, v in query.items()},
        "pathParameters": ids,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "k3x9t2",
            "resourcePath": resource,
            "httpMethod": method,
            "path": f"/dev{path}",
            "stage": "dev",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": 1763800000000,
            "protocol": "HTTP/1.1",
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "OpenAI/Python 3.54.0"},
            "authorizer": {
                "project": PROJECT,
                "scopes": "files:read files:write",
                "principalId": "key_0123456789abcdef",
                "integrationLatency": 0,
            },
        },
        "body": b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def json_call(resource: str, value: object, ids: Mapping[str, str] | None = None) -> Event:
    """A POST of JSON."""
    headers = {"Content-Type": "application/json"}
    return call("POST", resource, ids, headers=headers, body=json.dumps(value).encode())


def form_call(
    resource: str,
    file_field: str,
    texts: Mapping[str, str],
    ids: Mapping[str, str] | None = None,
    content: bytes = CONTENT,
) -> Event:
    """A POST of a form with a file."""
    fields = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in texts.items()
    )
    file = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{file_field}"; '
        'filename="notes.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    )
    return call(
        "POST",
        resource,
        ids,
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
        body=f"{fields}{file}".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode(),
    )


def token() -> Event:
    """The event of an authorizer of type TOKEN ("Input to an API Gateway Lambda authorizer")."""
    return {
        "type": "TOKEN",
        "authorizationToken": f"Bearer {SECRET}",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/v1/files",
    }


def created(key: str) -> Event:
    """An object was created (Amazon S3, "EventBridge event message structure")."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2025-11-22T18:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:s3:::filesbucket"],
        "detail": {
            "version": "0",
            "bucket": {"name": "filesbucket"},
            "object": {
                "key": key,
                "size": len(CONTENT),
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "sequencer": "617f08299329d189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "203.0.113.7",
            "reason": "PutObject",
        },
    }


def queued(*keys: str) -> Event:
    """Objects were created, as a queue reports it (AWS Lambda, "Using Lambda with Amazon SQS")."""
    return {"Records": [_message(json.dumps(created(key))) for key in keys]}


def _message(body: str) -> Event:
    digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{digest[:12]}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 10,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1763800000000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1763800900000",
        },
        "messageAttributes": {},
        "md5OfBody": digest,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:blobchecks",
        "awsRegion": "us-east-1",
    }


def removed(items: Mapping[str, tuple[str, object]]) -> Event:
    """Items were removed (AWS Lambda, "Using AWS Lambda with Amazon DynamoDB").

    Args:
        items: by sort key, the attribute that holds the JSON document, and the document.
    """
    return {"Records": [_removal(sort_key, *item) for sort_key, item in items.items()]}


def _removal(sort_key: str, attribute: str, document: object) -> Event:
    keys = {"PK": {"S": PROJECT}, "SK": {"S": sort_key}}
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1763800000,
            "Keys": keys,
            "OldImage": keys | {attribute: {"S": json.dumps(document)}},
            "SequenceNumber": "4421584500000000017450439091",
            "SizeBytes": 312,
            "StreamViewType": "OLD_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/filestable/stream/"
        "2025-11-22T00:00:00.000",
    }


def failed(payload: Event) -> Event:
    """A function has failed to handle an event, after all retries (AWS Lambda, "Capturing records
    of Lambda asynchronous invocations").
    """
    return {
        "version": "1.0",
        "timestamp": "2025-11-22T19:00:00.000Z",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "Connect timeout", "errorType": "ConnectTimeoutError"},
    }
