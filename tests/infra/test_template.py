"""The template as a deployer meets it: parameters, outputs, names."""

import re

import pytest

from tests.support.template import ROOT, default_stack, source

NAMES_THAT_CLOUDFORMATION_CHOOSES = {
    "AlarmName",
    "BucketName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "QueueName",
    "RoleName",
    "TableName",
    "TopicName",
}


@pytest.mark.parametrize("name", source()["Parameters"])
def test_parameters_have_a_description_a_default_and_a_use(name: str) -> None:
    parameter = source()["Parameters"][name]
    assert parameter["Description"]
    assert "Default" in parameter
    # Short forms and long ones: !Ref X, {"Ref": X}, ${X}.
    text = (ROOT / "template.yaml").read_text()
    assert re.search(rf"(!Ref {name}\b|\$\{{{name}\}})", text), "nothing depends on it"


def test_outputs_are_described_and_name_their_resources() -> None:
    outputs = default_stack().outputs
    assert all(each["Description"] for each in outputs.values())
    assert {name: each["Value"] for name, each in outputs.items()} == {
        "BaseUrl": "https://Api.execute-api.<AWS::Region>.<AWS::URLSuffix>/dev/v1",
        "ConsoleUrl": "https://Api.execute-api.<AWS::Region>.<AWS::URLSuffix>/dev/",
        "ReferenceUrl": "https://Api.execute-api.<AWS::Region>.<AWS::URLSuffix>/dev/docs",
        "ApiId": "Api",
        "StageName": "dev",
        "FilesTable": "FilesTable",
        "KeysTable": "KeysTable",
        "KeyPrefix": "sk-",
        "FilesBucket": "FilesBucket",
        "FailedRecordsBucket": "FailedRecordsBucket",
        "PurgeFunction": "Purge",
        "AssembleFunction": "AssembleUpload",
    }


def test_cloudformation_chooses_all_physical_names() -> None:
    named = {
        (resource, name)
        for resource, each in source()["Resources"].items()
        for name in NAMES_THAT_CLOUDFORMATION_CHOOSES & set(each["Properties"])
    }
    assert named == set()
