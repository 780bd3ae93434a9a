"""Whatever a caller sends: the real handlers, on the service in memory, never answer 5xx.

`make fuzz` sends 100,000 events, `make test` fewer.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_api import composition
from files_api.api.function import Function
from files_api.api.http import Api
from files_api.service.keys import Keys
from tests.fakes.keys import MemoryKeyStore
from tests.fakes.world import World
from tests.support import functions

BOUNDARY = "fuzz"
# What a function's answer may have (AWS Lambda, "Lambda quotas"), and an error should have.
MAX_ANSWER, MAX_ERROR = 6 * 1024 * 1024, 1_000
SECRET = "sk-fuzz-0123456789"


@pytest.fixture(scope="module")
def handlers() -> Iterator[dict[str, Function[Any]]]:
    """Every function that a caller reaches, on the service in memory."""
    world = World()
    keys = Keys(MemoryKeyStore(), world.clock)
    keys.create("acme", secret=SECRET)
    services = {
        "listing": lambda: world.listing,
        "retrieval": lambda: world.files,
        "files": lambda: world.files,
        "downloads": lambda: world.downloads,
        "part_listing": lambda: world.part_listing,
        "intake": lambda: world.intake,
        "usage": lambda: (world.storage, world.max_file_bytes),
        "uploads": lambda: world.uploads,
        "cancellation": lambda: world.cancellation,
        "parts": lambda: world.parts,
        "completion": lambda: world.completion,
        "keys": lambda: keys,
    }
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("ALLOWED_ORIGIN", "")
        for name, service in services.items():
            monkeypatch.setattr(composition, name, service)
        loaded = {name: functions.load_app(name).lambda_handler for name in functions.FOLDERS}
        yield {
            name: handler
            for name, handler in loaded.items()
            if isinstance(handler, Api) or name == "authorize"
        }


# --- What callers send ----------------------------------------------------------------------------

# Half of the time what a parser looks for, half of the time anything.
odd = st.one_of(
    st.text(st.characters(), max_size=40),  # lone surrogates, too
    st.sampled_from(
        [
            *(
                "",
                '"',
                "\\",
                '"' * 300,
                "\ud800",
                "%",
                "%00",
                "\x00",
                "0",
                "-1",
                "1_0",
                "1.0",
                " 1",
            ),
            *("1e9", "null", "created_at", "assistants", "3600", "9" * 30, "é" * 300, "../.."),
            *("\u202e", "019e8240-0000-7000-8000-000000000001"),
        ]
    ),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(odd, inner, max_size=4)),
    max_leaves=8,
)
FIELDS = ["filename", "purpose", "bytes", "sha256", "mime_type", "expires_after", "part_ids", "md5"]
plausible = {
    "filename": st.just("a.txt"),
    "purpose": st.sampled_from(["assistants", "batch"]),
    "bytes": st.integers(0, 2**33),
    "sha256": st.just("0" * 64),
    "mime_type": st.just("text/plain"),
    "expires_after": st.just({"anchor": "created_at", "seconds": 3_600}),
    "part_ids": st.lists(st.just("019e8240-0000-7000-8000-000000000001"), max_size=2),
    "md5": st.just("0" * 32),
}
objects = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {}, optional={name: st.one_of(plausible[name], json_values) for name in FIELDS}
    ),
)
json_bodies = st.one_of(
    objects.map(lambda value: json.dumps(value).encode()),
    objects.map(lambda value: json.dumps(value).encode("utf-16")),
    st.sampled_from([b"{", b"[" * 5_000, b'{"a":' * 2_000, b'{"bytes":NaN}', b'{"a":1,"a":2}']),
)
pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(b"\r\n", b"\n", b"--", f"--{BOUNDARY}".encode(), f"\r\n--{BOUNDARY}--".encode()),
            *(b"Content-Disposition: form-data", b'; name="file"', b'; filename="a.txt"'),
            *(b"; name=purpose", b"; filename*=utf8''a", b"; filename*=UTF-8''%ff", b"\r\n\r\n"),
            *(b'; name="expires_after[seconds]"', b'; z="' + b'\\"' * 500, b"Content-Transfer-"),
            *(b"Encoding: base64", b": ", b"assistants", b"3600", b'; name="data"', b" " * 30),
        ]
    ),
)


QUOTAS = st.sampled_from(["-1", "0", "5", "1000"])


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """A form of plausible fields, perhaps damaged somewhere."""
    names = st.sampled_from(
        ["file", "data", "purpose", "expires_after[anchor]", "expires_after.seconds", "other"]
    )
    body = b""
    for _ in range(draw(st.integers(0, 4))):
        disposition = f'form-data; name="{draw(names)}"'
        if draw(st.booleans()):
            disposition += f'; filename="{draw(st.sampled_from(["a.txt", "", "../é"]))}"'
        content = draw(st.one_of(st.binary(max_size=30), st.sampled_from([b"assistants", b"3600"])))
        header = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
        body += header + content + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    if draw(st.booleans()):
        return body
    at = draw(st.integers(0, len(body)))
    return body[:at] + draw(pieces) + body[at + draw(st.integers(0, 5)) :]


form_bodies = st.one_of(forms(), st.lists(pieces, max_size=12).map(b"".join))
bodies = st.one_of(
    st.tuples(st.just("application/json"), json_bodies),
    st.tuples(st.just(f"multipart/form-data; boundary={BOUNDARY}"), form_bodies),
    st.tuples(odd, st.binary(max_size=100)),
)
ids = st.one_of(odd, st.just("019e8240-0000-7000-8000-000000000001"))
queries = st.dictionaries(
    st.one_of(st.sampled_from(["limit", "order", "after", "purpose", "expires_in"]), odd),
    st.one_of(odd, st.sampled_from(["1", "asc", "60"])),
    max_size=3,
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of API Gateway, for any function."""
    media_type, body = draw(bodies)
    headers = {draw(st.sampled_from(["Content-Type", "content-type"])): media_type}
    if draw(st.integers(0, 9)) == 0:
        headers["Content-Encoding"] = draw(st.sampled_from(["gzip", "identity", "br, gzip"]))
    as_text = draw(st.booleans()) and media_type == "application/json"
    scopes = "files:read files:write"
    limits = draw(st.fixed_dictionaries({}, optional={"max_files": QUOTAS, "max_bytes": QUOTAS}))
    if draw(st.integers(0, 19)) == 0:
        scopes = draw(st.sampled_from(["files:read", ""]))
    return {
        "httpMethod": draw(st.sampled_from(["GET", "HEAD"])),
        "requestContext": {
            "requestId": "fuzz",
            "authorizer": {"project": "acme", "scopes": scopes} | limits,
        },
        "headers": headers,
        "queryStringParameters": draw(st.none() | queries),
        "pathParameters": {"id": draw(ids)},
        "body": body.decode(errors="replace") if as_text else base64.b64encode(body).decode(),
        "isBase64Encoded": not as_text,
    }


# --- What they get --------------------------------------------------------------------------------


@given(event=events(), number=st.integers(0, 100))
def test_no_call_is_answered_5xx(
    event: dict[str, Any], number: int, handlers: dict[str, Function[Any]]
) -> None:
    names = sorted(name for name in handlers if name != "authorize")
    handler = handlers[names[number % len(names)]]
    assert isinstance(handler, Api)
    parameter = handler.path.partition("{")[2].partition("}")[0]
    found = event["pathParameters"]["id"]
    sent = event | {"pathParameters": {parameter: found} if parameter else None}

    answer = handler(sent, None)

    assert answer["statusCode"] < 500, answer["body"]
    assert len(json.dumps(answer).encode()) < MAX_ANSWER
    answer["body"].encode()
    for name, value in answer["headers"].items():
        assert f"{name}: {value}".isascii()
    if answer["statusCode"] >= 400:
        error = json.loads(answer["body"])["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert len(answer["body"]) < MAX_ERROR


@given(token=st.one_of(odd, odd.map(lambda text: f"Bearer {text}"), st.just(f"bearer  {SECRET} ")))
def test_no_token_fails_the_authorizer(token: str, handlers: dict[str, Function[Any]]) -> None:
    arn = "arn:aws:execute-api:eu-west-1:123456789012:api/dev/GET/v1/files"

    policy = handlers["authorize"]({"authorizationToken": token, "methodArn": arn}, None)

    (statement,) = policy["policyDocument"]["Statement"]
    assert statement["Effect"] == ("Allow" if token.split()[1:] == [SECRET] else "Deny")
