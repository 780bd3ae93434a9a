"""The log and the metrics: what a line carries, and which lines there are none of."""

import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import files_api.composition  # noqa: F401  importing it sets the levels of libraries
from files_api import invocation
from files_api.metrics import count_bytes
from files_api.observability import logger

type Log = Callable[[], list[dict[str, Any]]]


def test_counted_bytes_are_a_line_that_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    for size in (7, 8):
        count_bytes("UploadedBytes", size)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["UploadedBytes"] for line in lines] == [[7.0], [8.0]]
    for line in lines:
        (metrics,) = line["_aws"]["CloudWatchMetrics"]
        assert metrics["Namespace"] == "FilesApi"
        assert metrics["Metrics"] == [{"Name": "UploadedBytes", "Unit": "Bytes"}]


def test_counted_bytes_carry_lambdas_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    for request_id in ("first", "second"):
        invocation.begin(SimpleNamespace(aws_request_id=request_id))
        count_bytes("UploadedBytes", 7)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["function_request_id"] for line in lines] == ["first", "second"]


def test_log_line_carries_lambdas_request_id(logged: Log) -> None:
    for request_id in ("first", "second"):
        invocation.begin(SimpleNamespace(aws_request_id=request_id))
        logger().error("failed")

    assert [line["function_request_id"] for line in logged()] == ["first", "second"]


@pytest.mark.parametrize("library", ["boto3", "botocore", "botocore.credentials", "urllib3"])
def test_info_lines_of_libraries_are_not_logged(
    library: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # as a function that is to be debugged

    logging.getLogger(library).info("Found credentials in environment variables.")
    logging.getLogger(library).warning("Retrying.")

    assert [record.message for record in caplog.records] == ["Retrying."]
