"""`make key`: API keys from the command line.

Works on the local stack of `make dev` or, with --stack-name, on a stack that is deployed to AWS.
"""

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from files_api.service.key_secrets import is_intact
from files_api.service.keys import SCOPES, Key, hash_of
from tools.commands import Commands, in_stack
from tools.stacks import Place

COLUMNS = ("id", "project", "name", "scopes", "secret", "created", "changed", "expires", "status")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


# --- Commands ------------------------------------------------------------------------------------


class Duration(click.ParamType):
    """A number with a unit, such as 30d; converted to seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        # Six digits of days end in the year 4763, which `datetime` can still show.
        parts = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", value)
        if parts is None:
            self.fail(f"{value!r} is not a duration such as 90s, 15m, 1h or 30d.", param, ctx)
        return int(parts[1]) * SECONDS[parts[2]]


@click.group("make key", cls=Commands)
@in_stack
def cli() -> None:
    """Manage the keys of the Files API.

    A new key's secret is all that is written to standard output, so that a shell can capture it.
    """


@cli.command
@click.option("--project", required=True, help="Project that the key belongs to.")
@click.option("--name", default="", help="Name of the key, for the list.")
@click.option("--read-only", is_flag=True, help="The same as --scope files:read.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="Scope of the key, repeatable; default: both.",
)
@click.option(
    "--expires-in", "lifetime", type=Duration(), help="Lifetime, such as 30d; default: unlimited."
)
@click.pass_obj
def create(
    place: Place,
    *,
    project: str,
    name: str,
    read_only: bool,
    scopes: tuple[str, ...],
    lifetime: int | None,
) -> None:
    """Create a key and show its secret, once."""
    if read_only and scopes:
        raise click.UsageError("--read-only and --scope cannot be combined.")
    chosen = ("files:read",) if read_only else tuple(dict.fromkeys(scopes)) or SCOPES
    _show(*place.open().keys.create(project, name=name, scopes=chosen, lifetime=lifetime))


@cli.command("list")
@click.option("--project", help="Only the keys of this project.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with times in Unix seconds.")
@click.pass_obj
def list_keys(place: Place, *, project: str | None, as_json: bool) -> None:
    """List the keys, oldest first."""
    keys = place.open().keys.list(project)
    now = time.time()
    if as_json:
        click.echo(json.dumps([_public(key, now) for key in keys], indent=2, ensure_ascii=False))
    elif keys:
        click.echo(_table([COLUMNS, *(_row(key, now) for key in keys)]))
    else:
        click.echo("There are no keys.", err=True)


@cli.command
@click.argument("key_id")
@click.pass_obj
def revoke(place: Place, key_id: str) -> None:
    """Revoke a key now."""
    stack = place.open()
    key = stack.keys.revoke(key_id)
    click.echo(f"Revoked {key.id} of project {key.project} at {_time(key.revoked_at)}.")
    click.echo(stack.cache_sentence)


@cli.command
@click.argument("key_id")
@click.option("--grace", type=Duration(), help="How long the old key remains valid, such as 1h.")
@click.pass_obj
def rotate(place: Place, key_id: str, grace: int | None) -> None:
    """Replace a key: create one like it, show the new secret, once, and end the old key."""
    stack = place.open()
    key, secret = stack.keys.rotate(key_id, grace=grace or 0)
    (old,) = (each for each in stack.keys.list(key.project) if each.id == key_id)
    ended = f"ends {_time(old.expires_at)}" if grace else f"ended {_time(old.revoked_at)}"
    click.echo(f"The old key, {key_id}, {ended}. {stack.cache_sentence}", err=True)
    _show(key, secret)


@cli.command
@click.pass_obj
def check(place: Place) -> None:
    """Tell whose the keys are that standard input has, one a line, such as those of a scanner."""
    known = {key.hash: key for key in place.open().keys.list()}
    now = time.time()
    for secret in filter(None, map(str.strip, sys.stdin)):
        key = known.get(hash_of(secret))
        if key:
            found = f"{key.id} of project {key.project}, {key.status(now)}"
        elif is_intact(secret):
            found = "a key of another stack"
        else:
            found = "no key, or a mistyped one"
        click.echo(f"…{secret[-4:]}  {found}")


# --- Output --------------------------------------------------------------------------------------


def _show(key: Key, secret: str) -> None:
    """Writes the secret, and nothing else, to standard output, so that a shell can capture it."""
    scopes = ", ".join(key.scopes)
    end = _time(key.expires_at) if key.expires_at else "revoked"
    click.echo(
        f"Created {key.id} for project {key.project} ({scopes}), valid until {end}.\n"
        "Save its secret now; it cannot be shown again:",
        err=True,
    )
    click.echo(secret)


def _row(key: Key, now: float) -> list[str]:
    return [
        key.id,
        key.project,
        key.name or "-",
        " ".join(key.scopes),
        f"…{key.last_four}",
        _time(key.created_at),
        _time(key.changed_at),
        _time(key.expires_at),
        key.status(now),
    ]


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _public(key: Key, now: float) -> dict[str, Any]:
    known = {"id": key.id} | asdict(key) | {"status": key.status(now)}
    for name in ("hash", "max_files", "max_bytes"):  # limits are of the project
        del known[name]
    return known


def _time(seconds: int | None) -> str:
    if seconds is None:
        return "never"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}Z"


if __name__ == "__main__":
    cli()
