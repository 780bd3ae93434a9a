"""Structured logs and metrics, made when first used."""

from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


@cache
def logger() -> Logger:
    """The function's log: JSON, named and levelled by the template's `POWERTOOLS_` variables."""
    return Logger()


def count_bytes(metric: str, size: int) -> None:
    """Adds `size` to a metric, by a log line in CloudWatch's embedded format."""
    metrics = _metrics()
    metrics.add_metric(name=metric, unit=MetricUnit.Bytes, value=size)
    metrics.flush_metrics()


@cache
def _metrics() -> Metrics:
    return Metrics(namespace="FilesApi")
