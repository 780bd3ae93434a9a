"""What the tests of the API and those of its client share: one local stack a run."""

from collections.abc import Iterator

import pytest

from tools.local_stack import LocalStack


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The template, deployed on this machine."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the local stack comes last: it runs no longer than it is used."""
    items.sort(key=lambda item: "local_stack" in getattr(item, "fixturenames", ()))
