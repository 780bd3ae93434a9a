"""Commands that are typed with make: `make key ARGS="create --project acme"`.

Each works on the local stack of `make dev` or, with --stack-name, on a deployed one. If it fails,
it ends with one sentence, and with code 2 for a mistyped command.
"""

import sys
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, NoReturn

import click
from botocore.exceptions import BotoCoreError, ClientError

from files_api.service.keys import KeyNotFound
from tools.errors import StackError
from tools.stacks import Place, sentence


class Subcommand(click.Command):
    """A command whose usage shows how to type it with make."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        prog = ctx.find_root().info_name or ""
        formatter.write_usage(prog, typed(ctx, *self.collect_usage_pieces(ctx)))


class Command(Subcommand):
    """A command of its own."""

    def __init__(self, name: str, **options: Any) -> None:
        options.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(name, **options)

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, **options: Any
    ) -> NoReturn:
        options |= {"prog_name": self.name, "standalone_mode": False}
        try:
            sys.exit(super().main(args, **options))
        except click.UsageError as error:
            usage = error.ctx.get_usage() if error.ctx else ""
            hint = f"Help: {self.name} {typed(error.ctx, '-h')}" if error.ctx else ""
            problem, code = f"{usage}\n{hint}\n\nError: {error.format_message()}", 2
        except (click.ClickException, click.Abort, StackError, ValueError) as error:
            problem, code = f"Error: {error}", 1
        except KeyNotFound as error:
            problem, code = f"Error: No key has the id {error.args[0]}.", 1
        except (BotoCoreError, ClientError) as error:
            problem, code = f"Error: {sentence(error)}", 1
        click.echo(problem, err=True)
        sys.exit(code)


class Commands(Command, click.Group):
    """A group of commands."""

    command_class = Subcommand


def typed(context: click.Context, *words: str) -> str:
    """A command and more words, as an argument of make."""
    prog = context.find_root().info_name or ""
    names = context.command_path.removeprefix(prog).split()
    return f'ARGS="{" ".join([*names, *words])}"'


def in_stack(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say where the stack is, as the context's `Place`."""

    @click.pass_context
    def command(
        context: click.Context,
        /,
        *,
        stack_name: str | None,
        region: str | None,
        profile: str | None,
        **options: Any,
    ) -> Any:
        if (region or profile) and not stack_name:
            raise click.UsageError("--region and --profile need --stack-name.")
        context.obj = Place(stack_name, region, profile)
        return context.invoke(function, **options)

    wrapped: Callable[..., Any] = update_wrapper(command, function)
    for option in (
        click.option("--profile", help="AWS profile for the deployed stack."),
        click.option("--region", help="AWS region of the deployed stack."),
        click.option(
            "--stack-name", metavar="NAME", help="Use a deployed stack, not the local one."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped
