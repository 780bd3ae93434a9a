"""No more of a file is in memory than is on its way: measured in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from client.tests import measured
from client.tests.conftest import MIB, sha256
from client.tests.stub import KEY, Stub

SIZE = 300 * MIB
ALLOWED = 64 * MIB


@pytest.mark.parametrize("how", ["threads", "tasks"])
@pytest.mark.parametrize("options", [{}, {"direct_limit": 0, "part_size": 32 * MIB}])
def test_a_large_file_takes_no_memory(
    stub: Stub, make_file: Callable[[int], Path], how: str, options: dict[str, int]
) -> None:
    first, second = make_file(4_500_001), make_file(SIZE)
    asked = [how, stub.base_url, KEY, json.dumps(options), str(first), str(second)]
    done = subprocess.run(
        [sys.executable, "-m", measured.__name__, *asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
        stdout=subprocess.PIPE,
    )
    said = json.loads(done.stdout)
    assert stub.digest(said["id"]) == sha256(second)
    assert said["memory"] < ALLOWED
