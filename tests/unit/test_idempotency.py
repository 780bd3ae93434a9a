"""A creation that is repeated with its `Idempotency-Key` makes one object."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from files_api.service.blob_keys import parse_blob_key
from files_api.service.errors import IdempotencyKeyReused, StorageLimitExceeded
from files_api.service.model import (
    DIRECT_PARTS_SECONDS,
    PUT_URL_SECONDS,
    File,
    NewFile,
    PresignedUrl,
    Upload,
    Usage,
)
from files_api.service.quota import Quota
from files_api.service.terms import REPEATABLE_SECONDS, Terms
from tests.fakes.world import World, once, raising, refusal
from tests.support.samples import NOW

NEW = NewFile("a.txt", "batch", 3, mime_type="text/plain")
TERMS = Terms(idempotency_key="🗝 of the caller")

type Creation = Callable[..., Any]


def plain(world: World, new: NewFile = NEW, terms: Terms = TERMS, content: bytes = b"abc") -> File:
    return world.intake.create("acme", new, content, terms)


def direct(
    world: World, new: NewFile = NEW, terms: Terms = TERMS, sha256: str | None = None
) -> File:
    return world.intake.create_pending("acme", new, sha256, terms)[0]


def in_parts(world: World, new: NewFile = NEW, terms: Terms = TERMS, part_size: int = 2) -> File:
    return world.intake.create_pending_in_parts("acme", new, part_size, terms)[0].file


def upload(world: World, new: NewFile = NEW, terms: Terms = TERMS) -> Upload:
    return world.uploads.create("acme", new, terms)


ALL: list[Creation] = [plain, direct, in_parts, upload]
each = pytest.mark.parametrize("create", ALL)


@each
def test_a_repeated_request_makes_one_object(world: World, create: Creation) -> None:
    made = create(world)
    before = (world.records.items(), world.upload_records.items(), world.blobs.keys())

    world.clock.now = NOW + REPEATABLE_SECONDS - 1
    assert create(world) == made

    assert (world.records.items(), world.upload_records.items(), world.blobs.keys()) == before
    assert len(world.direct_parts.unfinished()) == (create is in_parts)
    world.clock.now = NOW + REPEATABLE_SECONDS
    assert create(world).id != made.id


@each
def test_other_keys_projects_and_calls_without_one_make_others(
    world: World, create: Creation
) -> None:
    made = [create(world), create(world, terms=Terms(idempotency_key="another"))]
    made += [create(world, terms=Terms()) for _ in range(2)]
    assert len({each.id for each in made}) == 4


@each
def test_another_request_with_the_key_is_rejected(world: World, create: Creation) -> None:
    create(world)
    before = (world.records.items(), world.upload_records.items(), world.blobs.keys())
    others: list[Callable[[], object]] = [
        partial(create, world, replace(NEW, **change))
        for change in (
            {"filename": "b.txt"},
            {"purpose": "vision"},
            {"lifetime": 7200},
            {"mime_type": "text/html"},
        )
    ]
    others += [partial(other, world) for other in ALL if other is not create]
    details: dict[Creation, list[dict[str, Any]]] = {
        plain: [{"content": b"abd"}],
        direct: [{"new": replace(NEW, size=4)}, {"sha256": "0" * 64}],
        in_parts: [{"new": replace(NEW, size=4)}, {"part_size": 3}],
        upload: [{"new": replace(NEW, size=4)}],
    }
    others += [partial(create, world, **detail) for detail in details[create]]

    for other in others:
        status, error = refusal(other, IdempotencyKeyReused)
        assert (status, error["code"]) == (400, "idempotency_key_reused")

    assert (world.records.items(), world.upload_records.items(), world.blobs.keys()) == before


@pytest.mark.parametrize(
    ("create", "call"),
    [(plain, "add"), (direct, "add_pending"), (in_parts, "add_pending"), (upload, "open")],
)
def test_of_racing_requests_one_makes_the_object_and_both_get_it(
    world: World, create: Creation, call: str
) -> None:
    port = world.upload_records if create is upload else world.records
    twin: list[Any] = []
    once(port, call, before=lambda: twin.append(create(world)))

    assert create(world) == twin[0]

    for key in world.blobs.created:
        world.blob_check.check(parse_blob_key(key))  # which comes later
    assert len(world.blobs.keys()) == (create is plain)
    assert world.records.usage("acme") == (Usage(1, 3) if create is plain else Usage(0, 0))


@pytest.mark.parametrize(
    ("create", "call"),
    [(plain, "add"), (direct, "add_pending"), (in_parts, "add_pending"), (upload, "open")],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_whose_answer_is_lost_can_be_repeated(
    world: World, create: Creation, call: str, when: str
) -> None:
    class Lost(Exception):
        pass

    port = world.upload_records if create is upload else world.records
    once(port, call, **{when: raising(Lost)})
    with pytest.raises(Lost):
        create(world)

    made = create(world)

    assert create(world) == made
    items = (*world.records.items(), *world.upload_records.items())
    assert {key.split("#")[-1] for _, key in items} == {made.id}


def test_the_answer_is_that_of_the_first_request_whatever_became_of_the_file(world: World) -> None:
    file = plain(world)
    world.files.delete("acme", file.id)

    assert plain(world) == file
    assert world.listed() == []


@pytest.mark.parametrize("age", [0, 300, PUT_URL_SECONDS - 1])
def test_the_url_of_a_repeated_direct_upload_ends_with_the_first(world: World, age: int) -> None:
    new = world.intake.create_pending("acme", NEW, None, TERMS)
    world.clock.now = NOW + age
    again = world.intake.create_pending("acme", NEW, None, TERMS)

    assert new[1].expires_at == again[1].expires_at == NOW + PUT_URL_SECONDS
    assert world.blobs.send(again[1], b"abc")
    assert not world.blobs.send(new[1], b"abc")
    assert world.files.retrieve("acme", again[0].id).status == "processed"


def test_parts_of_a_repeated_direct_upload_are_those_of_the_first(world: World) -> None:
    pending, whole = world.intake.create_pending_in_parts("acme", NEW, 2, TERMS)
    world.clock.now = NOW + 300
    again, same = world.intake.create_pending_in_parts("acme", NEW, 2, TERMS)

    assert (again.file, again.expires_at, same) == (pending.file, NOW + DIRECT_PARTS_SECONDS, whole)
    links: dict[int, PresignedUrl] = world.part_links(again.file)
    assert all(world.direct_parts.send(links[number], b"ab"[: 3 - number]) for number in (1, 2))
    assert world.files.retrieve("acme", pending.file.id).status == "processed"


@each
def test_a_repeated_request_is_answered_though_the_limit_is_reached(
    world: World, create: Creation
) -> None:
    made = create(world)
    full = replace(TERMS, quota=Quota(files=0))

    assert create(world, terms=full) == made
    refusal(lambda: create(world, terms=replace(full, idempotency_key="k")), StorageLimitExceeded)
    # and a key whose request was refused is free
    assert create(world, terms=Terms(idempotency_key="k")).id != made.id
