"""What is documented is what there is."""

import inspect
import json
import re
from collections.abc import Iterator

from files_api import errors
from files_api.errors import ApiError
from tests.template import ROOT, default_stack, source


def tree(kind: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    for each in kind.__subclasses__():
        yield each
        yield from tree(each)


def codes() -> set[str]:
    """Every code that an error of the API can have, the gateway's own answers included."""
    body = default_stack().only("AWS::ApiGateway::RestApi")["Body"]
    own = body["x-amazon-apigateway-gateway-responses"].values()
    bodies = [
        json.loads(
            each["responseTemplates"]["application/json"]
            .replace("$context.error.", "")
            .replace("messageString", '""')
        )
        for each in own
    ]
    found = {each["error"]["code"] for each in bodies} | {each.code for each in tree()}
    return {code for code in found if code}


def readme() -> str:
    return (ROOT / "README.md").read_text()


def test_the_readme_names_every_parameter_of_the_template() -> None:
    text = readme()
    assert [name for name in source()["Parameters"] if f"`{name}`" not in text] == []


def test_the_readme_names_every_error_code() -> None:
    text = readme()
    assert [code for code in sorted(codes()) if f"`{code}`" not in text] == []
    assert "invalid_api_key" in codes()


def test_the_readme_names_every_status_of_an_error() -> None:
    text = readme()
    statuses = {str(each.status) for each in tree()} | {"401", "404", "413", "429", "500"}
    assert [status for status in sorted(statuses) if not re.search(rf"\b{status}\b", text)] == []


def test_the_tree_of_errors_is_the_one_that_its_module_draws() -> None:
    drawn = re.findall(r"[├└]── (\w+) +(\d{3})(?:  (\w+))?", inspect.getdoc(errors) or "")
    there = [(each.__name__, str(each.status), each.code or "") for each in tree()]
    assert sorted(drawn) == sorted(there)
    assert len(drawn) == len(set(drawn))
