"""MiniStack as it is. A test fails here once MiniStack does as AWS does: then delete what the local
stack does about it (docs/decisions/0010-local-stack.md), and the test."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import httpx2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from tests.contract.calls import MIB
from tools.local.ministack import REGION, MiniStack, free_port

pytestmark = pytest.mark.xdist_group("fresh-stack")  # its fixtures are made once
# Answers as many bytes as the query says, or fails.
CODE: Final = """
import base64
def handler(event, context):
    size = int(event["queryStringParameters"]["size"])
    body = base64.b64encode(bytes(size)).decode()
    return {"statusCode": 200, "body": body, "isBase64Encoded": True}
"""
URI: Final = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
ROLE: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}
UNKNOWN_ROUTE: Final = {
    "statusCode": "404",
    "responseTemplates": {"application/json": "$context.httpMethod $context.path"},
}
MOCK: Final = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {
        "default": {
            "statusCode": "200",
            "responseParameters": {"method.response.header.x-mocked": "'yes'"},
        }
    },
}
DEFINITION: Final = {
    "openapi": "3.0.1",
    "info": {"title": "gaps"},
    "paths": {
        "/bytes": {
            "post": {
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": {"Fn::Sub": URI.format("${Function.Arn}")},
                }
            },
            "options": {"x-amazon-apigateway-integration": MOCK},
        }
    },
    "x-amazon-apigateway-binary-media-types": ["*/*"],
    "x-amazon-apigateway-gateway-responses": {"MISSING_AUTHENTICATION_TOKEN": UNKNOWN_ROUTE},
}
FUNCTION: Final = {"Runtime": "python3.13", "Handler": "index.handler", "Code": {"ZipFile": CODE}}
TEMPLATE: Final = {
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ROLE}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": FUNCTION | {"Role": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Function"},
                "Principal": "apigateway.amazonaws.com",
            },
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": DEFINITION}},
    },
    "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ministack")


@pytest.fixture(scope="module")
def ministack(folder: Path) -> Iterator[MiniStack]:
    """A MiniStack without this project's changes."""
    plain = MiniStack(folder, free_port(), folder / "log.txt", program=("-m", "ministack"))
    plain.start()
    yield plain
    plain.stop()


def deploy(ministack: MiniStack, name: str, template: object, **parameters: str) -> dict[str, str]:
    """The outputs of a new stack."""
    cloudformation = ministack.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


@pytest.fixture(scope="module")
def api(ministack: MiniStack) -> str:
    """An API as CloudFormation makes it of its definition."""
    return deploy(ministack, "gaps", TEMPLATE)["Api"]


@pytest.fixture(scope="module")
def stage(ministack: MiniStack, api: str) -> Iterator[httpx2.Client]:
    """The API's stage, its gateway responses and binary types set by hand."""
    gateway = ministack.client("apigateway", Config(parameter_validation=False))
    gateway.put_gateway_response(
        restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", **UNKNOWN_ROUTE
    )
    gateway.update_rest_api(
        restApiId=api,
        patchOperations=[{"op": "replace", "path": "/binaryMediaTypes", "value": ["*/*"]}],
    )
    gateway.create_deployment(restApiId=api, stageName="dev")
    url = f"{ministack.endpoint}/_aws/execute-api/{api}/dev"
    with httpx2.Client(base_url=url, timeout=60) as client:
        yield client


def test_a_definitions_binary_types_are_ignored(ministack: MiniStack, api: str) -> None:
    found = ministack.client("apigateway").get_rest_api(restApiId=api)

    assert "*/*" not in found.get("binaryMediaTypes", [])


def test_a_definitions_gateway_responses_are_ignored(ministack: MiniStack, api: str) -> None:
    found = ministack.client("apigateway").get_gateway_responses(restApiId=api)

    assert all(each["defaultResponse"] for each in found["items"])


def test_a_definitions_answers_of_mocks_are_ignored(stage: httpx2.Client) -> None:
    answer = stage.options("/bytes")

    assert (answer.status_code, answer.content) == (200, b"{}")
    assert "x-mocked" not in answer.headers


def test_method_and_path_are_left_in_responses(stage: httpx2.Client) -> None:
    assert stage.get("/nothing").text == "$context.httpMethod $context.path"


def test_bytes_are_sent_as_base64_without_accept(stage: httpx2.Client) -> None:
    del stage.headers["Accept"]

    assert stage.post("/bytes?size=3").content == b"AAAA"
    assert stage.post("/bytes?size=3", headers={"Accept": "*/*"}).content == bytes(3)


@pytest.mark.parametrize(("sent", "answered"), [(11 * MIB, 1), (5 * MIB, 1), (0, 5 * MIB)])
def test_bodies_and_results_have_no_limit(stage: httpx2.Client, sent: int, answered: int) -> None:
    assert stage.post(f"/bytes?size={answered}", content=bytes(sent)).status_code == 200


def test_a_failed_function_is_not_answered_by_the_gateway(stage: httpx2.Client) -> None:
    answer = stage.post("/bytes?size=x")

    assert (answer.status_code, list(answer.json())) == (502, ["message"])
    assert "errorMessage" in answer.json()["message"]


SAM: Final = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Parameters": {"Seconds": {"Type": "Number", "Default": 60}},
    "Resources": {
        "Api": {
            "Type": "AWS::Serverless::Api",
            "Properties": {
                "StageName": "dev",
                "Auth": {
                    "Authorizers": {
                        "Key": {
                            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:one",
                            "Identity": {"ReauthorizeEvery": {"Ref": "Seconds"}},
                        }
                    }
                },
                "DefinitionBody": {"openapi": "3.0.1", "info": {}, "paths": {}},
            },
        }
    },
    "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
}


def test_the_sam_transform_ignores_parameters(ministack: MiniStack) -> None:
    api = deploy(ministack, "sam", SAM, Seconds="0")["Api"]

    (found,) = ministack.client("apigateway").get_authorizers(restApiId=api)["items"]
    assert found["authorizerResultTtlInSeconds"] == 60


def refused(ministack: MiniStack, name: str, kind: str, properties: object) -> str:
    """Why MiniStack does not create a stack with this resource."""
    template = {"Resources": {"One": {"Type": kind, "Properties": properties}}}
    cloudformation = ministack.client("cloudformation")
    try:
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    except ClientError as error:
        return str(error)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(each.get("ResourceStatusReason", "") for each in events)


def test_alarms_on_an_expression_are_rejected(ministack: MiniStack) -> None:
    metrics = [{"Id": "one", "Expression": "TIME_SERIES(1)"}]
    alarm = {
        "Metrics": metrics,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }

    reason = refused(ministack, "alarm", "AWS::CloudWatch::Alarm", alarm | {"Threshold": 0})

    assert "(metric math) is not supported" in reason


def test_web_acls_cannot_be_associated(ministack: MiniStack) -> None:
    association = {"WebACLArn": "a", "ResourceArn": "b"}

    reason = refused(ministack, "waf", "AWS::WAFv2::WebACLAssociation", association)

    assert "Unrecognized resource types: [AWS::WAFv2::WebACLAssociation]" in reason


def test_plain_http_is_not_taken_for_tls(ministack: MiniStack) -> None:
    ministack.client("s3").create_bucket(Bucket="tls")
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    denied = policy(Effect="Deny", Principal="*", Resource="arn:aws:s3:::tls/*", Condition=plain)
    ministack.client("s3").put_bucket_policy(Bucket="tls", Policy=denied)
    iam = ministack.client("iam")
    iam.create_user(UserName="one")  # nothing is denied to the root user
    allowed = policy(Effect="Allow", Resource="*")
    iam.put_user_policy(UserName="one", PolicyName="all", PolicyDocument=allowed)
    secret = iam.create_access_key(UserName="one")["AccessKey"]
    s3 = boto3.client(
        "s3",
        endpoint_url=ministack.endpoint,
        region_name=REGION,
        aws_access_key_id=secret["AccessKeyId"],
        aws_secret_access_key=secret["SecretAccessKey"],
        config=Config(proxies={}),
    )

    with pytest.raises(ClientError, match="explicit deny"):
        s3.put_object(Bucket="tls", Key="a", Body=b"a")


def policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Action": "s3:*"} | statement]})


def test_each_worker_unpacks_the_layers_and_leaves_them(
    ministack: MiniStack, api: str, folder: Path
) -> None:
    functions = ministack.client("lambda")
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr("python/one.py", "")
    version = functions.publish_layer_version(
        LayerName="one", Content={"ZipFile": layer.getvalue()}
    )["LayerVersionArn"]
    (function,) = functions.list_functions()["Functions"]
    name = function["FunctionName"]
    functions.update_function_configuration(FunctionName=name, Layers=[version])

    functions.invoke(FunctionName=name, Payload=b"{}")
    ministack.stop()
    ministack.start()

    assert [*folder.glob("temporary/ministack-lambda-*/layer_0/python/one.py")]


def test_a_streams_records_are_lost_after_a_restart(ministack: MiniStack) -> None:
    dynamodb = ministack.client("dynamodb")
    table = dynamodb.create_table(
        TableName="streamed",
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"},
    )["TableDescription"]
    dynamodb.put_item(TableName="streamed", Item={"PK": {"S": "a"}})
    assert len(records(ministack, table["LatestStreamArn"])) == 1

    ministack.stop()
    ministack.start()

    assert dynamodb.scan(TableName="streamed")["Count"] == 1
    assert records(ministack, table["LatestStreamArn"]) == []


def records(ministack: MiniStack, stream: str) -> list[Any]:
    """All records of a stream with one shard."""
    streams = ministack.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    first = streams.get_shard_iterator(
        StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    found: list[Any] = streams.get_records(ShardIterator=first["ShardIterator"])["Records"]
    return found


def test_a_head_ignores_overridden_headers(ministack: MiniStack) -> None:
    s3 = ministack.client("s3")
    s3.create_bucket(Bucket="head")
    s3.put_object(Bucket="head", Key="a", Body=b"a", ContentType="text/plain")

    of_another_type = {"Bucket": "head", "Key": "a", "ResponseContentType": "text/html"}

    assert s3.get_object(**of_another_type)["ContentType"] == "text/html"
    assert s3.head_object(**of_another_type)["ContentType"] == "text/plain"
