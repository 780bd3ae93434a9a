"""What the tests of the API and those of its client share: one local stack a run."""

from collections.abc import Iterator

import pytest

from tools.local.stack import LocalStack


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets the contract tests run through the proxy."""
    parser.addoption("--proxy", action="store_true", help="call the API through the client's proxy")


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The template, deployed on this machine."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the local stack share one: they run in one process, and first, because no
    other group takes as long.
    """
    for item in items:
        if _needs_local_stack(item):
            item.add_marker(pytest.mark.xdist_group("local-stack"))
    items.sort(key=_needs_local_stack, reverse=True)


def _needs_local_stack(item: pytest.Item) -> bool:
    return "local_stack" in getattr(item, "fixturenames", ())
