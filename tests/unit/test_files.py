"""What the calls promise, whatever keeps the files."""

import json
import threading
import uuid
from dataclasses import dataclass, field

import pytest

from files_api.errors import ApiError, EmptyFile, FileNotFound, FileTooLarge, InvalidValue
from files_api.files import DAY, MAX_INLINE_BYTES, Catalog, Files, Intake, Listing, Page
from files_api.http import Api, Response
from files_api.model import File
from files_api.ports import Blobs, Records
from tests.unit.memory import MemoryBlobs, MemoryRecords
from tests.unit.samples import NOW, PURPOSES, Clock, a_file


@dataclass
class World:
    """The services on ports in memory, and a clock."""

    records: Records = field(default_factory=MemoryRecords)
    blobs: Blobs = field(default_factory=MemoryBlobs)
    clock: Clock = field(default_factory=Clock)
    max_file_bytes: int = 10_000_000

    @property
    def catalog(self) -> Catalog:
        return Catalog(self.records, self.clock)

    @property
    def listing(self) -> Listing:
        return Listing(self.records, PURPOSES, self.clock)

    @property
    def files(self) -> Files:
        return Files(self.records, self.blobs, self.clock)

    @property
    def intake(self) -> Intake:
        return Intake(
            self.records,
            self.blobs,
            purposes=PURPOSES,
            max_file_bytes=self.max_file_bytes,
            clock=self.clock,
        )

    def create(
        self,
        content: bytes = b"abc",
        *,
        purpose: str = "assistants",
        filename: str = "notes.txt",
        lifetime: int | None = None,
    ) -> File:
        return self.intake.create(
            "acme", filename=filename, purpose=purpose, content=content, lifetime=lifetime
        )

    def listed(self, project: str = "acme", purpose: str | None = None) -> list[str]:
        return ids(self.listing.page(project, purpose=purpose, limit=10_000))


@pytest.fixture
def world() -> World:
    return World()


def ids(page: Page) -> list[str]:
    return [json.loads(doc)["id"] for doc in page.docs]


# --- Taking files in ------------------------------------------------------------------------------


def test_a_file_is_created_as_told(world: World) -> None:
    world.clock.now = NOW + 0.999

    file = world.create(b"abc", filename="../a/notes.txt", purpose="vision", lifetime=3600)

    assert uuid.UUID(file.id).version == 7
    assert file == File(
        id=file.id,
        bytes=3,
        created_at=NOW,
        filename="notes.txt",
        purpose="vision",
        status="processed",
        expires_at=NOW + 3600,
    )


@pytest.mark.parametrize("content", [b"\x00", b"\r\n--", bytes(range(256)) * 100])
def test_what_was_created_is_seen_by_every_call_at_once(world: World, content: bytes) -> None:
    file = world.create(content)

    assert world.catalog.retrieve("acme", file.id) == file
    assert world.files.content("acme", file.id) == (file, content)
    assert world.listed() == [file.id]
    assert world.listed(purpose="assistants") == [file.id]
    assert world.listed(purpose="batch") == []


@pytest.mark.parametrize(
    ("purpose", "lifetime", "expires_at"),
    [
        ("assistants", None, None),
        ("vision", None, None),
        ("batch", None, NOW + 30 * DAY),
        ("batch", 3600, NOW + 3600),
        ("assistants", 2_592_000, NOW + 2_592_000),
    ],
)
def test_a_file_expires_when_told_batch_files_after_thirty_days_and_all_others_never(
    world: World, purpose: str, lifetime: int | None, expires_at: int | None
) -> None:
    assert world.create(purpose=purpose, lifetime=lifetime).expires_at == expires_at


@pytest.mark.parametrize("purpose", ["", "Batch", "batch ", "user_data", "assistants,batch"])
def test_an_unknown_purpose_is_refused(world: World, purpose: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        world.create(purpose=purpose)

    assert error_of(refused.value) == {
        "message": "Invalid 'purpose': must be one of assistants, batch, vision.",
        "type": "invalid_request_error",
        "param": "purpose",
        "code": "invalid_value",
    }
    assert world.listed() == []


def test_an_empty_file_is_refused(world: World) -> None:
    with pytest.raises(EmptyFile):
        world.create(b"")
    assert world.listed() == []


def test_a_plain_upload_takes_files_up_to_its_limit_and_says_where_larger_ones_go(
    world: World,
) -> None:
    assert world.create(bytes(MAX_INLINE_BYTES)).bytes == MAX_INLINE_BYTES

    with pytest.raises(FileTooLarge) as refused:
        world.create(bytes(MAX_INLINE_BYTES + 1))

    error = error_of(refused.value)
    assert (refused.value.status, error["param"], error["code"]) == (413, "file", "file_too_large")
    for said in (str(MAX_INLINE_BYTES), "direct upload", "Uploads API"):
        assert said in str(error["message"])


def test_a_stack_takes_files_up_to_its_maximum(world: World) -> None:
    world.max_file_bytes = 1000
    assert world.create(bytes(1000)).bytes == 1000

    with pytest.raises(FileTooLarge) as refused:
        world.create(bytes(1001))

    assert (refused.value.status, error_of(refused.value)) == (
        413,
        {
            "message": "Files may have up to 1000 bytes here.",
            "type": "invalid_request_error",
            "param": "bytes",
            "code": "file_too_large",
        },
    )


class FullTable(MemoryRecords):
    """Records that take none in."""

    def add(self, project: str, file: File) -> None:
        raise ConnectionError(project, file)


class FullBucket(MemoryBlobs):
    """Blobs that take none in."""

    def put(self, project: str, file_id: str, content: bytes) -> None:
        raise ConnectionError(project, file_id, content)


@pytest.mark.parametrize("world", [World(records=FullTable()), World(blobs=FullBucket())])
def test_an_upload_that_breaks_off_anywhere_leaves_nothing_to_see(world: World) -> None:
    with pytest.raises(ConnectionError):
        world.create()

    assert world.listed() == []
    assert world.listed(purpose="assistants") == []


class Witness(MemoryRecords):
    """Records that look, when one is written, whether its bytes are there."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__()
        self._blobs = blobs

    def add(self, project: str, file: File) -> None:
        assert self._blobs.get(project, file.id) is not None
        super().add(project, file)


def test_no_reader_ever_sees_a_file_without_its_bytes() -> None:
    blobs = MemoryBlobs()
    world = World(records=Witness(blobs), blobs=blobs)

    assert world.listed() == [] != [world.create().id]


# --- Looking up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file_id",
    [
        a_file().id,
        "",
        "file-abc123",
        "../other",
        "P#batch#",
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_what_is_not_there_or_no_id_at_all_is_not_found_by_any_call(
    world: World, file_id: str
) -> None:
    world.create()

    assert_gone(world, "acme", file_id)


def test_an_id_in_upper_case_is_none_of_ours(world: World) -> None:
    assert_gone(world, "acme", world.create().id.upper())


def test_the_files_of_another_project_are_not_found_and_not_touched(world: World) -> None:
    file = world.create()

    assert_gone(world, "globex", file.id)

    assert world.listed("globex") == []
    assert world.files.content("acme", file.id) == (file, b"abc")
    assert world.listed() == [file.id]


def test_a_file_is_gone_for_every_call_from_the_second_that_it_expires(world: World) -> None:
    file = world.create(lifetime=3600)

    world.clock.now = NOW + 3599.999
    assert world.catalog.retrieve("acme", file.id) == file
    assert world.files.content("acme", file.id) == (file, b"abc")
    assert world.listed() == [file.id]
    world.clock.now = NOW + 3600
    assert_gone(world, "acme", file.id)
    assert world.listed() == []
    assert world.listed(purpose="assistants") == []


def test_content_that_was_deleted_meanwhile_is_not_found(world: World) -> None:
    file = world.create()
    world.blobs.delete("acme", file.id)

    with pytest.raises(FileNotFound):
        world.files.content("acme", file.id)


# --- Deleting -------------------------------------------------------------------------------------


def test_a_deleted_file_is_gone_for_every_call_and_its_bytes_with_it(world: World) -> None:
    kept, file = world.create(), world.create()

    world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.listed() == [kept.id]
    assert world.listed(purpose="assistants") == [kept.id]
    assert world.blobs.get("acme", file.id) is None
    assert world.files.content("acme", kept.id) == (kept, b"abc")


class Overtaken(MemoryRecords):
    """Records from which another call always removes a file first."""

    def remove(self, project: str, file: File) -> bool:
        super().remove(project, file)
        return super().remove(project, file)


def test_a_delete_that_another_overtakes_finds_nothing() -> None:
    world = World(records=Overtaken())
    file = world.create()

    with pytest.raises(FileNotFound):
        world.files.delete("acme", file.id)


def test_of_racing_deletes_exactly_one_wins(world: World) -> None:
    file = world.create()
    ready = threading.Barrier(8)
    outcomes: list[str] = []

    def race() -> None:
        ready.wait()
        try:
            world.files.delete("acme", file.id)
            outcomes.append("deleted")
        except FileNotFound:
            outcomes.append("not found")

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["deleted"] + ["not found"] * 7


class StuckBucket(MemoryBlobs):
    """Blobs that let none go."""

    def delete(self, project: str, file_id: str) -> None:
        raise ConnectionError(project, file_id)


def test_a_delete_that_breaks_off_leaves_no_record_without_bytes() -> None:
    world = World(blobs=StuckBucket())
    file = world.create()

    with pytest.raises(ConnectionError):
        world.files.delete("acme", file.id)

    assert_gone(world, "acme", file.id)
    assert world.listed() == []


# --- Listing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 10, 11, 12])
def test_pages_follow_each_other_without_loss_or_repetition(
    world: World, limit: int, newest_first: bool
) -> None:
    files = [world.create().id for _ in range(11)]  # all in one second
    files.sort(reverse=newest_first)

    pages = [world.listing.page("acme", limit=limit, newest_first=newest_first)]
    while pages[-1].has_more:
        after = ids(pages[-1])[-1]
        assert len(pages) < len(files)
        pages.append(
            world.listing.page("acme", limit=limit, newest_first=newest_first, after=after)
        )

    assert [ids(page) for page in pages] == [
        files[start : start + limit] for start in range(0, 11, limit)
    ]


def test_a_page_is_the_newest_first_unless_told_otherwise(world: World) -> None:
    world.clock.now = NOW
    first = world.create()
    world.clock.now = NOW + 1
    second = world.create()

    assert ids(world.listing.page("acme", limit=10)) == [second.id, first.id]


def test_a_page_answers_with_its_files_and_its_ends(world: World) -> None:
    files = [world.create(filename=f'"{n}".txt') for n in range(3)]
    files.sort(key=lambda file: file.id, reverse=True)

    assert json.loads(world.listing.page("acme", limit=2).json()) == {
        "object": "list",
        "data": [file.public() for file in files[:2]],
        "first_id": files[0].id,
        "last_id": files[1].id,
        "has_more": True,
    }


def test_an_empty_page_has_no_ends(world: World) -> None:
    assert json.loads(world.listing.page("acme", limit=2).json()) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_an_unknown_purpose_is_no_empty_list(world: World) -> None:
    for purpose in ("", "user_data"):
        with pytest.raises(InvalidValue) as refused:
            world.listing.page("acme", purpose=purpose, limit=10)
        assert refused.value.param == "purpose"


LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024  # AWS Lambda, "Lambda quotas": invocation payload


@pytest.mark.parametrize("character", ["🚀", '"', "é"])
def test_a_page_of_the_longest_names_ends_early_rather_than_not_at_all(
    world: World, character: str
) -> None:
    files = [a_file(filename=character * 255, expires_at=NOW + 60) for _ in range(10_000)]
    for file in files:
        world.records.add("acme", file)
    everything = sorted((file.id for file in files), reverse=True)

    pages = [world.listing.page("acme", limit=10_000)]
    while pages[-1].has_more:
        assert len(pages) < 10
        pages.append(world.listing.page("acme", limit=10_000, after=ids(pages[-1])[-1]))

    assert [file_id for page in pages for file_id in ids(page)] == everything
    sizes = [len(answer_event(page.json())) for page in pages]
    assert max(sizes) <= LAMBDA_ANSWER_BYTES
    assert all(size > 0.9 * LAMBDA_ANSWER_BYTES for size in sizes[:-1])


def test_a_page_of_ten_thousand_usual_names_is_whole(world: World) -> None:
    for number in range(10_000):
        world.records.add("acme", a_file(filename=f"conversation-{number:06}.jsonl"))

    page = world.listing.page("acme", limit=10_000)

    assert (len(page.docs), page.has_more) == (10_000, False)
    assert len(answer_event(page.json())) <= LAMBDA_ANSWER_BYTES


# --- What the tests above ask ---------------------------------------------------------------------


def answer_event(body: str) -> bytes:
    """The answer of a function as Lambda's Python runtime sends it: JSON, in readable Unicode."""
    api = Api(lambda: None)

    @api.get("/v1/files", scope="files:read")
    def answer(service: None, request: object) -> Response:
        return Response(body)

    context = {
        "authorizer": {"project": "acme", "scopes": "files:read"},
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    }
    event = {"requestContext": context, "pathParameters": None}
    return json.dumps(api.handler(event, None), ensure_ascii=False).encode()


def error_of(error: ApiError) -> dict[str, str | None]:
    return error.public()["error"]


def assert_gone(world: World, project: str, file_id: str) -> None:
    """No call finds the file; each says so in the same words."""
    for call in (world.catalog.retrieve, world.files.content, world.files.delete):
        with pytest.raises(FileNotFound) as refused:
            call(project, file_id)
        assert (refused.value.status, error_of(refused.value)) == (
            404,
            {
                "message": f"No such File object: {file_id}",
                "type": "invalid_request_error",
                "param": "id",
                "code": None,
            },
        )
