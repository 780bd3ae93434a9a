"""The documents agree with the template and the code."""

import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from files_api.service import errors
from files_api.service.errors import ApiError
from tests.contract.routes import ROUTES
from tests.support import functions
from tests.support.template import ROOT, default_stack, source


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


def document(name: str) -> str:
    return (ROOT / name).read_text()


def documents() -> Iterator[Path]:
    """Every Markdown file outside hidden folders, which hold set-up and builds."""
    for path in sorted(ROOT.rglob("*.md")):
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts):
            yield path


def links(text: str) -> list[str]:
    """The targets of a document's links within the repository."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """What a link to a heading of the document may name, in GitHub's form."""
    headings = re.findall(r"^#+ +(.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def resolves(path: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    found = path.parent / name if name else path
    return found.exists() and (not anchor or anchor in anchors(found))


def rows(name: str, section: str) -> dict[str, list[str]]:
    """The rows of a section's tables: the other cells, by each name in the first one."""
    text = document(name).partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", text, flags=re.MULTILINE)
    cells = [re.split(r" +\| +", line) for line in lines]
    return {each: rest for first, *rest in cells for each in re.findall(r"`(\w+)`", first)}


def test_operations_has_every_parameter_with_its_default() -> None:
    said_otherwise = {"Purposes": "OpenAI's six"} | dict.fromkeys(
        ["AlarmTopicArn", "AllowedOrigin", "KmsKeyArn"], "none"
    )
    documented = rows("docs/operations.md", "Parameters")
    assert {name: cells[0] for name, cells in documented.items()} == {
        name: said_otherwise.get(name, f"`{each['Default']}`")
        for name, each in source()["Parameters"].items()
    }


def test_operations_says_what_to_do_about_every_alarm() -> None:
    documented = rows("docs/operations.md", "Alarms")
    alarms = default_stack().of_type("AWS::CloudWatch::Alarm")
    assert {name for name in documented if name.endswith("Alarm")} == set(alarms)
    for name in alarms:
        raised, to_do = documented[name]
        assert raised, name
        assert to_do, name


def test_operations_has_the_price_of_the_alarms() -> None:
    alarms = default_stack().of_type("AWS::CloudWatch::Alarm").values()
    metrics = sum(
        sum("MetricStat" in metric for metric in each.get("Metrics", [])) or 1 for each in alarms
    )
    # AWS: 0.10 USD a month for each metric of an alarm (Amazon CloudWatch pricing).
    line = f"0.10 for each of their {metrics} metrics | {metrics / 10:.2f} |"
    assert line in document("docs/operations.md")


def test_api_reference_names_every_error_code() -> None:
    text = document("docs/api.md")
    assert [code for code in sorted(codes()) if f"`{code}`" not in text] == []
    assert "invalid_api_key" in codes()


def test_api_reference_names_every_error_status() -> None:
    text = document("docs/api.md")
    statuses = {str(each.status) for each in tree()} | {"401", "404", "413", "429", "500"}
    assert [status for status in sorted(statuses) if f"| {status} |" not in text] == []


def test_architecture_names_exactly_the_functions() -> None:
    section = document("docs/architecture.md").partition("## Functions")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))
    for folder in functions.FOLDERS:
        assert folder in named, f"{folder} has no row in the table of functions in architecture.md"
    assert named == set(functions.FOLDERS), "architecture.md names a function that is gone"


def test_threat_model_names_tests_that_exist() -> None:
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    text = document("docs/threat-model.md")
    threats = re.findall(r"^\| (?!who \|)\w.* \|$", text, re.MULTILINE)
    for threat in threats:
        named = re.findall(r"`(test_\w+)`", threat)
        assert named, f"no test shows this: {threat}"
        assert set(named) <= there, f"{set(named) - there} is not in tests/"
    assert len(threats) >= 10


def test_changelog_and_packages_have_one_version() -> None:
    versions = {
        tomllib.loads(document(name))["project"]["version"]
        for name in ("pyproject.toml", "client/pyproject.toml")
    }
    assert versions == {re.findall(r"^## (\S+)", document("CHANGELOG.md"), re.MULTILINE)[0]}


def test_readme_has_at_most_150_lines() -> None:
    assert len(document("README.md").splitlines()) <= 150


def test_every_relative_link_resolves() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in links(path.read_text())
        if not resolves(path, target)
    ]
    assert broken == []
    assert {"README.md", "operations.md"} <= {path.name for path in documents()}


def test_error_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"[├└]── (\w+) +(\d{3})(?:  (\w+))?", inspect.getdoc(errors) or "")
    there = [(each.__name__, str(each.status), each.code or "") for each in tree()]
    assert sorted(drawn) == sorted(there)
    assert len(drawn) == len(set(drawn))


# --- Endpoints ------------------------------------------------------------------------------------


def routes() -> list[str]:
    """The routes of the functions, such as `GET /v1/files`."""
    return [" ".join(route) for folder in functions.FOLDERS for route in functions.routes(folder)]


def test_api_reference_has_a_row_for_every_route() -> None:
    for route in routes():
        assert f"| `{route}` |" in document("docs/api.md"), (
            f"{route} has no row in a table of calls in docs/api.md"
        )


def test_changelog_names_every_route() -> None:
    for route in routes():
        assert f"`{route}`" in document("CHANGELOG.md"), f"CHANGELOG.md does not name {route}"


def test_every_function_has_a_sample_payload_that_succeeds() -> None:
    for folder in functions.FOLDERS:
        events = ROOT / "events" / folder
        assert any(events.glob("*.json")), f"events/{folder}/ has no sample payload"


def test_every_route_has_a_contract_test() -> None:
    for route in routes():
        assert route in ROUTES, f"{route} has no contract test in tests/contract/routes.py"
    assert set(ROUTES) == set(routes()), "tests/contract/routes.py names a route that is gone"
    for route, (module, test) in ROUTES.items():
        path = ROOT / "tests" / "contract" / module
        assert path.is_file(), f"{route}: there is no tests/contract/{module}"
        assert f"def {test}(" in path.read_text(), f"{route}: {module} has no {test}"
