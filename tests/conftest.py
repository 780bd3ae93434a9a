"""What all tests share: the profiles of Hypothesis, and the log."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from files_api.observability import logger

EXAMPLES = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".hypothesis" / "examples")

# Failing examples are kept, and tried first from then on.
for profile, examples in {"home": 80, "ci": 700, "fuzz": 100_000}.items():
    settings.register_profile(
        profile,
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        derandomize=False,
        database=EXAMPLES,
        print_blob=True,
    )
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "home")
)


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the code logs meanwhile, line by line."""
    stream = io.StringIO()
    handler = logger().registered_handler
    usual = handler.setStream(stream)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(usual)  # type: ignore[attr-defined]
