"""The benchmarks measure everything, and report each figure that breaks its limit."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import calls, limits, memory, peak, plots, processes, report, startup, stub, table
from benchmarks.build import Build
from benchmarks.cases import CASES, LARGEST, TYPED, Case
from benchmarks.events import sample, with_content
from benchmarks.figures import Figure, Table, ratio
from benchmarks.processes import ROOT, Failed
from tests.support.template import default_stack

FUNCTIONS = Build().functions


def _tables(init: float = 0.5) -> dict[str, Table]:
    pages = [calls.name(size, page) for size in calls.SIZES for page in calls.PAGES]
    tables = {
        "init": Table(
            "init of", {"Authorize": [Figure("ms", 200), ratio([init] * 3, [1] * 3, 0.7)]}
        ),
        "calls": Table("call", {"retrieve": [ratio([1.15] * 3, [1] * 3, 1.2)]}),
        "lists": Table("page", {page: [Figure("ms", 1.7, ".2f")] for page in pages}),
    }
    rest = {name: Table(name, {"row": [Figure("n", 1)]}) for name in ("memory", "choices", "sizes")}
    return tables | rest


def test_every_function_has_measured_calls() -> None:
    measured = {case.function for case in CASES} | set(LARGEST)
    for function in FUNCTIONS:
        assert function in measured, f"benchmarks/cases.py has no case of {function}"
    assert measured == set(FUNCTIONS)


def test_every_function_has_an_event_for_its_memory() -> None:
    for function in FUNCTIONS:
        assert function in memory.EVENTS, f"benchmarks/memory.py has no event of {function}"
    assert set(memory.EVENTS) == set(FUNCTIONS)


def test_every_shorter_init_is_that_of_a_function() -> None:
    assert set(limits.SHORTER_INITS) < set(FUNCTIONS)


def test_every_choice_is_shown_by_a_function() -> None:
    assert {function for function, _ in startup.CHOICES.values()} < set(FUNCTIONS)


@pytest.mark.parametrize(
    ("figure", "exceeds"),
    [
        (Figure("ratio", 1.2, limit=1.2), False),
        (Figure("ratio", 1.201, limit=1.2), True),
        (Figure("ratio", 9.0), False),
        (Figure("AWS calls", 2, limit=2, exact=True), False),
        (Figure("AWS calls", 1, limit=2, exact=True), True),
        (Figure("AWS calls", 3, limit=2, exact=True), True),
    ],
)
def test_a_figure_may_be_as_high_as_its_limit(figure: Figure, exceeds: bool) -> None:
    assert figure.exceeds is exceeds


def _case(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def _measured(*, seconds: float = 1.0, aws_calls: int = 1, items_read: int = 101) -> dict[str, Any]:
    rounds: dict[str, Any] = {"handler": [seconds] * 3, "bare": [1.0] * 3}
    return rounds | {"aws_calls": aws_calls, "items_read": items_read}


@pytest.mark.parametrize(
    ("figures", "exceeded"),
    [
        (startup.row("RetrieveFile", [0.7] * 3, [1] * 3), []),
        (startup.row("RetrieveFile", [0.71] * 3, [1] * 3), ["ratio"]),
        (startup.row("Authorize", [0.71] * 3, [1] * 3), ["ratio"]),
        (startup.row("ListFiles", [0.9] * 3, [1] * 3), []),
        (startup.row("ListFiles", [0.91] * 3, [1] * 3), ["ratio"]),
        (startup.row("CreateFile", [1.0] * 3, [1] * 3), []),
        (startup.row("CreateFile", [1.01] * 3, [1] * 3), ["ratio"]),
        (calls.row(_case("retrieve"), _measured(seconds=1.2)), []),
        (calls.row(_case("retrieve"), _measured(seconds=1.21)), ["ratio"]),
        (calls.row(_case("retrieve"), _measured(aws_calls=2)), ["AWS calls"]),
        (calls.row(_case("retrieve"), _measured(aws_calls=0)), ["AWS calls"]),
        (calls.row(_case("complete, part copied"), _measured(seconds=1.3, aws_calls=12)), []),
        (calls.row(_case(TYPED), _measured(seconds=0.45)), []),
        (calls.row(_case(TYPED), _measured(seconds=0.46)), ["ratio"]),
        (calls.list_row(_measured(seconds=1.3), _measured()), []),
        (calls.list_row(_measured(seconds=1.31), _measured(seconds=1.31)), ["ratio"]),
        (calls.list_row(_measured(), _measured(seconds=0.76)), ["to 1,000 files"]),
        (calls.list_row(_measured(aws_calls=2), _measured()), ["Queries"]),
        (calls.list_row(_measured(items_read=102), _measured()), ["items read"]),
        (memory.row(peak=256, memory=512), []),
        (memory.row(peak=257, memory=512), ["share"]),
    ],
)
def test_every_ratio_and_count_has_its_limit(
    figures: Sequence[Figure], exceeded: list[str]
) -> None:
    assert [figure.name for figure in figures if figure.exceeds] == exceeded


def test_every_limit_of_a_call_is_that_of_a_case() -> None:
    assert set(limits.OTHER_CPU) < {case.name for case in CASES}


def test_a_figure_above_its_limit_is_reported(tmp_path: Path) -> None:
    report.write(_tables(init=0.71), "somewhere", tmp_path)

    sentences = ["Authorize: ratio is 0.71; its limit is 0.7."]
    assert [*report.exceeded(_tables(init=0.71))] == sentences
    assert json.loads((tmp_path / "results.json").read_text())["exceeded"] == sentences


def test_a_slow_round_does_not_change_a_ratio() -> None:
    assert ratio([2, 20, 2.2, 2], [1, 10, 1.1, 1]).value == 2


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    figure = ratio([5, 1, 2, 4, 3], [1] * 5)

    assert (figure.value, figure.quartiles) == (3, (2, 4))


def test_the_page_shows_figures_with_their_limits(tmp_path: Path) -> None:
    report.write(_tables(init=0.6), report.machine(), tmp_path)

    page = (tmp_path / "README.md").read_text()
    rows = [line.replace(" ", "") for line in page.splitlines() if line.startswith("|")]
    assert "|initof|ms|ratio|quartiles|limit|" in rows
    assert "|Authorize|200|0.60|0.60to0.60|0.70|" in rows
    assert "|retrieve|1.15|1.15to1.15|1.20|" in rows
    assert "{" not in page


def test_equal_figures_make_equal_plots(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        plots.write(_tables(), tmp_path / folder)

    names = {"init.svg", "calls.svg", "lists.svg"}
    assert {path.name for path in (tmp_path / "one").iterdir()} == names
    for name in names:
        one, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "other"))
        assert one == other


def test_a_function_has_the_environment_of_the_template() -> None:
    environment = Build().environment("CreateFile")

    assert environment["FILES_TABLE"] == "FilesTable"
    assert environment["MAX_FILE_BYTES"] == default_stack().parameters["MaxFileBytes"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "CreateFile"


def test_a_sample_can_have_content_of_any_size() -> None:
    small, large = (with_content(sample("create_file"), size) for size in (0, 3000))

    assert len(large["body"]) - len(small["body"]) == 4000


def test_the_stub_returns_all_files_page_by_page() -> None:
    request = {
        "ExpressionAttributeValues": {
            ":project": {"S": "5/notes.pdf"},
            ":prefix": {"S": "FILE#"},
        },
        "ProjectionExpression": "#public",
        "ScanIndexForward": False,
        "Limit": 2,
    }
    pages = [table.query(request)]
    while "LastEvaluatedKey" in pages[-1]:
        pages.append(table.query(request | {"ExclusiveStartKey": pages[-1]["LastEvaluatedKey"]}))

    files = [json.loads(item["public"]["S"]) for page in pages for item in page["Items"]]
    assert [file["id"] for file in files] == [table.file_id(n) for n in (4, 3, 2, 1, 0)]
    assert [page["ScannedCount"] for page in pages] == [2, 2, 1]


def test_the_stub_ends_a_page_at_a_megabyte() -> None:
    values = {
        ":project": {"S": f"10000/{'n' * 255}"},
        ":prefix": {"S": "PURPOSE#user_data#"},
    }
    page = table.query({"ExpressionAttributeValues": values, "Limit": 10_000})

    assert 2_200 < page["Count"] < 2_700
    assert page["LastEvaluatedKey"]["SK"]["S"].startswith("PURPOSE#user_data#")


def test_the_stub_has_ranges_of_large_objects() -> None:
    key = f"/bucket/files/large/{sample('retrieve_file')['pathParameters']['file_id']}"
    whole = stub.answer("GET", key, {}, b"").partition(b"\r\n\r\n")[2]
    head, _, some = stub.answer("GET", key, {"range": "bytes=10-19"}, b"").partition(b"\r\n\r\n")

    assert len(whole) == table.LARGE_BYTES
    assert some == whole[10:20]
    assert b"Content-Range: bytes 10-19/4500000" in head.split(b"\r\n")


def test_a_process_knows_its_peak_of_memory() -> None:
    script = "from benchmarks.peak import peak; held = b'x' * 50_000_000; del held; print(peak())"
    output = processes.run([sys.executable, "-c", script], {"PYTHONPATH": str(ROOT)})

    assert 50_000_000 <= int(output) < 150_000_000
    assert peak.peak() > 0


def test_a_process_that_hangs_is_killed() -> None:
    with pytest.raises(Failed, match="Hung"):
        processes.run([sys.executable, "-c", "import signal; signal.pause()"], {}, seconds=0)


def test_a_failed_process_is_reported_with_its_output() -> None:
    with pytest.raises(Failed, match=r"Failed: .*\nthe reason"):
        processes.run([sys.executable, "-c", "raise SystemExit('the reason')"], {})


def test_a_stub_that_does_not_start_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="has not started"), processes.stub(tmp_path):
        pytest.fail("there is no stub")
