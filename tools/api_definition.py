"""Adds what MiniStack ignores when it creates an API from the definition that SAM has written."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from tools.ministack import MiniStack


def complete(ministack: MiniStack, stack: str, outputs: Mapping[str, str], *, mark: str) -> None:
    """Configures the API by the parts of its definition that MiniStack ignored; deploys it again.

    Args:
        ministack: where the API is.
        stack: the name of its CloudFormation stack.
        outputs: the stack's outputs, of which `ApiId` and `StageName` are used.
        mark: the text that the function `mark` returns from now on.
    """
    definition = _definition(ministack, stack)
    api = outputs["ApiId"]
    _put_binary_types(ministack, api, definition.get("x-amazon-apigateway-binary-media-types", []))
    _put_responses(ministack, api, definition.get("x-amazon-apigateway-gateway-responses", {}))
    ministack.client("apigateway").create_deployment(
        restApiId=api, stageName=outputs["StageName"], description=mark
    )


def mark(ministack: MiniStack, outputs: Mapping[str, str]) -> str | None:
    """The mark of the deployment that the stage serves; None if it has none.

    Raises:
        ClientError: the stage does not exist.
    """
    gateway = ministack.client("apigateway")
    api = outputs["ApiId"]
    stage = gateway.get_stage(restApiId=api, stageName=outputs["StageName"])
    found = gateway.get_deployment(restApiId=api, deploymentId=stage["deploymentId"])
    description: str | None = found.get("description")
    return description


def _definition(ministack: MiniStack, stack: str) -> Mapping[str, Any]:
    """The API's definition as SAM wrote it."""
    found = ministack.client("cloudformation").get_template(
        StackName=stack, TemplateStage="Processed"
    )["TemplateBody"]
    template = json.loads(found) if isinstance(found, str) else found
    body: Mapping[str, Any] = next(
        resource["Properties"]["Body"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::RestApi"
    )
    return body


def _put_binary_types(ministack: MiniStack, api: str, types: list[str]) -> None:
    """Sets the binary media types.

    CloudFormation expects `*~1*` for `*/*`, but MiniStack takes that for the name of a type. And to
    change the types it expects a list, where AWS and boto3's validation expect a string.
    """
    gateway = ministack.client("apigateway", Config(parameter_validation=False))
    gateway.update_rest_api(
        restApiId=api,
        patchOperations=[{"op": "replace", "path": "/binaryMediaTypes", "value": types}],
    )


def _put_responses(ministack: MiniStack, api: str, wanted: Mapping[str, Any]) -> None:
    """Replaces the gateway's own answers by the `wanted` ones."""
    gateway = ministack.client("apigateway")
    for each in gateway.get_gateway_responses(restApiId=api)["items"]:
        kind = each["responseType"]
        if not each["defaultResponse"] and kind not in wanted:
            gateway.delete_gateway_response(restApiId=api, responseType=kind)
    for kind, response in wanted.items():
        gateway.put_gateway_response(restApiId=api, responseType=kind, **response)
