"""The API keys of `make dev`."""

from pathlib import Path
from typing import Any

from files_api.keys import DynamoKeyStore, Keys
from tools.errors import StackError

PROJECT = "local"


def parse(setting: str) -> dict[str, str]:
    """Read `project:key,project:key`.

    Returns:
        Projects by key, in the order given.

    Raises:
        StackError: it is not of this form.
    """
    projects: dict[str, str] = {}
    for pair in filter(None, setting.split(",")):
        project, _, secret = pair.strip().partition(":")
        if not project or not secret:
            raise StackError("LOCAL_API_KEYS must be project:key, or several with commas between.")
        projects[secret] = project
    return projects


def provide(client: Any, table: str, *, fixed: dict[str, str], file: Path) -> str:
    """Make sure that there are keys to use.

    Args:
        client: a DynamoDB client.
        table: the keys' table.
        fixed: projects by key, as chosen by the user; empty for a key made here.
        file: keeps the secret of the key made here from one start to the next.

    Returns:
        A key to show.

    Raises:
        StackError: a project has no valid name.
    """
    keys = Keys(DynamoKeyStore(client, table))
    for secret, project in fixed.items():
        found = keys.find(secret)
        if found is None or found.project != project:
            try:
                keys.create(project, name="LOCAL_API_KEYS", secret=secret)
            except ValueError as error:
                raise StackError(f"LOCAL_API_KEYS: {error}") from error
    return next(iter(fixed), None) or _kept(keys, file)


def _kept(keys: Keys, file: Path) -> str:
    """The key in the file, or a new one if there is none or it is no longer good."""
    secret = file.read_text().strip() if file.exists() else ""
    if not secret or keys.find(secret) is None:
        _, secret = keys.create(PROJECT, name="make dev")
        # Nobody else may read it, not even for a moment.
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(secret + "\n")
    return secret
