"""`make project`: what a project stores, and how much it may.

Works on the local stack of `make dev` or, with --stack-name, on a stack that is deployed to AWS.
"""

import json
import re
from typing import Any

import click

from files_api.aws.file_records import DynamoFileRecords
from files_api.service.keys import PROJECT
from files_api.service.quota import NO_LIMIT, Quota
from files_api.service.storage import Storage
from tools.commands import Commands, in_stack
from tools.stacks import Place, Stack

UNITS = {
    unit: base**power
    for base, ending in ((1000, "B"), (1024, "iB"))
    for power, letter in enumerate("KMGTP", start=1)
    for unit in (letter + ending,)
} | {"": 1, "B": 1}
DEFAULT = "default"


class Limit(click.ParamType):
    """A number, `none` or `default`; with units, such as 100GB or 5GiB.

    Args:
        units: factors by their names.
    """

    name = "limit"

    def __init__(self, units: dict[str, int]) -> None:
        self._units = units

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        if value == DEFAULT:
            return DEFAULT
        if value == "none":
            return NO_LIMIT
        # DynamoDB's counters have 38 digits; ten digits of petabytes are enough.
        parts = re.fullmatch(r"([0-9]{1,16})([A-Za-z]*)", value)
        if parts is None or parts[2] not in self._units:
            example = "100GB, 5GiB or 1000" if len(self._units) > 1 else "1000"
            self.fail(
                f"{value!r} is neither a number such as {example}, nor none or default.", param, ctx
            )
        return int(parts[1]) * self._units[parts[2]]


class Project(click.ParamType):
    """The name of a project."""

    name = "project"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not PROJECT.fullmatch(value):
            self.fail(f"{value!r} is not the name of a project.", param, ctx)
        return str(value)


@click.group("make project", cls=Commands)
@in_stack
def cli() -> None:
    """Show what the projects of the Files API store, and limit it."""


@cli.command
@click.argument("project", type=Project())
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as GET /v1/usage does.")
@click.pass_obj
def show(place: Place, project: str, *, as_json: bool) -> None:
    """Show what a project stores, and its limits."""
    _show(place.open(), project, as_json=as_json)


@cli.command
@click.argument("project", type=Project())
@click.option("--files", type=Limit({"": 1}), help="At most so many files, none, or default.")
@click.option("--bytes", "size", type=Limit(UNITS), help="At most so many, such as 100GB.")
@click.pass_obj
def limit(place: Place, project: str, *, files: int | str | None, size: int | str | None) -> None:
    """Limit what a project can store; `default` is what the stack's parameters say.

    What is stored already, or promised, stays.
    """
    if files is None and size is None:
        raise click.UsageError("Give --files, --bytes or both.")
    stack = place.open()
    before = stack.keys.quota(project)
    quota = Quota(_chosen(files, before.files), _chosen(size, before.bytes))
    stack.keys.limit(project, quota)
    click.echo(stack.quota_sentence, err=True)
    _show(stack, project, as_json=False)


def _chosen(given: int | str | None, before: int | None) -> int | None:
    if given is None:
        return before
    return None if isinstance(given, str) else given


def _show(stack: Stack, project: str, *, as_json: bool) -> None:
    records = DynamoFileRecords(stack.client("dynamodb"), stack.outputs["FilesTable"])
    default = Quota(*(stack.parameter(each) or NO_LIMIT for each in _DEFAULTS))
    public = Storage(records, default).public(
        project, stack.keys.quota(project), stack.parameter("MaxFileBytes")
    )
    if as_json:
        click.echo(json.dumps(public, indent=2))
        return
    for name in ("files", "bytes"):
        limit = public["limits"][name]
        of = "no limit" if limit is None else f"of {limit:,}"
        click.echo(f"{name}  {public[name]:,} {of}")


_DEFAULTS = ("MaxProjectFiles", "MaxProjectBytes")


if __name__ == "__main__":
    cli()
