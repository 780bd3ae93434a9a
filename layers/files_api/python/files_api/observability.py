"""Structured logs and metrics, made when first used."""

from functools import cache

from aws_lambda_powertools import Logger, Metrics


@cache
def logger() -> Logger:
    """The function's log: JSON, named and levelled by the template's `POWERTOOLS_` variables."""
    return Logger()


@cache
def metrics() -> Metrics:
    """The function's metrics, in CloudWatch's embedded format."""
    return Metrics()
