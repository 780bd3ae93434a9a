"""Lists of files: their pages, their order, their size."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from files_api.api.http import Api, Response
from files_api.service.errors import InvalidValue
from files_api.service.ports import MANY_EXPIRED, PageRequest
from tests.fakes.world import World, ids, once, raising
from tests.support.samples import NOW, a_file


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 10, 11, 12])
def test_pages_follow_each_other_without_loss_or_repetition(
    world: World, limit: int, newest_first: bool
) -> None:
    files = [world.create().id for _ in range(11)]  # all in one second
    files.sort(reverse=newest_first)

    pages = [world.listing.page("acme", PageRequest(limit, newest_first=newest_first))]
    while pages[-1].has_more:
        after = ids(pages[-1])[-1]
        assert len(pages) < len(files)
        request = PageRequest(limit, newest_first=newest_first, after=after)
        pages.append(world.listing.page("acme", request))

    assert [ids(page) for page in pages] == [
        files[start : start + limit] for start in range(0, 11, limit)
    ]


def test_page_lists_the_newest_file_first_by_default(world: World) -> None:
    world.clock.now = NOW
    first = world.create()
    world.clock.now = NOW + 1
    second = world.create()

    assert ids(world.listing.page("acme", PageRequest(10))) == [second.id, first.id]


def test_page_has_its_files_and_its_first_and_last_id(world: World) -> None:
    files = [world.create(filename=f'"{n}".txt') for n in range(3)]
    files.sort(key=lambda file: file.id, reverse=True)

    assert json.loads(world.listing.page("acme", PageRequest(2)).json()) == {
        "object": "list",
        "data": [file.public() for file in files[:2]],
        "first_id": files[0].id,
        "last_id": files[1].id,
        "has_more": True,
    }


def test_empty_page_has_no_first_and_last_id(world: World) -> None:
    assert world.listing.page("acme", PageRequest(2)).json() == (
        '{"object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false}'
    )


def test_unknown_purpose_is_rejected(world: World) -> None:
    for purpose in ("", "user_data"):
        with pytest.raises(InvalidValue) as refused:
            world.listing.page("acme", PageRequest(10, purpose))
        assert refused.value.param == "purpose"


LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024  # AWS Lambda, "Lambda quotas": invocation payload


@pytest.mark.parametrize("character", ["🚀", '"', "é"])
def test_page_of_the_longest_names_is_cut_to_fit_an_answer(world: World, character: str) -> None:
    files = [a_file(filename=character * 255, expires_at=NOW + 60) for _ in range(10_000)]
    for file in files:
        world.records.add("acme", file)
    everything = sorted((file.id for file in files), reverse=True)

    pages = [world.listing.page("acme", PageRequest(10_000))]
    while pages[-1].has_more:
        assert len(pages) < 10
        pages.append(world.listing.page("acme", PageRequest(10_000, after=ids(pages[-1])[-1])))

    assert [file_id for page in pages for file_id in ids(page)] == everything
    sizes = [len(answer_event(page.json())) for page in pages]
    assert max(sizes) <= LAMBDA_ANSWER_BYTES
    assert all(size > 0.9 * LAMBDA_ANSWER_BYTES for size in sizes[:-1])


def test_page_of_ten_thousand_usual_names_fits_an_answer(world: World) -> None:
    for number in range(10_000):
        world.records.add("acme", a_file(filename=f"conversation-{number:06}.jsonl"))

    page = world.listing.page("acme", PageRequest(10_000))

    assert (len(page.files), page.has_more) == (10_000, False)
    assert len(answer_event(page.json())) <= LAMBDA_ANSWER_BYTES


def answer_event(body: str) -> bytes:
    """The answer of a function as Lambda's Python runtime sends it: JSON, in readable Unicode."""
    api = Api(lambda: None, lambda: "")

    @api.get("/v1/files", scope="files:read")
    def answer(service: None, request: object) -> Response:
        return Response(body)

    context = {
        "authorizer": {"project": "acme", "scopes": "files:read"},
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    }
    event = {"httpMethod": "GET", "requestContext": context, "pathParameters": None}
    return json.dumps(api(event, None), ensure_ascii=False).encode()


def test_list_that_meets_many_expired_files_hands_them_over(
    world: World, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    live = world.create()
    for number in range(MANY_EXPIRED - 1):
        world.records.add("acme", a_file(age=number, expires_at=NOW - 1))
    assert ids(world.listing.page("acme", PageRequest(10))) == [live.id]
    assert world.expiry_queue.sent == []
    world.records.add("acme", a_file(expires_at=NOW - 1))

    once(world.expiry_queue, "send", before=raising(ConnectionError))
    for _ in range(2):
        assert ids(world.listing.page("acme", PageRequest(10))) == [live.id]

    assert world.expiry_queue.sent == ["acme"]
    assert [line["message"] for line in logged()] == ["Deletion of expired files could not start"]
    world.expiry.delete("acme")
    assert [sort_key for _, sort_key in world.records.items() if live.id not in sort_key] == []
