"""What wakes somebody up."""

from typing import Any

from tests.support.template import Stack, default_stack

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


def alarms(**parameters: str) -> dict[str, dict[str, Any]]:
    return Stack(**parameters).of_type("AWS::CloudWatch::Alarm")


def watched(alarm: dict[str, Any]) -> dict[str, Any]:
    """All of an alarm but its words and what it leads to."""
    return {
        name: value
        for name, value in alarm.items()
        if name not in ("AlarmDescription", "AlarmActions")
    }


def of_the_api(stage: str) -> list[dict[str, str]]:
    name = default_stack().only("AWS::ApiGateway::RestApi")["Name"]
    return [{"Name": "ApiName", "Value": name}, {"Name": "Stage", "Value": stage}]


def test_alarm_on_more_than_one_percent_of_5xx_answers() -> None:
    assert watched(alarms(Stage="prod")["ServerErrorAlarm"]) == {
        "Namespace": "AWS/ApiGateway",
        "MetricName": "5XXError",
        "Dimensions": of_the_api("prod"),
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.01,
        "TreatMissingData": "notBreaching",
    }


def test_alarm_on_any_failure_of_the_authorizer() -> None:
    assert watched(alarms()["AuthorizerErrorAlarm"]) == {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "Authorize"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
    }


def test_alarm_on_slow_answers_at_the_chosen_latency() -> None:
    assert watched(alarms(LatencyAlarmMilliseconds="750")["LatencyAlarm"]) == {
        "Namespace": "AWS/ApiGateway",
        "MetricName": "Latency",
        "Dimensions": of_the_api("dev"),
        "ExtendedStatistic": "p99",
        "Period": 300,
        "EvaluationPeriods": 3,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": "750",
        "TreatMissingData": "notBreaching",
    }


def test_alarm_on_any_dead_letter() -> None:
    assert watched(alarms()["DeadLetterAlarm"]) == {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": "DeadLetters.QueueName"}],
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
    }


def test_alarm_on_an_upload_that_cannot_be_assembled() -> None:
    assert watched(alarms()["AssemblyAlarm"]) == {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": "FailAssembly"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
    }


def test_alarms_notify_the_chosen_topic_if_any() -> None:
    told = {name: alarm["AlarmActions"] for name, alarm in alarms(AlarmTopicArn=TOPIC).items()}
    assert told == {
        f"{name}Alarm": [TOPIC]
        for name in ("ServerError", "AuthorizerError", "Latency", "Assembly", "DeadLetter")
    }
    assert not [alarm for alarm in alarms().values() if "AlarmActions" in alarm]


def test_every_alarm_has_a_description() -> None:
    assert all(alarm["AlarmDescription"] for alarm in alarms().values())
