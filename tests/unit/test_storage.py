"""What a project may store: its own limits, and those of the deployment."""

from collections.abc import Callable
from functools import partial

import pytest

from files_api.service.errors import StorageLimitExceeded
from files_api.service.model import NewFile, Usage
from files_api.service.quota import NO_LIMIT, NO_OWN, UNLIMITED, Quota
from files_api.service.terms import Terms
from tests.fakes.world import World, refusal

NEW = NewFile("a.txt", "batch", 3, mime_type="text/plain")


def creations(world: World, quota: Quota) -> list[Callable[[], object]]:
    """Each way to store a file of three bytes, or to have it promised."""
    terms = Terms(quota)
    return [
        partial(world.intake.create, "acme", NEW, b"abc", terms),
        partial(world.intake.create_pending, "acme", NEW, terms=terms),
        partial(world.intake.create_pending_in_parts, "acme", NEW, 2, terms),
        partial(world.uploads.create, "acme", NEW, terms),
    ]


@pytest.mark.parametrize(
    ("quota", "default", "told"),
    [
        (Quota(files=2), UNLIMITED, "at most 2 files, and stores 2: 1 more"),
        (Quota(bytes=8), UNLIMITED, "at most 8 bytes, and stores 6: 3 more"),
        (Quota(bytes=0), UNLIMITED, "at most 0 bytes, and stores 6: 3 more"),
        (NO_OWN, Quota(2, NO_LIMIT), "at most 2 files, and stores 2: 1 more"),
        (Quota(files=NO_LIMIT), Quota(2, 8), "at most 8 bytes, and stores 6: 3 more"),
    ],
)
def test_what_exceeds_a_limit_is_refused_before_its_bytes(
    world: World, quota: Quota, default: Quota, told: str
) -> None:
    for _ in range(2):
        world.create(b"abc")
    before = world.blobs.keys()
    world.default_quota = default

    for create in creations(world, quota):
        status, error = refusal(create, StorageLimitExceeded)
        assert (status, error["param"], error["code"]) == (403, None, "storage_limit_exceeded")
        assert told in str(error["message"])

    assert world.blobs.keys() == before
    assert world.records.usage("acme") == Usage(2, 6)


@pytest.mark.parametrize(
    ("quota", "default"),
    [
        (NO_OWN, UNLIMITED),
        (Quota(3, 9), UNLIMITED),
        (Quota(3, NO_LIMIT), Quota(1, 1)),
        (UNLIMITED, Quota(0, 0)),
        (NO_OWN, Quota(3, 9)),
    ],
)
def test_what_fits_is_stored(world: World, quota: Quota, default: Quota) -> None:
    for _ in range(2):
        world.create(b"abc")
    world.default_quota = default

    for create in reversed(creations(world, quota)):  # what is promised is not counted
        create()

    assert world.records.usage("acme") == Usage(3, 9)


@pytest.mark.parametrize("quota", [NO_OWN, UNLIMITED])
def test_a_project_without_a_limit_costs_no_read(
    world: World, quota: Quota, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, read = world.records.usage, list[str]()

    def usage(project: str) -> Usage:
        read.append(project)
        return usual(project)

    monkeypatch.setattr(world.records, "usage", usage)
    world.storage.check("acme", quota, 3)
    assert read == []

    world.storage.check("acme", Quota(files=1), 3)
    assert read == ["acme"]


def test_what_was_promised_may_still_come_in(world: World) -> None:
    file, url = world.create_pending()
    world.default_quota = Quota(0, 0)

    assert world.blobs.send(url, b"abc")
    assert world.files.retrieve("acme", file.id).status == "processed"
    assert world.records.usage("acme") == Usage(1, 3)


def test_limits_are_shown_with_the_usage(world: World) -> None:
    world.create(b"abc")
    world.default_quota = Quota(NO_LIMIT, 10)

    assert world.storage.public("acme", Quota(files=5), 7) == {
        "object": "usage",
        "project": "acme",
        "files": 1,
        "bytes": 3,
        "limits": {"files": 5, "bytes": 10, "file_bytes": 7},
    }
    assert world.storage.public("globex", Quota(bytes=NO_LIMIT), 7)["limits"] == {
        "files": None,
        "bytes": None,
        "file_bytes": 7,
    }
