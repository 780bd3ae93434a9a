"""Tables and buckets outlive their stack, but not a first deployment that fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import WaiterError

from tests.support.template import default_stack
from tools.local.ministack import MiniStack, free_port

STORES: Final = {
    name: resource
    for name, resource in default_stack().resources.items()
    if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
}


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[MiniStack]:
    ministack = MiniStack(tmp_path, free_port(), tmp_path / "log.txt")
    ministack.start()
    yield ministack
    ministack.stop(save=False)


def create(ministack: MiniStack, **more: Any) -> None:
    """Creates a stack of the template's stores, and of whatever comes after them."""
    after = {name: resource | {"DependsOn": [*STORES]} for name, resource in more.items()}
    cloudformation = ministack.client("cloudformation")
    cloudformation.create_stack(
        StackName="stores", TemplateBody=json.dumps({"Resources": STORES | after})
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="stores", WaiterConfig={"Delay": 1}
    )


def stores(ministack: MiniStack) -> list[str]:
    buckets = ministack.client("s3").list_buckets()["Buckets"]
    tables: list[str] = ministack.client("dynamodb").list_tables()["TableNames"]
    return tables + [each["Name"] for each in buckets]


def test_first_deployment_that_fails_leaves_no_store(ministack: MiniStack) -> None:
    # An alarm that MiniStack refuses, once it has created the stores
    alarm = {"Metrics": [{"Id": "one", "Expression": "TIME_SERIES(1)"}], "EvaluationPeriods": 1}

    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        create(ministack, Alarm={"Type": "AWS::CloudWatch::Alarm", "Properties": alarm})

    cloudformation = ministack.client("cloudformation")
    events = cloudformation.describe_stack_events(StackName="stores")["StackEvents"]
    created = {e["LogicalResourceId"] for e in events if e["ResourceStatus"] == "CREATE_COMPLETE"}
    assert created == set(STORES)
    assert stores(ministack) == []


def test_stores_of_a_deleted_stack_are_kept(ministack: MiniStack) -> None:
    create(ministack)
    before = stores(ministack)
    cloudformation = ministack.client("cloudformation")

    cloudformation.delete_stack(StackName="stores")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="stores", WaiterConfig={"Delay": 1}
    )

    assert len(before) == len(STORES)
    assert stores(ministack) == before
