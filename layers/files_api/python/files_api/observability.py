"""Structured logs and metrics, made when first used. Each line carries Lambda's request id."""

from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from files_api import invocation


def logger() -> Logger:
    """The function's log, in JSON."""
    log = _logger()
    log.append_keys(function_request_id=invocation.request_id())
    return log


def count_bytes(metric: str, size: int) -> None:
    """Adds `size` to a metric, with a log line in CloudWatch's embedded metric format."""
    metrics = _metrics()
    metrics.add_metric(name=metric, unit=MetricUnit.Bytes, value=size)
    metrics.add_metadata("function_request_id", invocation.request_id())
    metrics.flush_metrics()


@cache
def _logger() -> Logger:
    """Named and levelled by the template's `POWERTOOLS_` variables."""
    return Logger()


@cache
def _metrics() -> Metrics:
    return Metrics(namespace="FilesApi")
