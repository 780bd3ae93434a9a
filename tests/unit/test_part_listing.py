"""Direct uploads in parts: how a file is cut, what is listed, who makes the parts a file."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api.service.errors import FileNotFound, InvalidValue
from files_api.service.model import DIRECT_PARTS_SECONDS, File
from files_api.service.part_plan import MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES, PartPlan, plan
from tests.fakes.world import World, invalid, once, refusal
from tests.support.samples import NOW

TIB = 1024**4


@given(size=st.integers(1, 5 * TIB))
def test_parts_of_a_fitting_size_are_within_the_bounds_of_s3(size: int) -> None:
    whole = plan(size, None)

    assert MIN_PART_BYTES <= whole.part_size <= MAX_PART_BYTES
    assert 1 <= whole.count <= MAX_PARTS
    assert whole.size_of(whole.count) == size - (whole.count - 1) * whole.part_size > 0


@given(size=st.integers(1, 2_000), part_size=st.integers(1, 100))
def test_parts_add_up_to_the_file(size: int, part_size: int) -> None:
    sizes = PartPlan(size, part_size).sizes()

    assert sum(sizes.values()) == size
    assert [*sizes] == [*range(1, len(sizes) + 1)]
    assert {*sizes.values()} <= {part_size, sizes[len(sizes)]}


def test_part_size_that_makes_too_many_parts_is_refused() -> None:
    assert plan(MAX_PARTS * MIN_PART_BYTES, MIN_PART_BYTES).count == MAX_PARTS
    with pytest.raises(InvalidValue, match="more than 10000 parts"):
        plan(MAX_PARTS * MIN_PART_BYTES + 1, MIN_PART_BYTES)


def send_all(world: World, file: File) -> None:
    for number, link in world.part_links(file).items():
        assert world.direct_parts.send(link, b"ab"[: file.bytes - 2 * (number - 1)])


def test_parts_are_listed_page_by_page_with_links_for_the_missing(world: World) -> None:
    file = world.create_in_parts(9, 2)
    assert world.direct_parts.send(world.part_links(file)[4], b"ab")

    pages = [
        world.part_listing.page("acme", file.id, limit=2, after=after) for after in (0, 2, 4, 5, 99)
    ]

    shown = [
        [(part.number, part.bytes, part.link is None) for part in each.parts] for each in pages
    ]
    assert shown == [
        [(1, 2, False), (2, 2, False)],
        [(3, 2, False), (4, 2, True)],
        [(5, 1, False)],
        [],
        [],
    ]
    assert [page.has_more for page in pages] == [True, True, False, False, False]


def test_links_of_parts_end_with_the_upload(world: World) -> None:
    file = world.create_in_parts(2, 2)
    world.clock.now = NOW + DIRECT_PARTS_SECONDS - 60

    (link,) = world.part_links(file).values()

    assert link.expires_at == NOW + DIRECT_PARTS_SECONDS
    world.clock.now = NOW + DIRECT_PARTS_SECONDS
    with pytest.raises(FileNotFound):
        world.part_links(file)


LOOKS: list[Callable[[World, File], object]] = [
    lambda world, file: world.files.retrieve("acme", file.id),
    lambda world, file: world.download(file.id),
    lambda world, file: world.url("acme", file.id),
    lambda world, file: world.files.finalize("acme", file.id),
]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("rival", LOOKS)
def test_racing_looks_make_the_parts_one_file(
    look: Callable[[World, File], object], rival: Callable[[World, File], object], world: World
) -> None:
    file = world.create_in_parts(5, 2)
    send_all(world, file)
    once(world.direct_parts, "complete", before=lambda: rival(world, file))

    look(world, file)

    assert world.listed() == [file.id]
    assert world.download(file.id)[1] == b"ababa"
    assert world.direct_parts.unfinished() == set()


def test_file_is_pending_until_its_last_part_arrives(world: World) -> None:
    file = world.create_in_parts(5, 2)
    links = world.part_links(file)
    for number in (3, 1):
        assert world.direct_parts.send(links[number], b"ab"[: 1 if number == 3 else 2])
        assert world.files.retrieve("acme", file.id).status == "pending"
    assert world.direct_parts.send(links[1], b"xy")  # a part may be sent again

    assert world.direct_parts.send(links[2], b"cd")

    assert world.files.retrieve("acme", file.id).status == "processed"
    assert world.download(file.id)[1] == b"xycda"
    assert refusal(lambda: world.part_links(file), InvalidValue) == invalid(
        "id", "the file waits for no parts of a direct upload."
    )


@pytest.mark.parametrize("arrived", [False, True])
def test_deletion_in_the_midst_leaves_nothing(arrived: bool, world: World) -> None:
    file = world.create_in_parts(5, 2)
    if arrived:
        send_all(world, file)
    once(
        world.direct_parts, "complete", before=lambda: world.records.delete_pending("acme", file.id)
    )

    with pytest.raises(FileNotFound):
        world.files.delete("acme", file.id)

    world.files.finalize("acme", file.id)  # the storage event of a late completion
    assert world.purge.removed(world.records.stream) == set()
    assert world.blobs.keys() == world.direct_parts.unfinished() == set()
