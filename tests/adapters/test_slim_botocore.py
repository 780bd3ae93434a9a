"""What is left of botocore's service descriptions; the ports' tests make every call with it."""

from pathlib import Path

from botocore.loaders import Loader

from tests.adapters.conftest import SERVICES, WHOLE


def test_no_other_service_or_version_is_left(slimmed: Path) -> None:
    folders = sorted(path.relative_to(slimmed) for path in slimmed.rglob("*") if path.is_dir())
    versions = {name: max(path.name for path in (WHOLE / name).iterdir()) for name in SERVICES}

    assert [str(path) for path in folders] == [
        each for name in SERVICES for each in (name, f"{name}/{versions[name]}")
    ]


def test_only_a_small_part_of_the_data_is_left(slimmed: Path) -> None:
    def size(data: Path, service: str) -> int:
        return sum(path.stat().st_size for path in (data / service).rglob("*.json*"))

    plain = Loader().load_service_model
    for service in SERVICES:
        left = Loader(extra_search_paths=[str(slimmed)], include_default_search_paths=False)
        description = left.load_service_model(service, "service-2")
        assert set(description["operations"]) < set(plain(service, "service-2")["operations"])
        assert size(slimmed, service) < 500_000
