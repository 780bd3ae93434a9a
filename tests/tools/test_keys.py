"""`make key`, as typed: its whole output, on tables made from the template."""

# ruff: noqa: E501  (tables are compared as they are printed)

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.handlers
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError, UnauthorizedSSOTokenError
from click.testing import CliRunner, Result

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.key_secrets import new_secret
from files_api.service.keys import Key, Keys
from tests.support import moto_stack
from tools import stacks
from tools.keys import cli

KEYS_TABLE = moto_stack.physical_name("KeysTable")
DAY = 86_400
LOCAL = "http://127.0.0.1:3001"
NEW_YEAR = 1_767_225_600  # 2026-01-01 00:00 UTC
CACHED = "The authorizer's cache may accept it for up to 60 more seconds.\n"
SAVE = "Save its secret now; it cannot be shown again:\n"
NOT_RUNNING = (
    "The local stack is not running: start it with `make dev`, "
    "or name a deployed stack with --stack-name."
)


@dataclass
class CloudFormation:
    """Answers DescribeStacks; for that, moto needs packages that nothing else here needs.

    Attributes:
        outputs, parameters: of the only stack, `files-api`.
        error: code and message of the answer to every call, if any.
        failure: raised instead of an answer, if any.
        requested: the URLs of the calls.
    """

    outputs: dict[str, str] = field(
        default_factory=lambda: {"KeysTable": KEYS_TABLE, "KeyPrefix": "acme_"}
    )
    parameters: dict[str, str] = field(default_factory=lambda: {"AuthorizerTtlSeconds": "60"})
    error: tuple[str, str] | None = None
    failure: Exception | None = None
    requested: list[str] = field(default_factory=list)

    def answer(self, params: dict[str, Any], **_: Any) -> tuple[object, dict[str, Any]]:
        """Handles botocore's event `before-call`, in place of the network."""
        self.requested.append(params["url"])
        if self.failure:
            raise self.failure
        name, error = params["body"]["StackName"], self.error
        if name != "files-api":
            error = ("ValidationError", f"Stack with id {name} does not exist")
        if error:
            return SimpleNamespace(status_code=400), {
                "Error": {"Code": error[0], "Message": error[1]}
            }
        stack = {
            f"{kind}s": [{f"{kind}Key": k, f"{kind}Value": v} for k, v in values.items()]
            for kind, values in (("Output", self.outputs), ("Parameter", self.parameters))
        }
        return SimpleNamespace(status_code=200), {"Stacks": [stack]}

    def pass_on(self, request: AWSRequest, **_: Any) -> None:
        """Handles botocore's event `request-created`: moto knows DynamoDB only by its host name."""
        assert request.url
        if request.url.startswith(LOCAL):
            self.requested.append(request.url)
            request.url = request.url.replace(LOCAL, "https://dynamodb.us-east-1.amazonaws.com")


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    made = CloudFormation()
    handlers = [
        *botocore.handlers.BUILTIN_HANDLERS,
        ("before-call.cloudformation", made.answer),
        ("request-created.dynamodb", made.pass_on),
    ]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    return made


@pytest.fixture
def store(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[DynamoKeyStore]:
    """The stack's table of keys, in an account with no other stack, without `make dev`."""
    monkeypatch.setattr(stacks, "ENDPOINT", tmp_path / "endpoint")
    with moto_stack.stack(monkeypatch) as made:
        yield DynamoKeyStore(made.dynamodb, KEYS_TABLE)


def run(command: str, *, local: bool = False, given: str = "") -> Result:
    stack = [] if local else ["--stack-name", "files-api"]
    return CliRunner(mix_stderr=False).invoke(
        cli, [*stack, *command.split()], input=given, catch_exceptions=False
    )


def outcome(result: Result) -> tuple[int, str, str]:
    """The exit code, standard output and standard error."""
    return result.exit_code, result.stdout, result.stderr


def failed(sentence: str) -> tuple[int, str, str]:
    return 1, "", f"Error: {sentence}\n"


def mistyped(command: str, problem: str) -> tuple[int, str, str]:
    usage = f'Usage: make key ARGS="{command} [OPTIONS]"\nHelp: make key ARGS="{command} -h"\n\n'
    return 2, "", f"{usage}Error: {problem}\n"


def key(digit: str, **fields: Any) -> Key:
    """A stored key with the id `key_<digit, 16 times>`."""
    given: dict[str, Any] = {
        "hash": digit * 64,
        "project": "acme",
        "name": "",
        "scopes": ("files:read", "files:write"),
        "last_four": digit * 4,
        "created_at": NEW_YEAR,
        "changed_at": NEW_YEAR,
    }
    return Key(**given | fields)


def moment(seconds: int | None) -> str:
    assert seconds
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%MZ")


def only(store: DynamoKeyStore) -> Key:
    (stored,) = store.all()
    return stored


# --- create --------------------------------------------------------------------------------------


def test_create_prints_only_the_secret_to_standard_output(store: DynamoKeyStore) -> None:
    # When a key is created
    result = run("create --project acme --name ci")
    # Then standard output is the secret of the project's key
    secret = result.stdout.removesuffix("\n")
    assert re.fullmatch(r"acme_[0-9A-Za-z]{49}", secret)
    made = only(store)
    assert Keys(store).find(secret) == made
    assert (made.project, made.name, made.scopes) == ("acme", "ci", ("files:read", "files:write"))
    # And the messages are on standard error
    assert outcome(result) == (
        0,
        f"{secret}\n",
        f"Created {made.id} for project acme (files:read, files:write), valid until revoked.\n{SAVE}",
    )


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ("--read-only", ("files:read",)),
        ("--scope files:read", ("files:read",)),
        ("--scope files:write", ("files:write",)),
        ("--scope files:write --scope files:read", ("files:write", "files:read")),
        ("--scope files:read --scope files:read", ("files:read",)),
    ],
)
def test_create_gives_the_requested_scopes(
    store: DynamoKeyStore, options: str, scopes: tuple[str, ...]
) -> None:
    result = run(f"create --project acme {options}")
    made = only(store)
    assert made.scopes == scopes
    assert result.stderr == (
        f"Created {made.id} for project acme ({', '.join(scopes)}), valid until revoked.\n{SAVE}"
    )


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [("90s", 90), ("15m", 900), ("1h", 3_600), ("30d", 30 * DAY), ("999999d", 999_999 * DAY)],
)
def test_create_gives_the_requested_lifetime(
    store: DynamoKeyStore, lifetime: str, seconds: int
) -> None:
    result = run(f"create --project acme --expires-in {lifetime}")
    made = only(store)
    assert made.expires_at == made.created_at + seconds
    assert result.stderr == (
        f"Created {made.id} for project acme (files:read, files:write), "
        f"valid until {moment(made.expires_at)}.\n{SAVE}"
    )


@pytest.mark.parametrize("lifetime", ["0d", "30", "d", "1w", "1.5h", "-1h", "1000000d", "1h30m"])
def test_an_invalid_duration_is_named(store: DynamoKeyStore, lifetime: str) -> None:
    problem = f"Invalid value for '--expires-in': '{lifetime}' is not a duration such as 90s, 15m, 1h or 30d."
    assert outcome(run(f"create --project acme --expires-in={lifetime}")) == mistyped(
        "create", problem
    )
    assert list(store.all()) == []


def test_an_invalid_project_is_named(store: DynamoKeyStore) -> None:
    problem = "A project's name has 1 to 64 letters, digits, '-' or '_', unlike 'a/b'."
    assert outcome(run("create --project a/b")) == failed(problem)
    assert list(store.all()) == []


def test_read_only_and_scope_cannot_be_combined(store: DynamoKeyStore) -> None:
    result = run("create --project acme --read-only --scope files:write")
    assert outcome(result) == mistyped("create", "--read-only and --scope cannot be combined.")
    assert list(store.all()) == []


# --- list ----------------------------------------------------------------------------------------


def store_four(store: DynamoKeyStore) -> None:
    store.put(key("d", project="beta", created_at=NEW_YEAR + DAY, changed_at=NEW_YEAR + DAY))
    store.put(key("a", name="ci"))
    store.put(key("b", revoked_at=NEW_YEAR + 60, changed_at=NEW_YEAR + 60, created_at=NEW_YEAR + 1))
    store.put(key("c", scopes=("files:read",), expires_at=NEW_YEAR + 120, created_at=NEW_YEAR + 2))


def test_list_shows_keys_as_a_table_oldest_first(store: DynamoKeyStore) -> None:
    store_four(store)
    assert outcome(run("list")) == (
        0,
        """\
id                    project  name  scopes                  secret  created            changed            expires            status
key_aaaaaaaaaaaaaaaa  acme     ci    files:read files:write  …aaaa   2026-01-01 00:00Z  2026-01-01 00:00Z  never              active
key_bbbbbbbbbbbbbbbb  acme     -     files:read files:write  …bbbb   2026-01-01 00:00Z  2026-01-01 00:01Z  never              revoked
key_cccccccccccccccc  acme     -     files:read              …cccc   2026-01-01 00:00Z  2026-01-01 00:00Z  2026-01-01 00:02Z  expired
key_dddddddddddddddd  beta     -     files:read files:write  …dddd   2026-01-02 00:00Z  2026-01-02 00:00Z  never              active
""",
        "",
    )
    one_project = run("list --project beta").stdout.splitlines()[1:]
    assert [row.split()[0] for row in one_project] == ["key_dddddddddddddddd"]


def test_list_as_json_contains_all_public_fields(store: DynamoKeyStore) -> None:
    store.put(key("a", name="Prüfung", expires_at=NEW_YEAR + 120))
    result = run("list --json")
    assert "Prüfung" in result.stdout
    assert json.loads(result.stdout) == [
        {
            "id": "key_aaaaaaaaaaaaaaaa",
            "project": "acme",
            "name": "Prüfung",
            "scopes": ["files:read", "files:write"],
            "last_four": "aaaa",
            "created_at": NEW_YEAR,
            "changed_at": NEW_YEAR,
            "expires_at": NEW_YEAR + 120,
            "revoked_at": None,
            "replaced_by": None,
            "status": "expired",
        }
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_list_without_keys_is_empty(store: DynamoKeyStore) -> None:
    assert outcome(run("list")) == (0, "", "There are no keys.\n")
    assert outcome(run("list --json")) == (0, "[]\n", "")


# --- revoke --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ttl", "sentence"),
    [
        ("300", "The authorizer's cache may accept it for up to 300 more seconds."),
        ("0", "The authorizer caches nothing, so the key is refused from then on."),
    ],
)
def test_revoke_says_how_long_the_cache_may_accept_the_key(
    store: DynamoKeyStore, cloudformation: CloudFormation, ttl: str, sentence: str
) -> None:
    cloudformation.parameters["AuthorizerTtlSeconds"] = ttl
    store.put(key("a"))
    result = run("revoke key_aaaaaaaaaaaaaaaa")
    ended = f"Revoked key_aaaaaaaaaaaaaaaa of project acme at {moment(only(store).revoked_at)}."
    assert outcome(result) == (0, f"{ended}\n{sentence}\n", "")


def test_revoke_keeps_the_time_of_an_earlier_revocation(store: DynamoKeyStore) -> None:
    store.put(key("a", revoked_at=NEW_YEAR))
    assert "at 2026-01-01 00:00Z.\n" in run("revoke key_aaaaaaaaaaaaaaaa").stdout


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_an_unknown_key_is_named(store: DynamoKeyStore, command: str) -> None:
    store.put(key("a"))
    assert outcome(run(f"{command} key_b")) == failed("No key has the id key_b.")
    assert list(store.all()) == [key("a")]


# --- rotate --------------------------------------------------------------------------------------


@pytest.mark.parametrize("grace", [None, 3_600])
def test_rotate_creates_a_similar_key_and_ends_the_old_one(
    store: DynamoKeyStore, grace: int | None
) -> None:
    old = key("a", name="ci", scopes=("files:read",))
    store.put(old)
    result = run("rotate key_aaaaaaaaaaaaaaaa" + (" --grace 1h" if grace else ""))
    ended = store.get(old.hash)
    assert ended
    if grace:
        assert (ended.revoked_at, ended.expires_at) == (None, ended.changed_at + grace)
    else:
        assert ended.status(ended.changed_at) == "revoked"
    end = f"ends {moment(ended.expires_at)}" if grace else f"ended {moment(ended.revoked_at)}"
    (made,) = (each for each in store.all() if each.id != old.id)
    assert (made.project, made.name, made.scopes) == ("acme", "ci", ("files:read",))
    assert Keys(store).find(result.stdout.strip()) == made
    assert re.fullmatch(r"acme_[0-9A-Za-z]{49}\n", result.stdout)
    assert (result.exit_code, result.stderr) == (
        0,
        f"The old key, key_aaaaaaaaaaaaaaaa, {end}. {CACHED}"
        f"Created {made.id} for project acme (files:read), valid until revoked.\n{SAVE}",
    )


def test_rotate_rejects_a_key_that_has_ended(store: DynamoKeyStore) -> None:
    store.put(key("a", revoked_at=NEW_YEAR))
    sentence = "key_aaaaaaaaaaaaaaaa is revoked: create a new key instead."
    assert outcome(run("rotate key_aaaaaaaaaaaaaaaa")) == failed(sentence)


# --- check ---------------------------------------------------------------------------------------


def test_check_tells_whose_a_key_is(store: DynamoKeyStore) -> None:
    keys = Keys(store, prefix="old_")
    (mine, made), (own, _) = keys.create("acme"), keys.create("globex", secret="chosen")
    keys.revoke(own.id)
    another = new_secret("acme_")
    typo = made[:-1] + ("0" if made[-1] != "0" else "1")

    result = run("check", given=f"{made}\n chosen \n\n{another}\n{typo}\n")

    assert outcome(result) == (
        0,
        f"…{made[-4:]}  {mine.id} of project acme, active\n"
        f"…osen  {own.id} of project globex, revoked\n"
        f"…{another[-4:]}  a key of another stack\n"
        f"…{typo[-4:]}  no key, or a mistyped one\n",
        "",
    )


# --- Stacks --------------------------------------------------------------------------------------


def test_the_default_stack_is_the_one_of_make_dev(
    store: DynamoKeyStore, cloudformation: CloudFormation
) -> None:
    # Given a local stack that has written down its endpoint
    stacks.ENDPOINT.write_text(f"{LOCAL}\n")
    store.put(key("a"))
    # When no stack is named
    result = run("list --json", local=True)
    # Then the keys are those of the local stack
    assert [each["id"] for each in json.loads(result.stdout)] == ["key_aaaaaaaaaaaaaaaa"]
    assert cloudformation.requested == [f"{LOCAL}/", f"{LOCAL}/"]


def test_a_local_stack_that_is_not_running_is_reported(store: DynamoKeyStore) -> None:
    assert outcome(run("list", local=True)) == failed(NOT_RUNNING)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (EndpointConnectionError(endpoint_url=LOCAL), None),
        (ReadTimeoutError(endpoint_url=LOCAL), None),
        (None, ("ValidationError", "Stack with id files-api does not exist")),
    ],
    ids=["ended", "other program", "not deployed yet"],
)
def test_a_local_stack_that_does_not_answer_is_reported(
    store: DynamoKeyStore,
    cloudformation: CloudFormation,
    failure: Exception | None,
    error: tuple[str, str] | None,
) -> None:
    stacks.ENDPOINT.write_text(f"{LOCAL}\n")
    cloudformation.failure, cloudformation.error = failure, error
    assert outcome(run("list", local=True)) == failed(NOT_RUNNING)


def test_options_for_a_deployed_stack_require_its_name(store: DynamoKeyStore) -> None:
    assert outcome(run("--region eu-west-1 list", local=True)) == (
        2,
        "",
        'Usage: make key ARGS="[OPTIONS] COMMAND [ARGS]..."\nHelp: make key ARGS="-h"\n\n'
        "Error: --region and --profile need --stack-name.\n",
    )


@pytest.mark.parametrize("variable", ["", "AWS_REGION"], ids=["--region", "AWS_REGION"])
def test_an_unknown_stack_is_named_with_its_region(
    store: DynamoKeyStore, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable or "AWS_REGION", "eu-west-1" if variable else "us-west-2")
    option = "" if variable else "--region eu-west-1"
    result = run(f"--stack-name nope {option} list", local=True)
    assert outcome(result) == failed("There is no stack nope in eu-west-1.")


def test_a_stack_of_something_else_is_named(
    store: DynamoKeyStore, cloudformation: CloudFormation
) -> None:
    cloudformation.outputs = {}
    sentence = "The stack files-api is not a completed deployment of this API."
    assert outcome(run("list")) == failed(sentence)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ExpiredToken", "The AWS credentials have expired: sign in again."),
        ("RequestExpired", "The AWS credentials have expired: sign in again."),
        (
            "InvalidClientTokenId",
            "AWS does not know these credentials: sign in, or use --profile.",
        ),
        ("AccessDenied", "AWS rejected DescribeStacks: No <access>."),
    ],
)
def test_an_error_from_aws_is_reported_in_one_sentence(
    store: DynamoKeyStore, cloudformation: CloudFormation, code: str, sentence: str
) -> None:
    cloudformation.error = (code, "No <access>.")
    assert outcome(run("list")) == failed(sentence)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
            "No AWS credentials were found: sign in, or use --profile.",
        ),
        (
            ["AWS_SECRET_ACCESS_KEY"],
            "The AWS credentials are incomplete: sign in, or use --profile.",
        ),
        (
            ["AWS_DEFAULT_REGION"],
            "No AWS region is set: use --region, AWS_REGION or the region of a profile.",
        ),
    ],
    ids=["credentials", "secret", "region"],
)
def test_a_missing_aws_setting_is_reported_in_one_sentence(
    store: DynamoKeyStore, monkeypatch: pytest.MonkeyPatch, missing: list[str], sentence: str
) -> None:
    for name in [*missing, "AWS_REGION"]:
        monkeypatch.delenv(name, raising=False)
    assert outcome(run("list")) == failed(sentence)


def test_an_expired_sign_in_is_reported_in_one_sentence(
    store: DynamoKeyStore, cloudformation: CloudFormation
) -> None:
    cloudformation.failure = UnauthorizedSSOTokenError()
    assert outcome(run("list")) == failed("The AWS credentials have expired: sign in again.")


def test_an_unknown_profile_is_named(store: DynamoKeyStore) -> None:
    result = run("--stack-name files-api --profile nobody list", local=True)
    assert outcome(result) == failed("There is no AWS profile nobody.")


@pytest.mark.parametrize("command", ["", "create ", "list ", "revoke ", "rotate "])
def test_help_shows_how_to_type_a_command(command: str) -> None:
    result = run(f"{command}-h", local=True)
    assert result.stdout.startswith(f'Usage: make key ARGS="{command}')
    assert (result.exit_code, "python" in result.stdout) == (0, False)
