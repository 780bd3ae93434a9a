"""The benchmarks measure everything, and report each figure that exceeds its limit."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import build, large, limits, partition, report, transfers
from benchmarks.cases import CASES
from benchmarks.figures import (
    Assembly,
    Call,
    Figures,
    Listed,
    Memory,
    Ratio,
    Size,
    Start,
    Transfer,
)
from benchmarks.processes import ROOT, Deadline, Failed, serving

MIB = 1024**2


def _figures(
    *,
    init: float = 0.5,
    function: str = "RetrieveFile",
    cpu: float = 1.0,
    aws_calls: int = 1,
    page: float = 1.0,
    growth: float = 1.0,
    queries: int = 1,
    items_read: int = 101,
    peak: int = 100 * MIB,
    transfer: float = 1.0,
    client_cpu: float = 1.0,
    client_memory: int = 5 * MIB,
    assembling: float = 1.0,
) -> Figures:
    return Figures(
        starts=[Start(function, 200.0, 250.0, Ratio(init, init, init))],
        calls=[Call("retrieve", "RetrieveFile", 500.4, 400.0, Ratio(cpu, 0.9, 1.5), aws_calls)],
        lists=[
            Listed("9 files", 1.72, 1.68, Ratio(page, 0.9, 1.1), growth, queries, items_read),
        ],
        memory=[Memory("ListFiles", "many files", peak, 512 * MIB)],
        transfers=[
            Transfer(
                *("upload", 9.04, 8.01, Ratio(transfer, 0.8, 1.2)),
                *(Ratio(client_cpu, 1.0, 1.4), client_memory),
            )
        ],
        assembly=[Assembly("4 parts", 212.9, 150.9, Ratio(assembling, 0.7, 1.1))],
        sizes=[Size("SharedLayer", 70_000, 1_234_567)],
    )


def test_every_function_of_the_template_is_measured() -> None:
    resources = build.template()["Resources"]
    functions = {n for n, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}

    assert {case.function for case in CASES} == functions


def test_measured_calls_and_their_limits_correspond() -> None:
    assert [case.name for case in CASES] == list(limits.CALLS)


def test_measured_transfers_and_their_limits_correspond() -> None:
    assert [*transfers.UPLOADS, *transfers.DOWNLOADS] == list(limits.TRANSFERS)


def test_every_function_has_an_event_to_measure_its_memory() -> None:
    functions = build.Build(Path(), build.template()).functions

    assert all(large.event(function)[1] for function in functions)


def test_figures_may_be_as_high_as_their_limits() -> None:
    figures = _figures(
        init=0.7,
        cpu=1.2,
        aws_calls=1,
        page=1.3,
        growth=1.3,
        peak=256 * MIB,
        transfer=limits.TRANSFERS["upload"].seconds,
        client_cpu=limits.TRANSFERS["upload"].cpu,
        client_memory=limits.CLIENT_MEMORY,
        assembling=limits.ASSEMBLY_RATIO,
    )

    assert [*limits.exceeded(figures)] == []


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (_figures(init=0.71), "Init of RetrieveFile: 0.71, above 0.7."),
        (_figures(init=0.71, function="Authorize"), "Init of Authorize: 0.71, above 0.7."),
        (_figures(init=0.91, function="ListFiles"), "Init of ListFiles: 0.91, above 0.9."),
        (_figures(init=1.01, function="CreateFile"), "Init of CreateFile: 1.01, above 1.0."),
        (_figures(cpu=1.21), "CPU of retrieve: 1.21, above 1.2."),
        (_figures(aws_calls=2), "AWS calls of retrieve: 2, not 1."),
        (_figures(aws_calls=0), "AWS calls of retrieve: 0, not 1."),
        (_figures(page=1.31), "Time of 9 files: 1.31, above 1.3."),
        (_figures(growth=1.31), "Growth of 9 files: 1.31, above 1.3."),
        (_figures(queries=2), "Queries of 9 files: 2, above 1."),
        (_figures(items_read=102), "Items read of 9 files: 102, above 101."),
        (_figures(peak=260 * MIB), "Share of the memory of ListFiles: 0.51, above 0.5."),
        (_figures(transfer=9.0), "Time of upload: 9.00, above 2.0."),
        (_figures(client_cpu=9.0), "CPU of upload: 9.00, above 1.6."),
        (_figures(client_memory=32 * MIB + 1), "Memory of upload: 33554433, above 33554432."),
        (_figures(assembling=9.0), "Time of 4 parts: 9.00, above 2.0."),
    ],
)
def test_a_figure_above_its_limit_is_reported(figures: Figures, sentence: str) -> None:
    assert [*limits.exceeded(figures)] == [sentence]
    assert report.as_json(figures, {})["exceeded"] == [sentence]


def test_every_limit_of_an_init_is_that_of_a_function() -> None:
    functions = build.Build(Path(), build.template()).functions

    assert set(limits.as_json()["init_ratios"]) < set(functions)


def test_a_slow_round_does_not_change_a_ratio() -> None:
    assert Ratio.of([2, 20, 2.2, 2], [1, 10, 1.1, 1]) == Ratio(2, 2, 2)


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    assert Ratio.of([5, 1, 2, 4, 3], [1] * 5) == Ratio(median=3, low=2, high=4)


def test_the_page_shows_every_figure_with_its_limit() -> None:
    where = dict.fromkeys(report.machine(), "somewhere")
    page = report.page(_figures(init=0.6, cpu=1.15, aws_calls=1), where)

    rows = [line.replace(" ", "") for line in page.splitlines() if line.startswith("|")]
    assert "|RetrieveFile|200|0.60|0.60to0.60|0.7|" in rows
    assert "|retrieve|500|400|1.15|0.90to1.50|1.2|1|1|" in rows
    assert "|9files|1.72|1.68|1.00|0.90to1.10|1.3|1.00|1.3|1|101|" in rows
    assert "|ListFiles,manyfiles|100|512|20%|50%|" in rows
    assert "|upload|9.0|8.0|1.00|0.80to1.20|2.0|1.00|1.6|5|32|" in rows
    assert "|4parts|213|151|1.00|0.70to1.10|2.0|" in rows
    assert "|SharedLayer|0.07|1.23|" in rows
    assert "{" not in page


def test_a_function_has_the_environment_of_the_template() -> None:
    template = build.template()
    environment = build.Build(Path(), template).environment("CreateFile")

    assert environment["FILES_TABLE"] == "filestable"
    assert environment["MAX_FILE_BYTES"] == str(template["Parameters"]["MaxFileBytes"]["Default"])
    assert environment["POWERTOOLS_SERVICE_NAME"] == "files-api"


def test_the_stub_of_a_table_returns_all_files_page_by_page() -> None:
    request = {
        "ExpressionAttributeValues": {
            ":project": {"S": partition.project(5)},
            ":prefix": {"S": "FILE#"},
        },
        "ScanIndexForward": False,
        "Limit": 2,
    }
    pages = [partition.query(request)]
    while "LastEvaluatedKey" in pages[-1]:
        pages.append(
            partition.query(request | {"ExclusiveStartKey": pages[-1]["LastEvaluatedKey"]})
        )

    files = [json.loads(item["public"]["S"]) for page in pages for item in page["Items"]]
    assert [file["id"] for file in files] == [partition.file_id(n) for n in (4, 3, 2, 1, 0)]
    assert [page["ScannedCount"] for page in pages] == [2, 2, 1]


def test_the_stub_of_a_table_ends_a_page_at_a_megabyte() -> None:
    values = {
        ":project": {"S": partition.project(10_000, "n" * 255)},
        ":prefix": {"S": "PURPOSE#user_data#"},
    }
    page = partition.query({"ExpressionAttributeValues": values, "Limit": 10_000})

    assert 2_400 < page["Count"] < 2_700
    assert page["LastEvaluatedKey"]["SK"]["S"].startswith("PURPOSE#user_data#")


def test_a_large_object_can_be_read_in_ranges() -> None:
    whole = large.answer("GET", "/bucket/key", {}, b"").partition(b"\r\n\r\n")[2]
    some = large.answer("GET", "/bucket/key", {"range": "bytes=10-19"}, b"")

    assert len(whole) == 4_500_000
    assert some.partition(b"\r\n\r\n")[2] == whole[10:20]


def test_a_process_knows_its_peak_of_memory() -> None:
    script = (
        "from benchmarks.peak import now, peak\n"
        "held = b'x' * 50_000_000\n"
        "del held\n"
        "print(now(), peak())"
    )
    output = Deadline(30).run([sys.executable, "-c", script], {"PYTHONPATH": str(ROOT)})

    present, most = map(int, output.split())
    assert 50_000_000 <= most < 150_000_000
    assert present <= most


def test_a_server_is_terminated_at_the_deadline() -> None:
    command = [sys.executable, "-c", "print('up', flush=True); import signal; signal.pause()"]
    with serving(command, {}, Deadline(0.5)) as line:
        assert line == "up"


def test_a_process_is_killed_at_the_deadline() -> None:
    with pytest.raises(Failed, match="Not finished in time"):
        Deadline(0).run([sys.executable, "-c", "import signal; signal.pause()"], {})


def test_a_failed_process_is_reported_with_its_output() -> None:
    with pytest.raises(Failed, match=r"Failed: .*\nthe reason"):
        Deadline(30).run([sys.executable, "-c", "raise SystemExit('the reason')"], {})


def test_a_server_that_does_not_start_is_reported() -> None:
    command = [sys.executable, "-c", "raise SystemExit"]
    with pytest.raises(Failed, match="Not started"), serving(command, {}):
        pytest.fail("there is no server")
