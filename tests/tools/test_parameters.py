import platform
from pathlib import Path

import pytest

from tests.support.template import ROOT
from tools.errors import StackError
from tools.local import parameters

TEMPLATE = ROOT / "template.yaml"


def test_parameters_are_pairs_separated_by_spaces() -> None:
    assert parameters.read("") == {}
    assert parameters.read("  MaxFileBytes=7  Purposes=batch,evals AlarmTopicArn= ") == {
        "MaxFileBytes": "7",
        "Purposes": "batch,evals",
        "AlarmTopicArn": "",
    }


@pytest.mark.parametrize("setting", ["MaxFileBytes", "MaxFileBytes 7", "=7", "a=b c"])
def test_another_form_is_reported_in_one_sentence(setting: str) -> None:
    sentence = f"PARAMETERS must be Name=value pairs separated by spaces, not '{setting}'."
    with pytest.raises(StackError) as caught:
        parameters.read(setting)
    assert str(caught.value) == sentence


def test_every_parameter_has_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")

    values = parameters.complete(TEMPLATE, {"MaxFileBytes": "7"})

    assert {"MaxFileBytes": "7", "DownloadUrlSeconds": "900", "AlarmTopicArn": ""}.items() <= (
        values.items()
    )
    assert values["Architecture"] == "x86_64"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("LogLevels", "INFO", "there is no parameter LogLevels. Did you mean LogLevel?"),
        ("Zzz", "7", "there is no parameter Zzz."),
        (
            "DownloadUrlSeconds",
            "59",
            "DownloadUrlSeconds must be a whole number from 60 to 3600, not '59'.",
        ),
        (
            "DownloadUrlSeconds",
            "3601",
            "DownloadUrlSeconds must be a whole number from 60 to 3600, not '3601'.",
        ),
        ("ThrottleRate", "1e3", "ThrottleRate must be a whole number from 1, not '1e3'."),
        ("LogLevel", "debug", "LogLevel must be one of DEBUG, INFO, not 'debug'."),
        ("Stage", "9", "Stage must be text of the form [a-z][a-z0-9]{0,19}, not '9'."),
    ],
)
def test_what_is_not_allowed_is_reported_in_one_sentence(
    name: str, value: str, problem: str
) -> None:
    with pytest.raises(StackError) as caught:
        parameters.complete(TEMPLATE, {name: value})
    assert str(caught.value) == f"PARAMETERS: {problem} docs/operations.md lists the parameters."


def test_a_template_that_is_not_yaml_is_reported(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {")

    with pytest.raises(StackError, match=r"template.yaml is not valid YAML: "):
        parameters.complete(template, {})
