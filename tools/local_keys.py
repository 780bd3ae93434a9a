"""The API keys of `make dev`."""

from pathlib import Path
from typing import Any

from files_api.aws.key_store import DynamoKeyStore
from files_api.service.keys import Keys, hash_of
from tools.errors import StackError

FIXED = "LOCAL_API_KEYS"  # the name of the keys that the user has chosen


def parse(setting: str) -> dict[str, str]:
    """Reads `project:key,project:key`.

    Returns:
        The project of each key, in the given order.

    Raises:
        StackError: the setting has another form.
    """
    projects: dict[str, str] = {}
    for pair in filter(None, setting.split(",")):
        project, _, secret = pair.strip().partition(":")
        if not project or not secret:
            raise StackError("LOCAL_API_KEYS must be project:key pairs separated by commas.")
        projects[secret] = project
    return projects


def provide(client: Any, table: str, *, prefix: str, fixed: dict[str, str], file: Path) -> str:
    """Creates the keys that do not exist yet; revokes the fixed keys of earlier starts.

    Args:
        client: a DynamoDB client.
        table: the keys' table.
        prefix: of the key that is created.
        fixed: the project of each key that the user has chosen; if empty, a key is created.
        file: where the secret of the created key is kept from one start to the next.

    Returns:
        A secret to show.

    Raises:
        StackError: the name of a project is invalid.
    """
    keys = Keys(DynamoKeyStore(client, table), prefix=prefix)
    for key in keys.list():
        if key.name == FIXED and key.hash not in map(hash_of, fixed) and not key.revoked_at:
            keys.revoke(key.id)
    for secret, project in fixed.items():
        found = keys.find(secret)
        if found is None or found.project != project:
            try:
                keys.create(project, name=FIXED, secret=secret)
            except ValueError as error:
                raise StackError(f"LOCAL_API_KEYS: {error}") from error
    return next(iter(fixed), None) or _own_secret(keys, file)


def _own_secret(keys: Keys, file: Path) -> str:
    """The secret in the file; that of a new key if there is none, or if it is no longer valid."""
    secret = file.read_text().strip() if file.exists() else ""
    if not secret or keys.find(secret) is None:
        _, secret = keys.create("local", name="make dev")
        file.write_text(secret + "\n")
    return secret
