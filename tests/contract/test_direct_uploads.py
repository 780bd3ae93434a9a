"""Files of any size: straight to the store and back, and what events do when nobody calls."""

import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from files_api.blobs import S3Blobs
from files_api.files import MAX_INLINE_BYTES
from files_api.ids import new_file_id
from files_api.keys import Keys
from files_api.model import File, Pending, blob_key
from files_api.records import DynamoRecords
from tests.contract.conftest import Kept, eventually
from tools.local_stack import LocalStack

MEBIBYTE = 1024 * 1024
DAY = 86_400
MAX_FILE_BYTES = 512 * MEBIBYTE  # the template's default
CONTENT = b"twenty bytes of text"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PROMISE = {"filename": "a.bin", "purpose": "user_data", "bytes": len(CONTENT)}
OTHER_ID = "01926b5e-0000-7000-8000-000000000000"

type Promised = dict[str, Any]
type Sha = str


@pytest.fixture(scope="session")
def store() -> Iterator[httpx2.Client]:
    """What a presigned URL is used with: a client that knows no key of the API."""
    with httpx2.Client(timeout=60) as store:
        yield store


@pytest.fixture
def stranger(connect: Callable[[str], OpenAI], keys: Keys) -> OpenAI:
    return connect(keys.create("stranger")[1])


def promise(http: httpx2.Client, **fields: object) -> Promised:
    """A file, pending, with the URL that takes its bytes."""
    answer = http.post("/files", json=PROMISE | fields)
    assert answer.status_code == 200, answer.text
    promised: Promised = answer.json()
    return promised


def put(store: httpx2.Client, file: Promised, content: Any = CONTENT) -> int:
    """Sends the bytes as the promise says, and returns the status."""
    link = file["upload"]
    return store.request(
        link["method"], link["url"], content=content, headers=link["headers"]
    ).status_code


def uploaded(http: httpx2.Client, store: httpx2.Client, **fields: object) -> str:
    """The id of a file that came by direct upload, and that nobody has asked for yet."""
    file = promise(http, **fields)
    assert put(store, file) == 200
    return str(file["id"])


def public(file: Promised) -> Promised:
    """The File object in the answer to a promise, as it is once its bytes are there."""
    return {name: file[name] for name in file if name != "upload"} | {"status": "processed"}


def error(answer: httpx2.Response) -> tuple[int, Any, Any, Any]:
    found = answer.json()["error"]
    return answer.status_code, found["type"], found["param"], found["code"]


def invalid(param: str) -> tuple[int, str, str, str]:
    return 400, "invalid_request_error", param, "invalid_value"


@cache
def aws(stack: LocalStack, service: str) -> Any:
    """A client of the stack's AWS; they are slow to make."""
    return stack.client(service)


@cache
def resource(stack: LocalStack, name: str) -> str:
    """What the resource of that name in the template is called in the stack."""
    described = aws(stack, "cloudformation").describe_stack_resource(
        StackName="files-api", LogicalResourceId=name
    )
    return str(described["StackResourceDetail"]["PhysicalResourceId"])


def object_created(stack: LocalStack, key: str) -> dict[str, Any]:
    """The event that EventBridge gives of a new object."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": stack.outputs["FilesBucket"]}, "object": {"key": key}},
    }


def invoke(stack: LocalStack, function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = aws(stack, "lambda").invoke(
        FunctionName=resource(stack, function), Payload=json.dumps(event)
    )
    returned: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, returned
    return returned


# --- in and out ---------------------------------------------------------------------------------


def test_a_promise_answers_the_file_and_where_its_bytes_go(http: httpx2.Client) -> None:
    before = int(time.time())

    file = promise(http, sha256=SHA256)

    link = file.pop("upload")
    assert before <= file["created_at"] <= time.time()
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": len(CONTENT),
        "created_at": file["created_at"],
        "filename": "a.bin",
        "purpose": "user_data",
        "status": "pending",
    }
    assert list(link) == ["method", "url", "headers", "expires_at"]
    assert link["method"] == "PUT"
    assert link["url"].startswith("http")
    assert all(isinstance(value, str) for value in link["headers"].values())
    assert before + 900 <= link["expires_at"] <= time.time() + 900


def random_file(path: Path, size: int) -> Sha:
    """Writes a file of which no two blocks are alike; returns its SHA-256."""
    digest = hashlib.sha256()
    block = random.Random(size).randbytes(MEBIBYTE)
    with path.open("wb") as target:
        for number in range(-(-size // MEBIBYTE)):
            content = (number.to_bytes(8) + block)[: min(MEBIBYTE, size - number * MEBIBYTE)]
            digest.update(content)
            target.write(content)
    return digest.hexdigest()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "size", [100_000, 6 * MEBIBYTE, 40 * MEBIBYTE, 300 * MEBIBYTE], ids="{:,}".format
)
async def test_a_file_of_any_size_comes_back_whole(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    async_client: AsyncOpenAI,
    tmp_path: Path,
    size: int,
) -> None:
    path = tmp_path / "big.bin"
    sha256 = random_file(path, size)
    file = promise(http, filename="big.bin", bytes=size, sha256=sha256)

    with path.open("rb") as source:
        assert put(store, file, source) == 200

    assert client.files.wait_for_processing(file["id"]).to_dict() == public(file)
    assert [each.to_dict() for each in client.files.list()] == [public(file)]
    digest, async_digest = hashlib.sha256(), hashlib.sha256()
    with client.files.with_streaming_response.content(file["id"]) as answer:
        for chunk in answer.iter_bytes(MEBIBYTE):
            digest.update(chunk)
    async with async_client.files.with_streaming_response.content(file["id"]) as async_answer:
        async for chunk in async_answer.iter_bytes(MEBIBYTE):
            async_digest.update(chunk)
    assert digest.hexdigest() == async_digest.hexdigest() == sha256


@pytest.mark.anyio
async def test_the_sdk_reads_a_large_file_at_once_too(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, async_client: AsyncOpenAI
) -> None:
    content = random.Random(3).randbytes(6 * MEBIBYTE)
    file = promise(http, bytes=len(content))
    assert put(store, file, content) == 200

    assert client.files.content(file["id"]).read() == content
    assert (await async_client.files.content(file["id"])).content == content


@pytest.mark.parametrize("more", [0, 1])
def test_just_what_no_answer_can_hold_is_redirected(
    http: httpx2.Client, store: httpx2.Client, more: int
) -> None:
    content = bytes(MAX_INLINE_BYTES + more)
    file = promise(http, bytes=len(content))
    assert put(store, file, content) == 200
    before = int(time.time())

    answer = http.get(f"/files/{file['id']}/content")

    if not more:
        assert (answer.status_code, answer.content) == (200, content)
    else:
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert store.get(answer.headers["location"]).content == content
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert before <= signed.timestamp() <= time.time()
        assert query["X-Amz-Expires"] == ["900"]


@pytest.mark.parametrize("call", ["{}", "{}/content", "{}/url"])
def test_a_file_is_there_as_soon_as_the_put_has_answered(
    http: httpx2.Client, store: httpx2.Client, call: str
) -> None:
    for _ in range(3):  # the storage event may win or lose
        file_id = uploaded(http, store)

        assert http.get("/files/" + call.format(file_id)).status_code == 200
        assert [each["id"] for each in http.get("/files").json()["data"]] == [file_id]
        listed = http.get("/files", params={"purpose": "user_data"}).json()["data"]
        assert [each["id"] for each in listed] == [file_id]
        assert http.get(f"/files/{file_id}").json()["status"] == "processed"

        assert http.delete(f"/files/{file_id}").status_code == 200


def test_the_storage_event_finishes_an_upload_that_nobody_asks_for(
    http: httpx2.Client, store: httpx2.Client, kept: Kept
) -> None:
    file = promise(http)
    assert put(store, file) == 200

    eventually(lambda: http.get("/files").json()["data"])

    assert http.get("/files").json()["data"] == [public(file)]
    assert sorted(kept.items()) == [f"F#{file['id']}", f"P#user_data#{file['id']}"]


def test_a_storage_event_that_comes_again_changes_nothing(
    http: httpx2.Client, store: httpx2.Client, stack: LocalStack, kept: Kept
) -> None:
    file_id = uploaded(http, store)
    before = http.get(f"/files/{file_id}").json()
    items, objects = kept.items(), kept.objects()

    for _ in range(2):
        assert invoke(stack, "FinalizeUpload", object_created(stack, objects[0])) == {}

    assert http.get(f"/files/{file_id}").json() == before
    assert (kept.items(), kept.objects()) == (items, objects)
    assert http.get(f"/files/{file_id}/content").content == CONTENT


def test_expiry_counts_from_the_promise(http: httpx2.Client) -> None:
    told = promise(http, expires_after={"anchor": "created_at", "seconds": 3600})
    batch = promise(http, purpose="batch")
    untold = promise(http, expires_after=None, sha256=None)

    assert told["expires_at"] == told["created_at"] + 3600
    assert batch["expires_at"] == batch["created_at"] + 30 * DAY
    assert "expires_at" not in untold


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_however_its_type_is_written(http: httpx2.Client, media_type: str) -> None:
    answer = http.post("/files", content=json.dumps(PROMISE), headers={"Content-Type": media_type})

    assert answer.json()["status"] == "pending"


# --- the presigned PUT --------------------------------------------------------------------------


def test_a_put_takes_the_promised_bytes_once(http: httpx2.Client, store: httpx2.Client) -> None:
    other = CONTENT[::-1]
    file = promise(http)

    assert put(store, file) == 200
    assert put(store, file) == 412
    assert put(store, file, other) == 412
    assert http.get(f"/files/{file['id']}/content").content == CONTENT
    assert put(store, file, other) == 412
    assert http.get(f"/files/{file['id']}/content").content == CONTENT


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    assert name in headers
    return {key: value for key, value in headers.items() if key != name}


def swapped(url: str, old: str, new: str) -> str:
    """The URL with something else in one place of it."""
    assert url.count(old) == 1, url
    return url.replace(old, new)


def forged(url: str) -> str:
    """The URL with one digit of its signature changed."""
    return url[:-1] + ("0" if url[-1] != "0" else "1")


type Request = dict[str, Any]  # method, url, headers, content
BAD_PUTS: dict[str, tuple[int, Callable[[Request, str], Request]]] = {
    "forged": (403, lambda r, _: {"url": forged(r["url"])}),
    "key": (403, lambda r, file_id: {"url": swapped(r["url"], file_id, OTHER_ID)}),
    "project": (403, lambda r, _: {"url": swapped(r["url"], "/direct/", "/direct/x")}),
    "prefix": (403, lambda r, _: {"url": swapped(r["url"], "/direct/", "/files/")}),
    "expiry": (403, lambda r, _: {"url": swapped(r["url"], "Expires=900", "Expires=3600")}),
    "unsigned": (403, lambda r, _: {"url": r["url"].partition("?")[0]}),
    "POST": (403, lambda _r, _: {"method": "POST"}),
    "GET": (403, lambda _r, _: {"method": "GET"}),
    "HEAD": (403, lambda _r, _: {"method": "HEAD"}),
    "DELETE": (403, lambda _r, _: {"method": "DELETE"}),
    "shorter": (403, lambda _r, _: {"content": CONTENT[:-1]}),
    "longer": (403, lambda _r, _: {"content": CONTENT + b"!"}),
    "empty": (403, lambda _r, _: {"content": b""}),
    "chunked": (403, lambda _r, _: {"content": iter([CONTENT])}),
    "type": (403, lambda r, _: {"headers": r["headers"] | {"Content-Type": "text/html"}}),
    "no type": (403, lambda r, _: {"headers": without(r["headers"], "Content-Type")}),
    "overwrite": (403, lambda r, _: {"headers": without(r["headers"], "If-None-Match")}),
    "no sha": (403, lambda r, _: {"headers": without(r["headers"], "x-amz-checksum-sha256")}),
    "other sha": (
        403,
        lambda r, _: {"headers": r["headers"] | {"x-amz-checksum-sha256": "A" * 43 + "="}},
    ),
    "other bytes": (400, lambda _r, _: {"content": CONTENT[::-1]}),
}


@pytest.mark.parametrize(("status", "change"), BAD_PUTS.values(), ids=BAD_PUTS)
def test_a_put_of_anything_else_is_refused(
    http: httpx2.Client,
    store: httpx2.Client,
    kept: Kept,
    status: int,
    change: Callable[[Request, str], Request],
) -> None:
    file = promise(http, sha256=SHA256.upper())
    link = file["upload"]
    honest = {
        "method": link["method"],
        "url": link["url"],
        "headers": link["headers"],
        "content": CONTENT,
    }

    answer = store.request(**honest | change(honest, file["id"]))

    assert answer.status_code == status
    assert kept.objects() == []
    assert http.get(f"/files/{file['id']}").json()["status"] == "pending"
    assert store.request(**honest).status_code == 200
    assert http.get(f"/files/{file['id']}/content").content == CONTENT


@pytest.fixture
def signed_before(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes this process sign as if it were that many seconds ago."""

    def turn_back(seconds: int) -> None:
        then = datetime.now(UTC) - timedelta(seconds=seconds)

        def now(*, remove_tzinfo: bool = True) -> datetime:
            return then.replace(tzinfo=None) if remove_tzinfo else then

        for signer in ("botocore.auth", "botocore.crt.auth"):
            monkeypatch.setattr(f"{signer}.get_current_datetime", now)

    return turn_back


@pytest.mark.parametrize(("age", "status"), [(895, 200), (901, 403)])
def test_a_put_works_until_its_link_expires(
    store: httpx2.Client,
    blobs: S3Blobs,
    kept: Kept,
    signed_before: Callable[[int], None],
    age: int,
    status: int,
) -> None:
    signed_before(age)
    key = blob_key(kept.project, new_file_id(), direct=True)
    link = blobs.put_link(key, len(CONTENT), SHA256, 900)

    answer = store.put(link.url, content=CONTENT, headers=link.headers)

    assert answer.status_code == status


# --- the presigned GET --------------------------------------------------------------------------


@pytest.fixture
def link(http: httpx2.Client, store: httpx2.Client) -> str:
    """A presigned GET."""
    file_id = uploaded(http, store, filename="résumé 日本 100%.txt")
    return str(http.get(f"/files/{file_id}/url").json()["url"])


def test_a_link_gives_a_download_that_no_browser_renders(store: httpx2.Client, link: str) -> None:
    answer = store.get(link)

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/octet-stream"
    header = answer.headers["content-disposition"]
    assert header == (
        "attachment; filename=\"r_sum_ __ 100%.txt\"; filename*=UTF-8''"
        "r%C3%A9sum%C3%A9%20%E6%97%A5%E6%9C%AC%20100%25.txt"
    )
    assert unquote(header.partition("UTF-8''")[2], errors="strict") == "résumé 日本 100%.txt"


NAMES = ["plain.txt", "résumé.pdf", "日本語.txt", "👩‍🚀 notes.md", 'say "hi".txt', "a;b=c&d?#+.txt"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_redirect_keeps_the_name(http: httpx2.Client, store: httpx2.Client, name: str) -> None:
    content = bytes(MAX_INLINE_BYTES + 1)
    file = promise(http, filename="../" + name, bytes=len(content))
    assert put(store, file, content) == 200

    answer = store.head(http.get(f"/files/{file['id']}/content").headers["location"])
    whole = store.get(http.get(f"/files/{file['id']}/content").headers["location"])

    assert file["filename"] == name
    assert answer.status_code == 403  # it is a GET's
    assert whole.headers["content-type"] == "application/octet-stream"
    header = whole.headers["content-disposition"]
    assert header.startswith("attachment; filename=")
    assert unquote(header.partition("; filename*=UTF-8''")[2], errors="strict") == name


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-4", 0, 4), ("bytes=7-", 7, 19), ("bytes=-3", 17, 19), ("bytes=5-99", 5, 19)],
)
def test_a_link_gives_a_range(
    store: httpx2.Client, link: str, asked: str, first: int, last: int
) -> None:
    answer = store.get(link, headers={"Range": asked})

    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_link_answers_conditions(store: httpx2.Client, link: str) -> None:
    tag = store.get(link).headers["etag"]

    unchanged = store.get(link, headers={"If-None-Match": tag})
    changed = store.get(link, headers={"If-None-Match": '"other"'})
    refused = store.get(link, headers={"If-Match": '"other"'})
    beyond = store.get(link, headers={"Range": "bytes=20-"})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (changed.status_code, changed.content) == (200, CONTENT)
    assert refused.status_code == 412
    assert beyond.status_code == 416


BAD_GETS: dict[str, tuple[str, Callable[[str], str]]] = {
    "forged": ("GET", forged),
    "key": ("GET", lambda url: re.sub(r"[0-9a-f-]{36}\?", f"{OTHER_ID}?", url)),
    "expiry": ("GET", lambda url: swapped(url, "Expires=900", "Expires=3600")),
    "type": ("GET", lambda url: swapped(url, "application%2Foctet-stream", "text%2Fhtml")),
    "inline": ("GET", lambda url: swapped(url, "=attachment", "=inline")),
    "unsigned": ("GET", lambda url: url.partition("?")[0]),
    "PUT": ("PUT", str),
    "POST": ("POST", str),
    "HEAD": ("HEAD", str),
    "DELETE": ("DELETE", str),
}


def test_a_link_is_good_for_nothing_else(store: httpx2.Client, link: str, kept: Kept) -> None:
    objects = kept.objects()

    for case, (method, change) in BAD_GETS.items():
        url = change(link)
        assert (url, method) != (link, "GET"), case
        assert store.request(method, url).status_code == 403, case

    assert store.get(link).content == CONTENT
    assert kept.objects() == objects


@pytest.mark.parametrize(("age", "status"), [(55, 200), (61, 403)])
def test_a_link_works_until_it_expires(
    store: httpx2.Client,
    blobs: S3Blobs,
    kept: Kept,
    signed_before: Callable[[int], None],
    age: int,
    status: int,
) -> None:
    key = blob_key(kept.project, OTHER_ID, direct=False)
    blobs.put(key, CONTENT)
    signed_before(age)

    assert store.get(blobs.get_link(key, "a.txt", 60).url).status_code == status


def test_a_link_to_a_deleted_file_gives_nothing(
    http: httpx2.Client, store: httpx2.Client, link: str
) -> None:
    file_id = http.get("/files").json()["data"][0]["id"]
    assert http.delete(f"/files/{file_id}").status_code == 200

    assert store.get(link).status_code == 404


# --- GET /v1/files/{file_id}/url ----------------------------------------------------------------


@pytest.mark.parametrize(("query", "lifetime"), [("", 900), ("60", 60), ("3600", 3600)])
def test_a_link_is_good_for_as_long_as_asked(
    http: httpx2.Client, store: httpx2.Client, query: str, lifetime: int
) -> None:
    file_id = uploaded(http, store)
    before = int(time.time())

    answer = http.get(f"/files/{file_id}/url", params={"expires_in": query} if query else {})

    found = answer.json()
    assert list(found) == ["url", "expires_at"]
    assert before + lifetime <= found["expires_at"] <= time.time() + lifetime
    assert parse_qs(urlsplit(found["url"]).query)["X-Amz-Expires"] == [str(lifetime)]
    assert store.get(found["url"]).content == CONTENT


def test_a_link_to_a_plain_upload_works_too(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI
) -> None:
    file = client.files.create(file=("a.txt", CONTENT), purpose="vision")

    assert store.get(http.get(f"/files/{file.id}/url").json()["url"]).content == CONTENT


@pytest.mark.parametrize("expires_in", ["59", "3601", "0", "-60", "an hour", "", "60.5"])
def test_a_bad_lifetime_of_a_link_is_named(
    http: httpx2.Client, store: httpx2.Client, expires_in: str
) -> None:
    file_id = uploaded(http, store)

    answer = http.get(f"/files/{file_id}/url", params={"expires_in": expires_in})

    assert error(answer) == invalid("expires_in")


def test_no_link_outlives_its_file(
    http: httpx2.Client, store: httpx2.Client, records: DynamoRecords, blobs: S3Blobs, project: str
) -> None:
    content = bytes(MAX_INLINE_BYTES + 1)
    now = int(time.time())
    file = File(new_file_id(), len(content), now, "a", "evals", expires_at=now + 100)
    blobs.put(file.key(project), content)
    records.add(project, file)

    told = http.get(f"/files/{file.id}/url", params={"expires_in": "3600"}).json()
    redirected = http.get(f"/files/{file.id}/content").headers["location"]

    assert told["expires_at"] == file.expires_at
    for url in (told["url"], redirected):
        assert 90 <= int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0]) <= 100
        assert store.get(url).content == content


def test_an_expired_file_has_no_link(
    http: httpx2.Client, records: DynamoRecords, blobs: S3Blobs, project: str
) -> None:
    file = File(new_file_id(), len(CONTENT), 1, "a", "evals", expires_at=int(time.time()))
    blobs.put(file.key(project), CONTENT)
    records.add(project, file)

    for path in ("", "/content", "/url"):
        answer = http.get(f"/files/{file.id}{path}")
        assert error(answer) == (404, "invalid_request_error", "id", None)


@pytest.mark.parametrize("file_id", [OTHER_ID, "file-abc123", "%00"])
def test_a_link_to_no_file_is_404(http: httpx2.Client, file_id: str) -> None:
    answer = http.get(f"/files/{file_id}/url")

    assert error(answer) == (404, "invalid_request_error", "id", None)


def test_a_direct_upload_is_its_projects_own(
    http: httpx2.Client, store: httpx2.Client, stranger: OpenAI
) -> None:
    pending, processed = promise(http)["id"], uploaded(http, store)

    assert [*stranger.files.list()] == []
    for file_id in (pending, processed):
        calls: list[Callable[[str], object]] = [
            stranger.files.retrieve,
            stranger.files.content,
            lambda file_id: stranger.get(f"/files/{file_id}/url", cast_to=object),
            stranger.files.delete,
        ]
        for call in calls:
            with pytest.raises(openai.NotFoundError, match=file_id):
                call(file_id)
    assert http.get(f"/files/{pending}").json()["status"] == "pending"
    assert http.get(f"/files/{processed}/content").content == CONTENT


def test_direct_uploads_and_links_need_their_scopes(
    connect: Callable[[str], OpenAI],
    keys: Keys,
    project: str,
    http: httpx2.Client,
    store: httpx2.Client,
) -> None:
    file_id = uploaded(http, store)
    reader = connect(keys.create(project, scopes=("files:read",))[1])
    writer = connect(keys.create(project, scopes=("files:write",))[1])

    assert reader.get(f"/files/{file_id}/url", cast_to=object)
    assert writer.post("/files", body=PROMISE, cast_to=object)
    forbidden: list[Callable[[], object]] = [
        lambda: reader.post("/files", body=PROMISE, cast_to=object),
        lambda: writer.get(f"/files/{file_id}/url", cast_to=object),
    ]
    for call in forbidden:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            call()
        assert (caught.value.type, caught.value.param) == ("invalid_request_error", None)
        assert caught.value.code == "insufficient_permissions"


# --- before the bytes come ----------------------------------------------------------------------


def test_a_pending_file_is_seen_by_its_id_alone(http: httpx2.Client, client: OpenAI) -> None:
    file = promise(http)

    assert client.files.retrieve(file["id"]).to_dict() == public(file) | {"status": "pending"}
    assert [*client.files.list()] == []
    assert [*client.files.list(purpose="user_data")] == []
    for path in ("content", "url"):
        answer = http.get(f"/files/{file['id']}/{path}")
        assert error(answer) == (400, "invalid_request_error", "id", "file_not_ready")
        assert file["id"] in answer.json()["error"]["message"]


def test_late_bytes_of_a_deleted_promise_are_removed(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, kept: Kept
) -> None:
    file = promise(http)
    assert client.files.delete(file["id"]).deleted
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file["id"]):
            call(file["id"])

    assert put(store, file) == 200

    eventually(kept.nothing)
    assert http.get(f"/files/{file['id']}").status_code == 404
    assert [*client.files.list()] == []


def test_bytes_put_again_after_a_deletion_are_removed(
    http: httpx2.Client, store: httpx2.Client, kept: Kept
) -> None:
    file = promise(http)
    assert put(store, file) == 200
    assert http.delete(f"/files/{file['id']}").status_code == 200

    assert put(store, file) == 200

    assert http.get(f"/files/{file['id']}").status_code == 404
    eventually(kept.nothing)


def test_a_promise_that_is_off_is_gone_and_so_are_its_bytes(
    http: httpx2.Client,
    store: httpx2.Client,
    records: DynamoRecords,
    blobs: S3Blobs,
    kept: Kept,
) -> None:
    now = int(time.time())
    file = File(new_file_id(), len(CONTENT), now, "a", "evals", status="pending", direct=True)
    records.promise(kept.project, Pending(file, expires_at=now))
    for method, path in (("GET", ""), ("GET", "/content"), ("GET", "/url"), ("DELETE", "")):
        answer = http.request(method, f"/files/{file.id}{path}")
        assert error(answer) == (404, "invalid_request_error", "id", None)

    link = blobs.put_link(file.key(kept.project), file.bytes, None, 900)
    assert store.put(link.url, content=CONTENT, headers=link.headers).status_code == 200

    eventually(lambda: not kept.objects())
    assert kept.items() == [f"U#{file.id}"]
    kept.remove(f"U#{file.id}")  # as the table's TTL does some time later
    assert kept.nothing()


# --- deletion and expiry ------------------------------------------------------------------------


def test_a_deleted_direct_upload_leaves_nothing(
    http: httpx2.Client, store: httpx2.Client, client: OpenAI, kept: Kept
) -> None:
    file_id = uploaded(http, store)
    assert kept.objects() == [f"direct/{kept.project}/{file_id}"]

    assert client.files.delete(file_id).deleted  # which nobody had asked for before

    assert kept.objects() == []
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file_id):
            call(file_id)
    assert error(http.get(f"/files/{file_id}/url"))[0] == 404
    assert [*client.files.list()] == []
    eventually(kept.nothing)


@pytest.mark.parametrize("item", ["F#{}", "P#user_data#{}"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "plain"])
def test_an_item_that_expires_takes_all_with_it(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    kept: Kept,
    item: str,
    direct: bool,
) -> None:
    if direct:
        file_id = uploaded(http, store)
        assert http.get(f"/files/{file_id}").status_code == 200
    else:
        file_id = client.files.create(file=CONTENT, purpose="user_data").id
    assert (len(kept.items()), len(kept.objects())) == (2, 1)

    kept.remove(item.format(file_id))

    eventually(kept.nothing)


def test_a_promise_that_expires_takes_its_bytes_with_it(
    records: DynamoRecords, blobs: S3Blobs, kept: Kept
) -> None:
    now = int(time.time())
    file = File(new_file_id(), 1000, now, "a", "evals", status="pending", direct=True)
    records.promise(kept.project, Pending(file, expires_at=now + 100))
    blobs.put(file.key(kept.project), CONTENT)  # not what was promised: nothing becomes of it

    kept.remove(f"U#{file.id}")

    eventually(kept.nothing)


# --- orphans ------------------------------------------------------------------------------------


def queued(stack: LocalStack, keys: list[str]) -> dict[str, Any]:
    """A queue's batch of the events of new objects."""
    return {
        "Records": [
            {
                "messageId": key,
                "eventSource": "aws:sqs",
                "body": json.dumps(object_created(stack, key)),
            }
            for key in keys
        ]
    }


def test_an_object_without_an_owner_is_removed_and_no_other(
    http: httpx2.Client,
    store: httpx2.Client,
    client: OpenAI,
    records: DynamoRecords,
    stack: LocalStack,
    kept: Kept,
    blobs: S3Blobs,
) -> None:
    plain = client.files.create(file=CONTENT, purpose="user_data").id
    direct = uploaded(http, store)
    assert http.get(f"/files/{direct}").status_code == 200
    now = int(time.time())
    pending = File(new_file_id(), 1000, now, "a", "evals", status="pending", direct=True)
    records.promise(kept.project, Pending(pending, expires_at=now + 1000))
    blobs.put(pending.key(kept.project), CONTENT)
    owned = sorted(kept.objects())
    assert len(owned) == 3
    # Not owned: a key without a record, and a key beside the one that the record names.
    orphans = [
        blob_key(kept.project, file_id, direct=False) for file_id in (new_file_id(), pending.id)
    ]
    for orphan in orphans:
        blobs.put(orphan, CONTENT)

    answer = invoke(stack, "RemoveOrphan", queued(stack, [*owned, *orphans, *orphans]))

    assert answer == {"batchItemFailures": []}
    assert sorted(kept.objects()) == owned
    assert client.files.content(plain).read() == CONTENT
    assert client.files.content(direct).read() == CONTENT


def test_a_record_that_cannot_be_read_comes_again_alone(
    stack: LocalStack, kept: Kept, blobs: S3Blobs
) -> None:
    orphan = blob_key(kept.project, new_file_id(), direct=False)
    blobs.put(orphan, CONTENT)

    answer = invoke(stack, "RemoveOrphan", queued(stack, ["no-key-of-ours", orphan]))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "no-key-of-ours"}]}
    assert kept.nothing()


def test_every_new_object_is_looked_at_some_minutes_later(
    client: OpenAI, stack: LocalStack, kept: Kept, records: DynamoRecords, blobs: S3Blobs
) -> None:
    queues, queue = aws(stack, "sqs"), resource(stack, "CreatedBlobs")

    def delayed() -> int:
        name = "ApproximateNumberOfMessagesDelayed"
        answer = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def set_delay(seconds: int) -> None:
        queues.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": str(seconds)})

    before = delayed()
    waiting = [blob_key(kept.project, new_file_id(), direct=n % 2 == 0) for n in range(6)]
    for key in waiting:
        blobs.put(key, CONTENT)
    eventually(lambda: delayed() >= before + len(waiting))

    set_delay(0)  # for what comes from now on
    try:
        # The record first: a call writes it last, and without the minutes that would be too late.
        owned = File(new_file_id(), len(CONTENT), int(time.time()), "a", "evals")
        records.add(kept.project, owned)
        blobs.put(owned.key(kept.project), CONTENT)
        orphan = blob_key(kept.project, new_file_id(), direct=False)
        blobs.put(orphan, CONTENT)
        eventually(lambda: orphan not in kept.objects())
    finally:
        set_delay(900)

    assert client.files.content(owned.id).read() == CONTENT


# --- errors of a promise ------------------------------------------------------------------------


@pytest.mark.parametrize("field", PROMISE)
def test_a_missing_field_of_a_promise_is_named(http: httpx2.Client, field: str) -> None:
    fields = {name: PROMISE[name] for name in PROMISE if name != field}

    answer = http.post("/files", json=fields)

    assert error(answer) == (400, "invalid_request_error", field, None)


BAD_FIELDS: dict[str, list[object]] = {
    "bytes": [0, -1, "20", 20.0, 20.5, True, None, [20], {}],
    "sha256": ["", "abc", "g" * 64, SHA256 + "0", f"{SHA256}\n", 7, [SHA256]],
    "purpose": ["mischief", "", None, 7, ["batch"]],
    "filename": [None, 7, ["a"]],
    "expires_after": [
        {"anchor": "created_at", "seconds": 3599},
        {"anchor": "created_at", "seconds": 2_592_001},
        {"anchor": "last_used_at", "seconds": 3600},
        {"anchor": "created_at"},
        {},
        "tomorrow",
        [],
    ],
}


@pytest.mark.parametrize("field", BAD_FIELDS)
def test_a_bad_field_of_a_promise_is_named(http: httpx2.Client, kept: Kept, field: str) -> None:
    for bad in BAD_FIELDS[field]:
        assert error(http.post("/files", json=PROMISE | {field: bad})) == invalid(field), bad

    assert kept.nothing()


@pytest.mark.parametrize(("name", "left"), [("\ud800.txt", "txt"), ("a\udfff", "a")], ids=ascii)
def test_halves_of_characters_are_dropped_from_a_name(
    http: httpx2.Client, name: str, left: str
) -> None:
    answer = http.post(
        "/files",
        content=json.dumps(PROMISE | {"filename": name}),
        headers={"Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["filename"]) == (200, left)


@pytest.mark.parametrize("size", [MAX_FILE_BYTES + 1, 6 * 1024**4, 10**30])
def test_a_promise_larger_than_the_stack_takes_is_refused(http: httpx2.Client, size: int) -> None:
    answer = http.post("/files", json=PROMISE | {"bytes": size})

    assert error(answer) == (413, "invalid_request_error", "bytes", "file_too_large")
    assert str(MAX_FILE_BYTES) in answer.json()["error"]["message"]


def test_a_promise_as_large_as_the_stack_takes_is_taken(http: httpx2.Client) -> None:
    assert promise(http, bytes=MAX_FILE_BYTES)["bytes"] == MAX_FILE_BYTES


BAD_BODIES = [
    b"",
    b"{",
    b"{'bytes': 20}",
    b"null",
    b"[]",
    b'"text"',
    b"20",
    b"\xff\xfe{}",
    b"[" * 100_000,
    b'{"bytes": ' + b"9" * 5_000 + b"}",
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_body_that_is_no_json_object_is_refused(http: httpx2.Client, body: bytes) -> None:
    answer = http.post("/files", content=body, headers={"Content-Type": "application/json"})

    assert error(answer) == (400, "invalid_request_error", None, None)
