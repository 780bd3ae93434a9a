"""The benchmarks: that nothing goes unmeasured, and that a broken limit is noticed."""

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
    init: float = 1.0,
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
        starts=[Start("RetrieveFile", 200.0, 250.0, Ratio(init, init, init))],
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


def test_every_function_of_the_template_is_measured_by_a_call() -> None:
    resources = build.template()["Resources"]
    functions = {n for n, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}

    assert {case.function for case in CASES} == functions


def test_every_measured_call_has_limits_and_every_limit_is_measured() -> None:
    assert [case.name for case in CASES] == list(limits.CALLS)


def test_every_way_to_transfer_a_file_has_limits_and_every_limit_is_measured() -> None:
    assert [*transfers.UPLOADS, *transfers.DOWNLOADS] == list(limits.TRANSFERS)


def test_every_function_of_the_template_has_an_event_that_its_memory_is_measured_with() -> None:
    functions = build.Build(Path(), build.template()).functions

    assert all(large.event(function)[1] for function in functions)


def test_figures_at_their_limits_are_fine() -> None:
    figures = _figures(
        init=1.25,
        cpu=1.3,
        aws_calls=1,
        page=1.3,
        growth=1.3,
        peak=256 * MIB,
        transfer=limits.TRANSFERS["upload"].seconds,
        client_cpu=limits.TRANSFERS["upload"].cpu,
        client_memory=limits.CLIENT_MEMORY,
        assembling=limits.ASSEMBLY_RATIO,
    )

    assert [*limits.broken(figures)] == []


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (_figures(init=1.26), "Init of RetrieveFile: 1.26, over 1.25."),
        (_figures(cpu=1.31), "CPU of retrieve: 1.31, over 1.3."),
        (_figures(aws_calls=2), "AWS calls of retrieve: 2, not 1."),
        (_figures(aws_calls=0), "AWS calls of retrieve: 0, not 1."),
        (_figures(page=1.31), "Time of 9 files: 1.31, over 1.3."),
        (_figures(growth=1.31), "Growth of 9 files: 1.31, over 1.3."),
        (_figures(queries=2), "Queries of 9 files: 2, over 1."),
        (_figures(items_read=102), "Items read of 9 files: 102, over 101."),
        (_figures(peak=260 * MIB), "Memory of ListFiles, its share: 0.51, over 0.5."),
        (_figures(transfer=9.0), "Time of upload: 9.00, over 2.0."),
        (_figures(client_cpu=9.0), "CPU of upload: 9.00, over 1.6."),
        (_figures(client_memory=32 * MIB + 1), "Memory of upload: 33554433, over 33554432."),
        (_figures(assembling=9.0), "Time of 4 parts: 9.00, over 2.0."),
    ],
)
def test_a_figure_beyond_its_limit_is_reported(figures: Figures, sentence: str) -> None:
    assert [*limits.broken(figures)] == [sentence]
    assert report.as_json(figures, {})["broken"] == [sentence]


def test_a_slow_round_does_not_move_a_ratio() -> None:
    assert Ratio.of([2, 20, 2.2, 2], [1, 10, 1.1, 1]) == Ratio(2, 2, 2)


def test_a_ratio_is_the_median_of_the_rounds_with_its_quartiles() -> None:
    assert Ratio.of([5, 1, 2, 4, 3], [1] * 5) == Ratio(median=3, low=2, high=4)


def test_the_page_shows_every_figure_beside_its_limit() -> None:
    where = dict.fromkeys(report.machine(), "somewhere")
    page = report.page(_figures(init=0.8, cpu=1.25, aws_calls=1), where)

    rows = [line.replace(" ", "") for line in page.splitlines() if line.startswith("|")]
    assert "|RetrieveFile|200|0.80|0.80to0.80|1.25|" in rows
    assert "|retrieve|500|400|1.25|0.90to1.50|1.3|1|1|" in rows
    assert "|9files|1.72|1.68|1.00|0.90to1.10|1.3|1.00|1.3|1|101|" in rows
    assert "|ListFiles,manyfiles|100|512|20%|50%|" in rows
    assert "|upload|9.0|8.0|1.00|0.80to1.20|2.0|1.00|1.6|5|32|" in rows
    assert "|4parts|213|151|1.00|0.70to1.10|2.0|" in rows
    assert "|SharedLayer|0.07|1.23|" in rows
    assert "{" not in page


def test_a_function_gets_the_environment_that_the_template_gives_it() -> None:
    template = build.template()
    environment = build.Build(Path(), template).environment("CreateFile")

    assert environment["FILES_TABLE"] == "filestable"
    assert environment["MAX_FILE_BYTES"] == str(template["Parameters"]["MaxFileBytes"]["Default"])
    assert environment["POWERTOOLS_SERVICE_NAME"] == "files-api"


def test_the_table_of_many_files_pages_through_all_of_them_as_dynamodb_does() -> None:
    request = {
        "ExpressionAttributeValues": {
            ":project": {"S": partition.project(5)},
            ":prefix": {"S": "F#"},
        },
        "ScanIndexForward": False,
        "Limit": 2,
    }
    pages = [partition.query(request)]
    while "LastEvaluatedKey" in pages[-1]:
        pages.append(
            partition.query(request | {"ExclusiveStartKey": pages[-1]["LastEvaluatedKey"]})
        )

    docs = [json.loads(item["doc"]["S"]) for page in pages for item in page["Items"]]
    assert [doc["id"] for doc in docs] == [partition.file_id(n) for n in (4, 3, 2, 1, 0)]
    assert [page["ScannedCount"] for page in pages] == [2, 2, 1]


def test_the_table_of_many_files_ends_a_page_at_a_megabyte() -> None:
    values = {
        ":project": {"S": partition.project(10_000, "n" * 255)},
        ":prefix": {"S": "P#user_data#"},
    }
    page = partition.query({"ExpressionAttributeValues": values, "Limit": 10_000})

    assert 2_400 < page["Count"] < 2_700
    assert page["LastEvaluatedKey"]["SK"]["S"].startswith("P#user_data#")


def test_an_object_of_the_large_store_can_be_read_in_ranges() -> None:
    whole = large.answer("GET", "/bucket/key", {}, b"").partition(b"\r\n\r\n")[2]
    some = large.answer("GET", "/bucket/key", {"range": "bytes=10-19"}, b"")

    assert len(whole) == 4_500_000
    assert some.partition(b"\r\n\r\n")[2] == whole[10:20]


def test_a_process_knows_the_most_memory_that_it_had() -> None:
    script = (
        "from benchmarks.peak import now, peak\n"
        "held = b'x' * 50_000_000\n"
        "del held\n"
        "print(now(), peak())"
    )
    said = Deadline(30).run([sys.executable, "-c", script], {"PYTHONPATH": str(ROOT)})

    present, most = map(int, said.split())
    assert 50_000_000 <= most < 150_000_000
    assert present <= most


def test_a_server_ends_at_the_deadline() -> None:
    command = [sys.executable, "-c", "print('up', flush=True); import signal; signal.pause()"]
    with serving(command, {}, Deadline(0.5)) as said:
        assert said == "up"


def test_a_process_that_is_late_is_ended() -> None:
    with pytest.raises(Failed, match="Not done in time"):
        Deadline(0).run([sys.executable, "-c", "import signal; signal.pause()"], {})


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(Failed, match=r"Failed: .*\nthe reason"):
        Deadline(30).run([sys.executable, "-c", "raise SystemExit('the reason')"], {})


def test_a_server_that_does_not_start_is_noticed() -> None:
    command = [sys.executable, "-c", "raise SystemExit"]
    with pytest.raises(Failed, match="Not started"), serving(command, {}):
        pytest.fail("there is no server")
