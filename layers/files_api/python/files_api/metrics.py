"""Metrics, for functions that count bytes at each call. Each line has Lambda's request id."""

from functools import cache

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from files_api import invocation


def count_bytes(metric: str, size: int) -> None:
    """Adds `size` to a metric, with a log line in CloudWatch's embedded metric format."""
    metrics = _metrics()
    metrics.add_metric(name=metric, unit=MetricUnit.Bytes, value=size)
    metrics.add_metadata("function_request_id", invocation.request_id())
    metrics.flush_metrics()


@cache
def _metrics() -> Metrics:
    return Metrics(namespace="FilesApi")
