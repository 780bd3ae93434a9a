import json

import pytest

from files_api.observability import count_bytes


def test_bytes_are_counted_by_a_line_that_cloudwatch_reads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for size in (7, 8):
        count_bytes("UploadedBytes", size)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["UploadedBytes"] for line in lines] == [[7.0], [8.0]]
    for line in lines:
        (metrics,) = line["_aws"]["CloudWatchMetrics"]
        assert metrics["Namespace"] == "FilesApi"
        assert metrics["Metrics"] == [{"Name": "UploadedBytes", "Unit": "Bytes"}]
